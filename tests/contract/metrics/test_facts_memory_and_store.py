"""One body for the fake and the store: whatever is recorded, in any order, both count the same."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from antiphon.mongo import connect
from antiphon.settings import MongoSettings
from antiphon.testing import FakeClock
from metrics.adapters.facts import MongoFactStore
from metrics.adapters.mongo import MongoHours
from metrics.adapters.pages import PAGE_MOST
from metrics.adapters.trees import MongoTrees
from metrics.building import BuildService
from metrics.domain.facts import ActionFact, DecisionFact, DeliveryFact, EventFact, Fact, RuleFact
from metrics.domain.fold import epoch_ms
from metrics.domain.periods import Scope, floor
from metrics.domain.reports.summary import PARTS, Summary, summarize
from metrics.reading import Reader
from metrics.testing import MemoryFacts, MemoryHours, MemoryTrees

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Scope(frozenset({"acme"}), NOON, NOON + timedelta(days=1))
SEED = 20260302


class Kept:
    """Facts with their hours: what is recorded is marked first, as the service does."""

    def __init__(self, facts: Any, hours: Any, trees: Any) -> None:
        self._facts, self.hours = facts, hours
        self.reader = Reader(facts=facts, hours=hours)
        self.builder = BuildService(facts=facts, hours=hours, trees=trees, clock=FakeClock(), settle_s=0.001)
        self._marks = 0

    async def add(self, facts: Sequence[Fact]) -> set[str]:
        self._marks += 1
        await self.hours.raise_marks({(fact.brand, floor(fact.event_time)) for fact in facts}, f"token {self._marks}")
        found: set[str] = await self._facts.add(facts)
        return found

    async def build_all(self) -> None:
        for mark in await self.hours.marks():
            await self.builder.build(mark)
        assert await self.hours.marks() == []


def in_memory() -> Kept:
    return Kept(MemoryFacts(), MemoryHours(), MemoryTrees())


Pair = tuple[Any, Any]
"""What takes facts, and what is counted over: the same one."""


@pytest.fixture(params=["memory", "mongo"])
async def facts(request: pytest.FixtureRequest, unique_name: Callable[[str], str]) -> AsyncIterator[Pair]:
    if request.param == "memory":
        memory = in_memory()
        yield memory, memory
        return
    settings = MongoSettings(mongo_uri=SecretStr(request.getfixturevalue("mongo_uri")), mongo_database=unique_name("facts"))
    client, database = connect(settings)
    store, hours = MongoFactStore(database, timeout_ms=20_000), MongoHours(database, timeout_ms=20_000)
    await store.prepare()
    await hours.prepare()
    kept = Kept(store, hours, MongoTrees(database))
    yield kept, kept
    await client.drop_database(database.name)
    client.close()


def event(identity: str, **changes: Any) -> EventFact:
    base: dict[str, Any] = {
        "brand": "acme",
        "platform": "facebook",
        "channel": "main",
        "kind": "comment",
        "verb": "create",
        "echo": False,
        "event_time": NOON,
        "received_time": NOON,
    }
    return EventFact(event_id=identity, **(base | changes))


def decision(identity: str, **changes: Any) -> DecisionFact:
    base: dict[str, Any] = {
        "brand": "acme",
        "platform": "facebook",
        "channel": "main",
        "kind": "comment",
        "verb": "create",
        "echo": False,
        "event_time": NOON,
        "received_time": NOON,
        "decided_time": NOON + timedelta(milliseconds=30),
        "outcome": "no_match",
        "reason": "none",
        "rules": (),
        "actions": (),
    }
    return DecisionFact(event_id=identity, **(base | changes))


def delivery(action: str, sequence: int, **changes: Any) -> DeliveryFact:
    base: dict[str, Any] = {
        "event_id": f"event of {action}",
        "brand": "acme",
        "platform": "facebook",
        "channel": "main",
        "rule_id": "thanks",
        "kind": "reply",
        "mode": "auto",
        "state": "posted",
        "reason": "none",
        "event_time": NOON,
        "received_time": NOON,
        "delivered_time": NOON + timedelta(seconds=1),
    }
    return DeliveryFact(action_id=action, sequence=sequence, **(base | changes))


async def summary(counts: Kept, scope: Scope = DAY, *, at: datetime = NOON + timedelta(hours=1)) -> Summary:
    """From records first and from buckets then: both say the same."""
    live = await read(counts, scope, at)
    await counts.build_all()
    assert await read(counts, scope, at) == live
    return live


async def read(counts: Kept, scope: Scope, at: datetime) -> Summary:
    pieces = await counts.reader.pieces(scope, [], PARTS)
    return summarize([piece.hour for piece in pieces], received_before_ms=epoch_ms(at))


async def test_nothing_recorded_gives_zeros_and_no_shares(facts: Pair) -> None:
    found = await summary(facts[1])
    assert (found.events.total, found.decisions.total, found.deliveries.total, found.lost) == (0, 0, 0, 0)
    assert (found.response.rate, found.automation.share, found.latency_ms.platform_to_posted.p50) == (None, None, None)


async def test_what_is_there_already_is_named_and_never_changed(facts: Pair) -> None:
    store, counts = facts
    assert await store.add([decision("e1", outcome="acted")]) == set()
    assert await store.add([decision("e1", outcome="no_match"), decision("e2")]) == {"e1"}
    assert (await summary(counts)).decisions.by_outcome == {"acted": 1, "no_match": 1}


async def test_what_is_new_beside_what_is_known_is_recorded_and_told_apart(facts: Pair) -> None:
    store, counts = facts
    later = NOON + timedelta(hours=3)
    assert await store.add([event("e1"), event("e2"), event("e3", event_time=later), event("e4", brand="other")]) == set()
    batch = [event("e0"), event("e2"), event("e3", event_time=later), event("e5", event_time=later), event("e6", brand="other")]
    assert await store.add(batch) == {"e2", "e3"}
    assert await store.add(batch) == {fact.fact_id for fact in batch}
    assert (await summary(counts, Scope(None, DAY.start, DAY.end))).events.total == 7


async def test_a_fact_told_again_with_another_time_stays_in_its_first_hour(facts: Pair) -> None:
    store, counts = facts
    assert await store.add([event("e1")]) == set()
    assert await store.add([event("e1", event_time=NOON + timedelta(hours=5)), event("e2")]) == {"e1"}
    assert (await summary(counts)).events.total == 2
    assert (await summary(counts, Scope(DAY.brands, NOON + timedelta(hours=1), DAY.end))).events.total == 0


async def test_a_batch_of_more_facts_than_a_page_holds_is_recorded_whole(facts: Pair) -> None:
    store, counts = facts
    many = [event(f"e{number}") for number in range(2 * PAGE_MOST + 1)]
    assert await store.add(many) == set()
    assert await store.add(many[PAGE_MOST - 1 : PAGE_MOST + 1]) == {f"e{PAGE_MOST - 1}", f"e{PAGE_MOST}"}
    assert (await summary(counts)).events.total == len(many)


async def test_a_period_takes_its_first_moment_and_leaves_its_last_and_other_brands(facts: Pair) -> None:
    store, counts = facts
    inside = [event("first", event_time=DAY.start), event("last", event_time=DAY.end - timedelta(milliseconds=1))]
    outside = [event("before", event_time=DAY.start - timedelta(milliseconds=1)), event("after", event_time=DAY.end)]
    await store.add([*inside, *outside, event("foreign", brand="other")])
    assert (await summary(counts)).events.total == 2
    assert (await summary(counts, Scope(None, DAY.start, DAY.end))).events.total == 3
    assert (await summary(counts, Scope(frozenset({"acme", "other"}), DAY.start, DAY.end))).events.total == 3
    assert (await summary(counts, Scope(frozenset(), DAY.start, DAY.end))).events.total == 0


async def test_an_action_counts_once_with_its_latest_state_whatever_came_last(facts: Pair) -> None:
    store, counts = facts
    await store.add(
        [
            delivery("a1", 10, state="posted", delivered_time=NOON + timedelta(seconds=9)),
            delivery("a1", 9, state="parked", reason="unknown_outcome"),
            delivery("a2", 1, state="waiting_approval", mode="approval"),
            delivery("a3", 1, state="parked", reason="unknown_outcome"),
            delivery("a4", 1, state="failed", reason="permission"),
        ]
    )
    found = await summary(counts)
    assert found.deliveries.by_state == {"failed": 1, "parked": 1, "posted": 1, "waiting_approval": 1}
    assert found.deliveries.reasons_by_state["failed"] == {"permission": 1}
    assert (found.deliveries.total, found.parked, found.waiting) == (4, 1, 1)
    assert found.latency_ms.platform_to_posted.p99 == 9_000


async def test_answers_and_automation_follow_their_definitions(facts: Pair) -> None:
    store, counts = facts
    await store.add([event("e1"), event("e2"), event("e3", kind="reaction"), event("e4", echo=True), event("e5", verb="edit")])
    await store.add(
        [
            delivery("a1", 1, event_id="e1"),
            delivery("a2", 1, event_id="e1", kind="private_reply"),
            delivery("a3", 1, event_id="e2", kind="tag"),
            delivery("a4", 1, event_id="e2", kind="hide", state="waiting_approval"),
            delivery("a4", 2, event_id="e2", kind="hide", state="posted"),
        ]
    )
    found = await summary(counts)
    assert (found.response.answerable, found.response.answered, found.response.rate) == (2, 1, 0.5)
    assert (found.automation.auto, found.automation.approved) == (2, 1)
    assert found.latency_ms.platform_to_posted.count == 3


async def test_lost_is_an_event_without_decision_for_longer_than_the_grace(facts: Pair) -> None:
    store, counts = facts
    await store.add([event("decided"), event("lost"), event("young", received_time=NOON + timedelta(hours=1))])
    await store.add([decision("decided")])
    assert (await summary(counts, at=NOON + timedelta(hours=1))).lost == 1
    assert (await summary(counts, at=NOON + timedelta(hours=2))).lost == 2


async def test_a_thousand_shuffled_repeated_facts_give_the_oracles_report(facts: Pair) -> None:
    store, counts = facts
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    oracle = in_memory()
    for group in (a_life(dice, kind) for kind in (random_event, random_decision, random_delivery)):
        for fact in group:
            await oracle.add([fact])
        repeated = group + dice.sample(group, len(group) // 3)
        # The first decision on an event stays, so that only repeats of the same content may be shuffled.
        dice.shuffle(repeated)
        for start in range(0, len(repeated), 50):
            batch = list({fact.fact_id: fact for fact in repeated[start : start + 50]}.values())
            await store.add(batch)
    assert await summary(counts) == await summary(oracle)
    assert (await summary(counts)).events.total > 100


def a_life(dice: random.Random, make: Callable[[random.Random, int], Fact]) -> list[Fact]:
    return [make(dice, number) for number in range(350)]


def random_moment(dice: random.Random) -> datetime:
    return NOON + timedelta(seconds=dice.randrange(-20_000, 100_000))


def random_event(dice: random.Random, number: int) -> Fact:
    return event(
        f"e{number}",
        platform=dice.choice(["facebook", "instagram"]),
        kind=dice.choice(["comment", "reply", "message", "reaction"]),
        verb=dice.choice(["create", "edit", "delete"]),
        echo=dice.random() < 0.1,
        event_time=random_moment(dice),
        brand=dice.choice(["acme", "acme", "other"]),
    )


def random_decision(dice: random.Random, number: int) -> Fact:
    reasons = ["acted", "limit", "schedule", "stopped"]
    return decision(
        f"e{number + 40}",
        outcome=dice.choice(["acted", "no_match", "not_acted"]),
        event_time=random_moment(dice),
        decided_time=dice.choice([None, NOON + timedelta(milliseconds=dice.randrange(500))]),
        rules=tuple(RuleFact(f"r{dice.randrange(5)}", dice.choice(reasons)) for _ in range(dice.randrange(4))),
        actions=tuple(
            ActionFact(dice.choice(["reply", "hide"]), dice.choice(["auto", "shadow"])) for _ in range(dice.randrange(3))
        ),
    )


def random_delivery(dice: random.Random, number: int) -> Fact:
    # All changes of one action carry the time of the one event that it is about.
    action = number // 3
    return delivery(
        f"a{action}",
        number % 3 + 1,
        event_id=f"e{action // 2}",
        kind=["reply", "hide", "tag"][action % 3],
        mode=["auto", "approval"][action % 2],
        state=dice.choice(["posted", "parked", "failed", "waiting_approval"]),
        event_time=NOON + timedelta(seconds=action * 700 - 1_000),
        delivered_time=NOON + timedelta(seconds=action * 700, milliseconds=dice.randrange(90_000)),
    )
