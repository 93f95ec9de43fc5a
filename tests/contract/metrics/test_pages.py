"""Pages in the store: a fact stays one whoever writes it, and a person can be taken out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from antiphon.erasures import Forgotten
from antiphon.errors import Transient
from antiphon.mongo import Database, connect
from antiphon.settings import MongoSettings
from metrics.adapters.facts import MongoFactStore
from metrics.adapters.forgetting import MongoForgetting
from metrics.adapters.http_people import MongoMeasures
from metrics.adapters.mongo import MongoHours
from metrics.adapters.people import Pseudonyms
from metrics.domain.facts import DecisionFact, DeliveryFact, EntryFact, EventFact, Fact, Said
from metrics.domain.periods import HOUR, Scope

pytestmark = pytest.mark.local

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Scope(frozenset({"acme"}), NOON, NOON + timedelta(days=1))
PSEUDONYMS = Pseudonyms(b"a key for tests")
ANN, BOB = (PSEUDONYMS.of("acme", "facebook", author) for author in ("ann", "bob"))
SHARED: dict[str, Any] = {"brand": "acme", "platform": "facebook", "channel": "main", "event_time": NOON}


@pytest.fixture
async def database(mongo_uri: str, unique_name: Callable[[str], str]) -> AsyncIterator[Database]:
    client, database = connect(MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=unique_name("pages")))
    yield database
    await client.drop_database(database.name)
    client.close()


@pytest.fixture
async def store(database: Database) -> MongoFactStore:
    store = MongoFactStore(database, timeout_ms=20_000)
    await store.prepare()
    return store


def event(identity: str) -> EventFact:
    return EventFact(event_id=identity, kind="comment", verb="create", echo=False, received_time=NOON, **SHARED)


def decision(identity: str, person: int | None, **changes: Any) -> DecisionFact:
    base: dict[str, Any] = {
        "kind": "comment", "verb": "create", "echo": False, "received_time": NOON, "decided_time": None,
        "outcome": "no_match", "reason": "none", "rules": (), "actions": (),
    }  # fmt: skip
    return DecisionFact(event_id=identity, said=Said(person=person, topics=("shoe",)), **(SHARED | base | changes))


def delivery(action: str, person: int | None) -> DeliveryFact:
    return DeliveryFact(
        action_id=action, sequence=1, event_id="e1", rule_id="thanks", kind="reply", mode="auto", state="posted", reason="none",
        received_time=NOON, delivered_time=NOON, person=person, **SHARED,
    )  # fmt: skip


def entry(identity: str, person: int | None) -> EntryFact:
    return EntryFact(
        entry_id=identity, sequence=1, campaign="spring", state="eligible", reason="none", person=person, flags=("bot",),
        terms_version=1, changed_time=NOON, **SHARED,
    )  # fmt: skip


async def recorded(store: MongoFactStore) -> list[Fact]:
    return sorted(await store.records(DAY), key=lambda fact: (type(fact).__name__, fact.fact_id))


async def test_workers_that_record_the_same_at_once_record_it_once(database: Database, store: MongoFactStore) -> None:
    workers = [store, MongoFactStore(database, timeout_ms=20_000)]
    batches = [[event(f"e{number}") for number in range(start, start + 40)] for start in range(0, 200, 20)]

    async def record(worker: MongoFactStore, batch: list[EventFact]) -> list[str]:
        while True:
            try:
                known = await worker.add(batch)
            except Transient:
                continue  # as the guard does
            return [fact.fact_id for fact in batch if fact.fact_id not in known]

    new = await asyncio.gather(*(record(worker, batch) for batch in batches for worker in workers))
    ids = Counter(f"e{number}" for number in range(220))
    assert Counter(fact.fact_id for fact in await recorded(store)) == ids
    assert Counter(one for ids in new for one in ids) == ids


async def test_a_forgotten_person_is_somebody_else_in_every_page_and_everything_else_stays(
    database: Database, store: MongoFactStore
) -> None:
    hours = MongoHours(database, timeout_ms=20_000)
    later: dict[str, Any] = {"event_time": NOON + 2 * HOUR}
    batches: list[Sequence[Fact]] = [
        [decision("d1", ANN), decision("d2", BOB), decision("d3", None), decision("d4", ANN), decision("d5", ANN, **later)],
        [delivery("a1", BOB), delivery("a2", ANN)],
        [entry("n1", ANN), entry("n2", BOB)],
        [decision("d6", BOB, event_time=NOON + HOUR)],
    ]
    for batch in batches:
        await store.add(batch)
    before = await recorded(store)
    measures = MongoMeasures(store, PSEUDONYMS)
    assert [one["id"] for one in await measures.of_person("acme", "facebook", "ann")] == ["d1", "d4", "d5", "a2/1", "n1/1"]

    person = Forgotten("acme", "p", "facebook", "ann", NOON)
    await MongoForgetting(database, PSEUDONYMS, store, hours).erase(person)

    after = await recorded(store)
    stand_ins = {whose(fact) for fact in after} - {BOB, None}
    assert len(stand_ins) == 1
    assert ANN not in stand_ins
    assert [with_person(fact, ANN) if whose(fact) in stand_ins else fact for fact in after] == before
    assert await hours.dirty(DAY) == {("acme", NOON), ("acme", NOON + 2 * HOUR)}
    assert await measures.of_person("acme", "facebook", "ann") == []
    assert len(await measures.of_person("acme", "facebook", "bob")) == 4


def whose(fact: Any) -> int | None:
    person: int | None = fact.said.person if isinstance(fact, DecisionFact) else fact.person
    return person


def with_person(fact: Any, person: int | None) -> Any:
    if isinstance(fact, DecisionFact):
        return replace(fact, said=replace(fact.said, person=person))
    return replace(fact, person=person)
