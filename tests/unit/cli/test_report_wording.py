"""Numbers as people read them."""

from datetime import UTC, datetime

import pytest

from antiphon_cli.report import wording


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u2212", "-")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "–"),
        (0, "0 ms"),
        (420, "420 ms"),
        (1_000, "1.0 s"),
        (42_000, "42 s"),
        (119_000, "119 s"),
        (150_000, "2.5 min"),
        (3_600_000, "60 min"),
        (9_000_000, "2.5 h"),
        (200_000_000, "2.3 d"),
    ],
)
def test_durations_have_the_unit_that_people_would_choose(milliseconds: int | None, text: str) -> None:
    assert plain(wording.duration(milliseconds)) == text


def test_numbers_and_shares() -> None:
    assert plain(wording.number(1234567)) == "1 234 567"
    assert plain(wording.number(-3.456, 1)) == "-3.5"
    assert plain(wording.share(0.2516)) == "25.2 %"
    assert plain(wording.sentiment(0.5)) == "+0.50"
    assert plain(wording.sentiment(-0.5)) == "-0.50"
    assert plain(wording.interval(0.1, 0.25)) == "10.0 to 25.0"
    assert wording.number(None) == wording.share(None) == wording.sentiment(None) == wording.UNKNOWN


def test_a_change_is_told_against_what_it_was() -> None:
    assert plain(wording.changed(112, 100)) == "+12.0 % from 100"
    assert plain(wording.changed(50, 100)) == "-50.0 % from 100"
    assert wording.changed(5, 5) == "as before"
    assert wording.changed(5, 0) == "was 0"
    assert wording.changed(5, None) == wording.changed(None, 5) == ""
    assert plain(wording.changed_share(0.5, 0.479)) == "+2.1 points from 47.9 %"
    assert wording.changed_share(0.5, 0.5001) == "as before"
    assert wording.was("42 s", "51 s") == "was 51 s"
    assert wording.was("42 s", wording.UNKNOWN) == ""


def test_an_axis_of_time() -> None:
    moment = datetime(2026, 11, 2, 14, tzinfo=UTC)
    assert wording.tick(moment, "hour") == "2 Nov 14:00"
    assert wording.tick(moment, "day") == wording.tick(moment, "week") == "2 Nov"
    assert wording.tick(moment, "month") == "Nov 2026"
    assert wording.day(moment) == "2 November 2026"
