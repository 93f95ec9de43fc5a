"""Benchmarks: CPU-µs a message against a named baseline of the same run, pinned, interleaved, medians."""
