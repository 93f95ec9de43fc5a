"""From a decision to an entry that counts, or that does not and says why."""

import random
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from antiphon.errors import Transient
from publisher.domain.entries.campaign import Caps
from publisher.domain.entries.machine import captured
from publisher.domain.entries.rights import Saying
from publisher.domain.model import Mode
from publisher.service.entries.seen import Entering, Seen


async def test_an_entry_is_captured_admitted_and_told_once(stage: Any) -> None:
    entry = await stage.enter("first")
    assert [line.state for line in entry.evidence] == ["captured", "eligible", "rights_requested"]
    assert [line.sequence for line in entry.evidence] == [1, 2, 3]
    assert await stage.teller.once() == 3
    assert await stage.teller.once() == 0
    assert stage.heard.states == ["captured", "eligible", "rights_requested"]
    again = await stage.enter("first")
    assert again == entry
    assert await stage.teller.once() == 0


async def test_an_edit_or_a_second_trigger_makes_no_second_entry(stage: Any) -> None:
    entry = await stage.enter("first")
    other = stage.capture("another-action", object="o-first")
    await stage.taking.take([seen_of(stage, other)])
    assert list(stage.entries.entries.values()) == [entry]


def seen_of(stage: Any, capture: Any) -> Any:
    saying = Saying("facebook", capture.author, "comment", capture.object, "", "")
    return Seen("b", saying, False, stage.now, "", (Entering(capture, Mode.AUTO),), (), ())


async def test_what_the_rules_found_unfit_is_kept_with_their_reason(stage: Any) -> None:
    entry = await stage.enter("first", eligible=False, reason="author", detail="12 followers, at least 50")
    assert (entry.state, entry.evidence[-1].reason, entry.evidence[-1].detail) == (
        "ineligible", "author", "12 followers, at least 50",
    )  # fmt: skip
    assert stage.requests() == []


async def test_the_close_is_a_moment(stage: Any) -> None:
    end = stage.campaigns.now.end
    assert (await stage.enter("just", event_time=end - 0.001)).state == "rights_requested"
    late = await stage.enter("late", event_time=end)
    assert (late.state, late.evidence[-1].reason) == ("ineligible", "schedule")
    early = await stage.enter("early", event_time=stage.campaigns.now.start - 1)
    assert early.state == "ineligible"


async def test_in_shadow_nothing_is_entered(stage: Any) -> None:
    with pytest.raises(KeyError):
        await stage.enter("first", mode=Mode.SHADOW)


async def test_a_removed_campaign_takes_nothing(stage: Any) -> None:
    stage.campaigns.now = None
    assert (await stage.enter("first")).state == "ineligible"


async def test_a_day_is_a_day_of_the_campaigns_zone(stage: Any) -> None:
    stage.campaigns.change(caps=Caps(per_person_day=1), start=0.0, end=0.0)
    berlin = ZoneInfo("Europe/Berlin")
    moments = {
        "evening": datetime(2026, 3, 28, 23, 30, tzinfo=berlin),
        "after-midnight": datetime(2026, 3, 29, 0, 30, tzinfo=berlin),
        "that-evening": datetime(2026, 3, 29, 23, 30, tzinfo=berlin),  # a day of 23 hours: clocks go forward
        "next": datetime(2026, 3, 30, 0, 1, tzinfo=berlin),
    }
    states = [(await stage.enter(name, event_time=at.timestamp())).state for name, at in moments.items()]
    assert states == ["rights_requested", "rights_requested", "ineligible", "rights_requested"]
    assert "2026-03-29 in Europe/Berlin" in stage.entry("that-evening").evidence[-1].detail


async def test_what_one_cap_turns_away_uses_up_nothing_of_another(stage: Any) -> None:
    stage.campaigns.change(caps=Caps(per_person=2, per_person_day=1, total=3), end=0.0)
    assert (await stage.enter("one")).state == "rights_requested"
    assert (await stage.enter("two", event_time=stage.now + 1)).state == "ineligible"  # the day's cap
    tomorrow = stage.now + 86_400
    assert (await stage.enter("three", event_time=tomorrow)).state == "rights_requested"  # the person's second
    assert (await stage.enter("four", event_time=tomorrow + 86_400)).state == "ineligible"
    assert (await stage.enter("five", "u2")).state == "rights_requested"  # the campaign's third
    full = await stage.enter("six", "u3")
    assert (full.state, full.evidence[-1].detail) == ("ineligible", "at most 3 in the campaign")
    stage.campaigns.change(caps=Caps(per_person=1, total=4))
    assert (await stage.enter("seven", "u3")).state == "rights_requested"  # what the full campaign gave back


async def test_caps_are_exact_however_often_and_in_whatever_order_decisions_come(stage: Any, rng: random.Random) -> None:
    stage.campaigns.change(caps=Caps(per_person=2, total=7))
    names = [(f"{person}-{number}", f"u{person}") for person in range(5) for number in range(4)]
    again = names * 3
    rng.shuffle(again)
    for name, author in again:
        await stage.enter(name, author)
    counting = [entry for entry in stage.entries.entries.values() if entry.state != "ineligible"]
    assert len(counting) == 7
    authors = [entry.capture.author for entry in counting]
    assert max(authors.count(author) for author in authors) <= 2
    assert len(stage.places.taken["b/summer"]) == 7


async def test_a_crash_between_any_two_writes_loses_nothing(stage: Any) -> None:
    """The entry is stored and the process dies; redelivered or swept, it goes on from there."""
    for name in ("redelivered", "swept"):
        await stage.entries.insert(captured(stage.capture(name), stage.now))
    stage.build()
    await stage.enter("redelivered")
    stage.clock.advance(61)
    await stage.sweep.once()
    assert stage.state("redelivered") == stage.state("swept") == "rights_requested"


async def test_a_deleted_object_is_out_whichever_comes_first(stage: Any) -> None:
    await stage.enter("first")
    await stage.delete("first")
    assert (stage.state("first"), stage.entry("first").evidence[-1].reason) == ("ineligible", "object_deleted")
    await stage.delete("second")
    assert (await stage.enter("second")).state == "ineligible"
    await stage.granted("third")
    await stage.delete("third")
    assert stage.state("third") == "revoked"


async def test_announcements_wait_for_the_log(stage: Any) -> None:
    await stage.enter("first")
    stage.heard.away = True
    with pytest.raises(Transient):
        await stage.teller.once()
    stage.heard.away = False
    stage.build()
    assert await stage.teller.once() == 3
