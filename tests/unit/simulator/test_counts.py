"""The arithmetic of the statistics."""

import pytest

from simulator.stats import latency, percentile


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentiles_are_nearest_ranks(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == expected


def test_latencies_are_milliseconds_and_nothing_is_not_zero() -> None:
    assert latency([0.25, 0.0105]) == {"count": 2, "p50": 10.5, "p95": 250.0, "p99": 250.0}
    assert latency([]) == {"count": 0, "p50": None, "p95": None, "p99": None}
