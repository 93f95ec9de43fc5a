"""Opening hours on the wall clock, also where the clock jumps."""

from datetime import UTC, date, datetime

import pytest

from rules.domain.model import Schedule
from rules.domain.schedule import describe, is_open


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


OFFICE = Schedule("Europe/Berlin", frozenset({0, 1, 2, 3, 4}), ((540, 1080),))
NIGHT = Schedule("Europe/Berlin", frozenset({5}), ((1320, 360),))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-27T08:00", True),  # Friday 09:00, winter time
        ("2026-03-27T07:59", False),
        ("2026-03-30T07:00", True),  # Monday 09:00, summer time
        ("2026-03-30T06:59", False),
        ("2026-03-30T15:59", True),
        ("2026-03-30T16:00", False),  # 18:00 is no longer inside
        ("2026-03-29T10:00", False),  # Sunday
    ],
)
def test_hours_follow_the_wall_clock_over_daylight_saving(moment: str, expected: bool) -> None:
    assert is_open(OFFICE, utc(moment)) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-28T20:59", False),
        ("2026-03-28T21:00", True),  # Saturday 22:00
        ("2026-03-29T00:59", True),  # 01:59, the last minute before the jump
        ("2026-03-29T01:00", True),  # 03:00, the first after it
        ("2026-03-29T03:59", True),  # 05:59 summer time
        ("2026-03-29T04:00", False),
        ("2026-03-29T20:30", False),  # Sunday 22:30: the night of Sunday is not the night of Saturday
        ("2026-10-25T00:30", True),  # 02:30, the first time
        ("2026-10-25T01:30", True),  # 02:30, the second time
        ("2026-10-25T05:00", False),  # 06:00 winter time
    ],
)
def test_a_night_belongs_to_the_day_it_starts_on(moment: str, expected: bool) -> None:
    assert is_open(NIGHT, utc(moment)) is expected


def test_first_and_last_day_are_included_and_exceptions_are_not() -> None:
    schedule = Schedule(
        "Europe/Berlin", from_=date(2026, 12, 24), until=date(2026, 12, 26), except_=frozenset({date(2026, 12, 25)})
    )
    local_midnights = [
        "2026-12-23T22:59",
        "2026-12-23T23:00",
        "2026-12-24T23:00",
        "2026-12-25T23:00",
        "2026-12-26T22:59",
        "2026-12-26T23:00",
    ]
    assert [is_open(schedule, utc(moment)) for moment in local_midnights] == [False, True, False, True, True, False]


def test_a_whole_day_may_be_written_to_midnight() -> None:
    schedule = Schedule("UTC", hours=((0, 1440),))
    assert all(is_open(schedule, utc(f"2026-01-01T{hour:02d}:59")) for hour in range(24))


def test_a_zone_without_whole_hours() -> None:
    assert is_open(Schedule("Asia/Kathmandu", hours=((540, 541),)), utc("2026-01-01T03:15"))


def test_the_moment_is_told_as_people_see_it() -> None:
    assert describe(OFFICE, utc("2026-03-29T01:00")) == "Sun 2026-03-29 03:00 Europe/Berlin"
