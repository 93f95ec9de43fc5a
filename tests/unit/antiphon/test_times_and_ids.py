"""Times keep every microsecond; ids come from content alone and never change."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from antiphon.ids import action_id, event_id
from antiphon.testing import FakeClock
from antiphon.times import from_timestamp, to_timestamp
from antiphon.topics import EVENTS, dead_letters_of, record_key


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.timezones()))  # noqa: DTZ001 (made aware by hypothesis)
def test_a_moment_survives_the_round_trip_to_the_microsecond(moment: datetime) -> None:
    stamp = to_timestamp(moment)
    assert 0 <= stamp.nanos < 1_000_000_000
    assert from_timestamp(stamp) == moment.astimezone(UTC)
    assert from_timestamp(stamp).tzinfo is UTC


def test_known_moments() -> None:
    assert to_timestamp(datetime(1970, 1, 1, tzinfo=UTC)) == Timestamp()
    assert to_timestamp(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)) == Timestamp(seconds=-1, nanos=500_000_000)
    assert to_timestamp(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == Timestamp()
    assert from_timestamp(Timestamp(nanos=999_999_999)) == datetime(1970, 1, 1, microsecond=999_999, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [10**15, -(10**15), 253_402_300_800])
def test_a_moment_outside_the_calendar_is_an_error(seconds: int) -> None:
    with pytest.raises(OverflowError):
        from_timestamp(Timestamp(seconds=seconds))


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_timestamp(datetime(2026, 3, 2))  # noqa: DTZ001 (that is the test)


def test_ids_are_the_same_for_ever() -> None:
    assert event_id("facebook", "1", "2_3", "create", "") == "c559bbcd1669183088d94583912467173c5cff1a6e6b930b4d5a0ae656f59ed4"
    assert action_id("acme", "e", "thanks", 0) == "20cb893b29bcfde701359096cb8076bdd47f881ff58e867c70808dd90bd4b71c"


@given(
    st.lists(st.text(st.characters(exclude_characters="\x1f", exclude_categories=("Cs",)), max_size=5), min_size=10, max_size=10)
)
def test_parts_cannot_be_shifted_into_each_other(parts: list[str]) -> None:
    first, second = event_id(*parts[:5]), event_id(*parts[5:])
    assert (first == second) == (parts[:5] == parts[5:])
    assert len(first) == 64


def test_positions_and_rules_have_ids_of_their_own() -> None:
    ids = {action_id("acme", "e", rule, position) for rule in ("a", "b") for position in range(3)}
    assert len(ids) == 6


def test_names_of_topics_and_keys() -> None:
    assert dead_letters_of(EVENTS) == "ingest.events.v1.dlq"
    assert record_key("acme", "ä/1") == "acme/ä/1".encode()


def test_the_fake_clock_moves_both_times_when_told_and_never_else() -> None:
    clock = FakeClock()
    before = (clock.now(), clock.monotonic())
    assert (clock.now(), clock.monotonic()) == before
    clock.advance(1.5)
    assert (clock.now() - before[0], clock.monotonic() - before[1]) == (timedelta(seconds=1.5), 1.5)
