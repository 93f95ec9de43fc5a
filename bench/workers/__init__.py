"""The baselines: the least that does the same job, each a program of its own."""
