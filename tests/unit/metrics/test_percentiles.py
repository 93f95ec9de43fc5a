"""Percentiles are exact: they are one of the measured values, whatever the distribution."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics.domain.counts import Histogram
from metrics.domain.facts import milliseconds

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=300), st.integers(1, 100))
def test_it_is_the_value_at_the_nearest_rank_of_the_sorted_measurements(values: list[int], percent: int) -> None:
    rank = -(-len(values) * percent // 100)
    histogram = Histogram(Counter(values))
    assert histogram.percentile(percent) == sorted(values)[rank - 1]
    assert histogram.total == len(values)


def test_without_measurements_there_is_none() -> None:
    assert Histogram({}).percentile(50) is None


def test_one_slow_one_of_a_hundred_shows_above_p99_only() -> None:
    histogram = Histogram({60_000: 1, 5: 99})
    assert [histogram.percentile(percent) for percent in (50, 99, 100)] == [5, 5, 60_000]


def test_milliseconds_are_whole_never_negative_and_absent_when_a_time_is() -> None:
    assert milliseconds(NOON, NOON + timedelta(microseconds=1_999)) == 1
    assert milliseconds(NOON, NOON - timedelta(seconds=3)) == 0
    assert milliseconds(None, NOON) is None
    assert milliseconds(NOON, None) is None
