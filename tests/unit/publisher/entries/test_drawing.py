"""Who takes part in a draw: one entry a person, the earliest that counts."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.entries.campaign import Contest
from publisher.domain.entries.drawing import TAKING_PART, participants
from publisher.domain.entries.machine import captured
from publisher.domain.entries.model import CampaignEntry, Capture, EntryState, Flag, Flagged, Standing

CLOSE = 1_000.0
TERMS = Contest(winners=1, alternates=0, unique_friends=0, exclude_flagged=False)


def entry(name: str, author: str, at: float = 0.0, state: EntryState = EntryState.ELIGIBLE, **more: Any) -> CampaignEntry:
    flags = (Flagged(Flag.BOT, "x"),) if more.pop("flagged", False) else ()
    capture = Capture(
        entry_id=name, event_id="e", brand="b", campaign="c", campaign_version=1, platform="facebook", account="p",
        channel="m", object="o-" + name, parent="", root="", author=author, handle=author, event_kind="comment", language="",
        text="", media=(), hashtags=(), friends=more.pop("friends", ()), trigger="hashtag", eligible=True, reason="", detail="",
        event_time=at, received_time=at,
    )  # fmt: skip
    return replace(captured(replace(capture, **more), at), standing=Standing(state, at, flags=flags))


def names(entries: list[CampaignEntry], **terms: Any) -> list[str]:
    return [one.entry_id for one in participants(entries, replace(TERMS, **terms), CLOSE)]


def test_the_earliest_of_each_person() -> None:
    entries = [entry("b", "ann", 2), entry("a", "ann", 3), entry("c", "ben", 9), entry("d", "ann", 1, platform="instagram")]
    assert names(entries) == ["b", "c", "d"]


def test_every_entry_of_a_person_where_the_contest_says_so() -> None:
    entries = [entry("b", "ann", 2), entry("a", "ann", 3), entry("c", "ben", 9), entry("d", "ann", 4, flagged=True)]
    assert names(entries, every_entry=True) == ["a", "b", "c", "d"]
    assert names(entries, every_entry=True, exclude_flagged=True) == ["a", "b", "c"]


def test_a_later_entry_stands_in_for_one_that_does_not_count() -> None:
    entries = [entry("a", "ann", 1, EntryState.INELIGIBLE), entry("b", "ann", 2, flagged=True), entry("c", "ann", 3)]
    assert names(entries) == ["b"]
    assert names(entries, exclude_flagged=True) == ["c"]


def test_friends_are_counted_once_and_nobody_is_their_own() -> None:
    entries = [
        entry("a", "ann", friends=("tom", "Tom")),
        entry("b", "ben", friends=("tom", "ben")),
        entry("c", "cem", friends=("x", "y")),
    ]
    assert names(entries, unique_friends=2) == ["c"]
    assert names(entries, unique_friends=1) == ["a", "b", "c"]


def test_what_came_at_the_close_came_too_late() -> None:
    assert names([entry("a", "ann", CLOSE), entry("b", "ben", CLOSE - 0.001)]) == ["b"]


def test_refused_rights_cost_nobody_the_prize() -> None:
    entries = [entry(state.value, state.value, state=state) for state in EntryState]
    assert set(names(entries)) == {state.value for state in TAKING_PART}
    assert {"ineligible", "revoked", "captured"}.isdisjoint(names(entries))


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5), st.sampled_from(sorted(EntryState)))), st.randoms())
def test_the_order_in_which_entries_are_read_changes_nothing(rows: list[tuple[str, int, EntryState]], mixed: Any) -> None:
    entries = [entry(f"e{number:03}", author, at, state) for number, (author, at, state) in enumerate(rows)]
    expected = names(entries)
    mixed.shuffle(entries)
    assert names(entries) == expected == sorted(expected)
    people = [one.capture.person for one in entries if one.entry_id in set(expected)]
    assert len(people) == len(set(people))
