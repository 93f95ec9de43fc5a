"""One body of promises, held by the fake ledger and by the real one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from antiphon.clock import SystemClock
from antiphon.errors import Invalid
from antiphon.mongo import connect
from antiphon.settings import MongoSettings
from publisher.adapters.memory import MemoryLedger, MemoryLimits, MemoryThreads
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.adapters.mongo_threads import MongoLimits, MongoThreads
from publisher.domain.admission import Edit, Facts, Handoff
from publisher.domain.changes import Accepted, Approve, AskApproval, Change, Claim, Lost, Shadow, Suppress, Timing, Unseen
from publisher.domain.limits import Consumed
from publisher.domain.machine import fresh, step
from publisher.domain.model import Entry, Kind, Mode, Order, Reason, State, Told, told_of
from publisher.ports import Filter, Ledger, Limits, Observation, Saving, Threads

NOW = 1_800_000_000.0
TIMING = Timing()


def entry(name: str, target: str = "t", kind: Kind = Kind.REPLY, brand: str = "b", **more: Any) -> Entry:
    order = Order(
        action_id=name, event_id="e" + name, brand=brand, platform="facebook", account="p", channel="main", target=target,
        parent="", root="r", author="u", event_kind="comment", verb="create", rule_id=more.pop("rule", "rule"), rule_version=1,
        kind=kind, mode=Mode.AUTO, not_before=0.0, expires=NOW + 3600, event_time=NOW, received_time=NOW,
    )  # fmt: skip
    return Entry(replace(order, **more), fresh(order, "hello", NOW))


def after(before: Entry, change: Change, now: float = NOW) -> Entry:
    moved = step(before.position, change, now, TIMING)
    assert moved is not None
    return Entry(before.order, moved)


async def move(ledger: Ledger, before: Entry, *changes: Change) -> Entry:
    for change in changes:
        moved = after(before, change)
        assert list(await ledger.save([Saving(before, moved)])) == [True]
        before = moved
    return before


Stores = tuple[Ledger, Threads, Limits]


async def left(stores: Stores, before: float = NOW + 60) -> list[Told]:
    """What another process finds that this one has not confirmed."""
    ledger = stores[0]
    other: Ledger = ledger if isinstance(ledger, MemoryLedger) else MongoLedger(ledger.database)  # type: ignore[attr-defined]
    return sorted(await other.left_behind(before), key=lambda told: told.sequence)


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.local)])
async def stores(request: pytest.FixtureRequest, unique_name: Callable[[str], str]) -> AsyncIterator[Stores]:
    if request.param == "memory":
        yield MemoryLedger(), MemoryThreads(), MemoryLimits()
        return
    settings = MongoSettings(mongo_uri=SecretStr(request.getfixturevalue("mongo_uri")), mongo_database=unique_name("ledger"))
    client, database = connect(settings)
    ledger, threads = MongoLedger(database), MongoThreads(database, SystemClock())
    await ledger.prepare()
    await threads.prepare()
    yield ledger, threads, MongoLimits(database)
    client.close()


async def test_a_redelivered_action_is_known_and_keeps_its_state(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("a1")
    assert list((await ledger.insert([first], 0)).new) == [first]
    sending = await move(ledger, first, Claim("w"))
    again = await ledger.insert([first, entry("a2", "t2")], 0)
    assert [one.order.action_id for one in again.new] == ["a2"]
    assert list(again.known) == [sending]
    assert list(again.taken) == []


async def test_a_target_has_one_slot_a_kind(stores: Stores) -> None:
    ledger, _, _ = stores
    one, two, hide, other = entry("s1"), entry("s2"), entry("s3", kind=Kind.HIDE), entry("s4", brand="b2")
    inserted = await ledger.insert([one, two, hide, other], 0)
    assert list(inserted.taken) == [two]
    loser = after(two, Suppress(Reason.TARGET_TAKEN))
    assert list((await ledger.insert([loser], 0)).new) == [loser]
    await move(ledger, one, Suppress(Reason.STALE))
    third = entry("s5")
    assert list((await ledger.insert([third], 0)).new) == [third]


async def test_of_two_who_claim_one_wins(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("c1")
    await ledger.insert([first], 0)
    claims = [Saving(first, after(first, Claim(f"w{n}"))) for n in range(8)]
    results = [result[0] for result in await asyncio.gather(*(ledger.save([claim]) for claim in claims))]
    assert results.count(True) == 1
    stored = (await ledger.get(["c1"]))[0]
    assert stored == claims[results.index(True)].after


async def test_many_are_saved_each_for_itself(stores: Stores) -> None:
    ledger, _, _ = stores
    entries = [entry(f"m{n}", f"t{n}") for n in range(20)]
    await ledger.insert(entries, 0)
    await move(ledger, entries[7], Suppress(Reason.STALE))
    results = list(await ledger.save([Saving(one, after(one, Claim("w"))) for one in entries]))
    assert results == [n != 7 for n in range(20)]


async def test_a_slot_is_not_taken_back_when_somebody_else_has_it(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("r1")
    await ledger.insert([first], 0)
    suppressed = await move(ledger, first, Suppress(Reason.NO_CHANNEL))
    await ledger.insert([entry("r2")], 0)
    again = Entry(first.order, replace(suppressed.position, state=State.NEW, revision=suppressed.position.revision + 1))
    with pytest.raises(Invalid) as error:
        await ledger.save([Saving(suppressed, again)])
    assert error.value.reason == "slot_taken"


async def test_announcements_wait_until_they_are_confirmed(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("o1")
    await ledger.insert([first], 0)
    assert await left(stores) == []
    posted = await move(ledger, first, Claim("w"), Accepted(1, "id"))
    assert await left(stores) == [told_of(posted)]
    assert await left(stores, NOW - 1) == []
    await ledger.clear([told_of(posted)])
    assert await left(stores) == []
    assert list(await ledger.due(NOW + 1e6, 10)) == []


async def test_entries_that_are_at_rest_from_the_start_are_announced_too(stores: Stores) -> None:
    ledger, _, _ = stores
    shadowed, waiting = after(entry("w1"), Shadow()), entry("w2", "t2")
    await ledger.insert([shadowed, waiting], 0)
    assert await left(stores) == [told_of(shadowed)]
    again = await ledger.insert([shadowed], 0)
    assert list(again.known) == [shadowed]
    await ledger.clear([told_of(shadowed)])
    assert await left(stores) == []


async def test_a_state_that_was_overwritten_is_announced_as_well(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("o2")
    await ledger.insert([first], 0)
    parked = await move(ledger, first, Claim("w"), Lost(1), Unseen())
    posted = await move(ledger, parked, Accepted(1, "id"))
    assert await left(stores) == [told_of(parked), told_of(posted)]
    await ledger.clear([told_of(parked)])
    assert (await left(stores))[-1] == told_of(posted)
    await ledger.clear([told_of(posted)])
    assert await left(stores) == []


async def test_a_save_that_lost_its_race_leaves_nothing_to_announce(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("o3")
    await ledger.insert([first], 0)
    asked = await move(ledger, first, AskApproval())
    assert list(await ledger.save([Saving(first, after(first, Shadow()))])) == [False]
    approved = await move(ledger, asked, Approve("key"))
    await ledger.clear([told_of(asked)])
    assert list(await ledger.due(NOW + 1, 10)) == [approved]
    assert await left(stores) == []


async def test_history_tells_the_states_in_order(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("h1")
    await ledger.insert([first], 0)
    await move(ledger, first, AskApproval(), Approve("key-1", "better"), Claim("w"), Lost(1), Unseen(), Accepted(1, "id"))
    lines = await ledger.history("h1")
    told = [(line.state, line.actor) for line in lines if line.state not in {"new", "sending"}]
    assert told == [("waiting_approval", ""), ("unknown", "key-1"), ("parked", "key-1"), ("posted", "key-1")]


async def test_an_adopted_entry_is_left_alone_for_a_while(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("d1")
    await ledger.insert([first], 30.0)
    assert list(await ledger.due(NOW + 1, 10)) == []
    assert list(await ledger.due(NOW + 31, 10)) == [first]
    await ledger.postpone([first], NOW + 100)
    assert list(await ledger.due(NOW + 31, 10)) == []
    sending = await move(ledger, first, Claim("w"))
    await ledger.postpone([first], NOW + 1e6)  # about a revision that is gone
    assert list(await ledger.due(NOW + 20, 10)) == [sending]


async def test_browsing_goes_page_by_page_inside_one_brand(stores: Stores) -> None:
    ledger, _, _ = stores
    mine = [entry(f"p{n}", f"t{n}", rule="even" if n % 2 == 0 else "odd") for n in range(5)]
    await ledger.insert([*mine, entry("p9", brand="foreign")], 0)
    first = await ledger.browse("b", Filter(), after="", limit=3)
    second = await ledger.browse("b", Filter(), after=first.next or "", limit=3)
    assert [one.order.action_id for one in (*first.entries, *second.entries)] == ["p0", "p1", "p2", "p3", "p4"]
    assert (first.next, second.next) == ("p2", None)
    await ledger.insert([entry("p5", kind=Kind.LIKE, platform="instagram", rule="odd")], 0)
    for wanted, names in (
        (Filter(state=State.NEW, rule_id="odd", kind=Kind.REPLY), ["p1", "p3"]),
        (Filter(kind=Kind.LIKE), ["p5"]),
        (Filter(platform="instagram"), ["p5"]),
        (Filter(state=State.POSTED), []),
        (Filter(rule_id="none"), []),
    ):
        found = await ledger.browse("b", wanted, after="", limit=9)
        assert [one.order.action_id for one in found.entries] == names, wanted
    assert await ledger.count("b", State.NEW) == {"facebook": 5, "instagram": 1}
    assert {one.order.action_id for one in await ledger.on_target("b", "facebook", "t2")} == {"p2"}
    assert list(await ledger.in_states("b", [State.PARKED], 9)) == []


async def test_entries_in_a_state_are_counted_by_platform(stores: Stores) -> None:
    ledger, _, _ = stores
    waiting = [entry("a1"), entry("a2", target="t2"), entry("a3", target="t3", platform="instagram")]
    others = [entry("a4", target="t4"), entry("a5", target="t5", brand="other")]
    await ledger.insert([*waiting, *others], 0)
    for one in (*waiting, others[1]):
        await move(ledger, one, AskApproval())
    assert await ledger.count("b", State.WAITING_APPROVAL) == {"facebook": 2, "instagram": 1}
    assert await ledger.count("b", State.PARKED) == {}


async def test_threads_remember_the_newest_whatever_the_order(stores: Stores) -> None:
    _, threads, _ = stores
    early, late = Edit(NOW, NOW + 1, "e1"), Edit(NOW, NOW + 2, "e2")
    seen = [Observation("b", "facebook", "x", edit=edit) for edit in (late, early, late)]
    await threads.record([*seen, Observation("b", "facebook", "x", human_at=NOW + 5)])
    await threads.record([Observation("b", "facebook", "x", human_at=NOW), Observation("b", "facebook", "y", deleted_at=NOW)])
    found = await threads.facts("b", "facebook", ["x", "y", "z"])
    assert found == {"x": Facts(False, late, NOW + 5), "y": Facts(True, None, None)}
    assert await threads.facts("other", "facebook", ["x"]) == {}


async def test_limits_are_replaced_by_compare_and_set(stores: Stores) -> None:
    _, _, limits = stores
    assert await limits.read("b/rule/x") == Consumed()
    tries = [limits.write("b/rule/x", Consumed(0, {f"e{n}": NOW})) for n in range(4)]
    assert sorted(await asyncio.gather(*tries)) == [False, False, False, True]
    stored = await limits.read("b/rule/x")
    assert stored.revision == 1
    assert await limits.write("b/rule/x", Consumed(1, {**stored.events, "more": NOW}))
    assert not await limits.write("b/rule/x", Consumed(1, {}))
    assert set((await limits.read("b/rule/x")).events) == {*stored.events, "more"}
    held = Consumed(2, {"more": NOW}, {"more": {"a1": 3, "a2": 0}})
    assert await limits.write("b/rule/x", held)
    assert await limits.read("b/rule/x") == replace(held, revision=3)


async def test_threads_keep_the_newest_handoffs_each_once(stores: Stores) -> None:
    _, threads, _ = stores
    one, two, three = (Handoff(NOW + n, f"e{n}") for n in (1, 2, 3))
    for handoff in (two, one, two, two, three, one, three):
        await threads.record([Observation("b", "facebook", "x", handoff=handoff)])
    await threads.record([Observation("b", "facebook", "x", human_at=NOW)])
    assert (await threads.facts("b", "facebook", ["x"]))["x"] == Facts(human_at=NOW, handoffs=(three, two))


async def test_an_effect_is_found_by_its_id_on_the_platform(stores: Stores) -> None:
    ledger, _, _ = stores
    first = entry("f1")
    await ledger.insert([first, entry("f2", "t2")], 0)
    await move(ledger, first, Claim("w"), Accepted(1, "id-1"))
    assert await ledger.posted_as("b", "facebook", "id-1")
    assert not await ledger.posted_as("b", "facebook", "id-2")
    assert not await ledger.posted_as("b", "instagram", "id-1")
    assert not await ledger.posted_as("other", "facebook", "id-1")
