"""Calendars: points of a series in a zone whose clocks change, and pieces that hours can answer."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.domain.periods import POINTS_MOST, Scope, cuts, floor, is_hour, points

BERLIN = ZoneInfo("Europe/Berlin")


def scope(start: str, end: str) -> Scope:
    return Scope(None, datetime.fromisoformat(start).astimezone(UTC), datetime.fromisoformat(end).astimezone(UTC))


def test_days_have_23_and_25_hours_where_clocks_change() -> None:
    for start, end, hours in [
        ("2026-03-28T00:00+01:00", "2026-03-31T00:00+02:00", [24, 23, 24]),
        ("2026-10-24T00:00+02:00", "2026-10-27T00:00+01:00", [24, 25, 24]),
    ]:
        found = points(scope(start, end), "day", BERLIN)
        assert [(span.end - span.start) // timedelta(hours=1) for span in found] == hours


def test_weeks_begin_on_monday_and_months_on_the_first_and_the_ends_are_cut() -> None:
    asked = scope("2026-01-14T10:30+01:00", "2026-03-03T00:00+01:00")
    weeks, months = points(asked, "week", BERLIN), points(asked, "month", BERLIN)
    assert [span.start.astimezone(BERLIN).weekday() for span in weeks[1:]] == [0] * 7
    assert [span.start.astimezone(BERLIN).day for span in months[1:]] == [1, 1]
    assert (weeks[0].start, weeks[-1].end) == (asked.start, asked.end)


def test_a_series_is_never_longer_than_one_past_the_most() -> None:
    assert len(points(scope("1990-01-01T00:00+00:00", "2026-01-01T00:00+00:00"), "hour", BERLIN)) == POINTS_MOST + 1


@given(
    st.integers(946_684_800, 2_114_380_800),
    st.timedeltas(timedelta(minutes=1), timedelta(days=20)),
    st.sampled_from(["hour", "day", "week", "month"]),
    st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/Santiago", "Australia/Lord_Howe", "UTC"]),
)
def test_points_and_pieces_cover_the_period_once(start: int, length: timedelta, granularity: str, zone: str) -> None:
    begun = datetime.fromtimestamp(start, UTC)
    asked = Scope(None, begun, begun + length)
    found = points(asked, granularity, ZoneInfo(zone))
    pieces = list(cuts(asked, found))
    for spans in (found, pieces):
        assert (spans[0].start, spans[-1].end) == (asked.start, asked.end)
        assert all(one.end == other.start for one, other in pairwise(spans))
        assert all(span.start < span.end for span in spans)
    assert all(floor(piece.end - timedelta(microseconds=1)) == floor(piece.start) for piece in pieces)
    assert {span.start for span in found} <= {piece.start for piece in pieces}
    if zone == "UTC":
        assert sum(not is_hour(piece) for piece in pieces) <= 2


@pytest.mark.parametrize("zone", ["America/Santiago", "Asia/Beirut"])
def test_a_day_whose_midnight_does_not_exist_begins_when_the_clock_jumps(zone: str) -> None:
    year = scope("2024-01-01T00:00+00:00", "2025-01-01T00:00+00:00")
    days = points(year, "day", ZoneInfo(zone))[1:-1]
    assert {(span.end - span.start) // timedelta(hours=1) for span in days} == {23, 24, 25}
