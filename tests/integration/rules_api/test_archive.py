"""The archive on the real store: what is written is found again, in order and once, however often it was written."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from antiphon import ids, mongo
from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.mongo import Database
from antiphon.persons import PersonIndex
from antiphon.settings import MongoSettings
from antiphon.testing import FakeClock
from antiphon.times import to_timestamp
from antiphon.topics import DECISIONS, EVENTS
from antiphon.v1 import decision_pb2, event_pb2
from rules.adapters.history import archive
from rules.adapters.history.archive import COLLECTION, ArchiveWriter
from rules.adapters.history.lanes import Stretch
from rules.adapters.history.packing import SETTLED_SECONDS, Packer
from rules.adapters.history.past import open_past
from rules.adapters.history.views import MongoHistory
from rules.domain.event import Understanding
from rules.history import Wanted

pytestmark = pytest.mark.local

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
"""Near the store's own clock, by which it deletes blocks that have expired."""
NOBODY_KNOWS = Understanding(language="xx")


@dataclass(slots=True)
class Shelf:
    """An archive of its own and the words to speak to it."""

    database: Database
    writer: ArchiveWriter
    history: MongoHistory
    counted: dict[str, int]

    async def put(self, *records: Record) -> None:
        await self.writer.append([archive.decode(record) for record in records])

    async def past(self, brand: str, since: datetime, until: datetime) -> list[Any]:
        stretch = Stretch(brand, since.timestamp(), until.timestamp())
        reader = await open_past(self.database[COLLECTION], stretch, lambda _: NOBODY_KNOWS)
        return [past for chunk in [chunk async for chunk in reader.chunks()] for past in chunk]


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(mongo_uri: str, unique_name: Callable[[str], str]) -> AsyncIterator[Shelf]:
    client, database = mongo.connect(MongoSettings(mongo_uri=mongo_uri, mongo_database=unique_name("archive")))
    counted: dict[str, int] = {}

    def count(topic: str, number: int) -> None:
        counted[topic] = counted.get(topic, 0) + number

    await archive.create_indexes(database)
    writer = ArchiveWriter(database, FakeClock(NOW), days=90, epoch=0, fill_seconds=0, archived=count)
    try:
        yield Shelf(database, writer, MongoHistory(database, PersonIndex(None)), counted)
    finally:
        await client.drop_database(database.name)
        client.close()


def happened(
    number: int, *, brand: str = "acme", author: str = "anna", partition: int = 0, offset: int | None = None, minutes: float = 0.0
) -> Record:
    """Return the record of a comment, received some minutes after `NOW - 1 day`."""
    received = NOW - timedelta(days=1) + timedelta(minutes=minutes)
    event = event_pb2.Event(
        event_id=ids.event_id("facebook", "page", str(number), "create", ""),
        brand=brand,
        platform=event_pb2.PLATFORM_FACEBOOK,
        kind=event_pb2.EVENT_KIND_COMMENT,
        verb=event_pb2.VERB_CREATE,
        object=str(number),
        author=event_pb2.Author(id=author),
        text=f"comment {number} ☺",
        event_time=to_timestamp(received - timedelta(seconds=2)),
        received_time=to_timestamp(received),
    )
    key = f"{brand}/{author}".encode()
    return Record(EVENTS, partition, number if offset is None else offset, key, event.SerializeToString())


def decided(event: Record, *, rule: str = "", reason: int = 0, language: str = "en", offset: int | None = None) -> Record:
    """Return the record of the decision on an event."""
    of = event_pb2.Event.FromString(event.value)
    rules = [decision_pb2.RuleOutcome(rule_id=rule, rule_version=1, reason=reason)] if rule else []
    outcome = (
        decision_pb2.OUTCOME_NO_MATCH if not rule else decision_pb2.OUTCOME_NOT_ACTED if reason else decision_pb2.OUTCOME_ACTED
    )
    decision = decision_pb2.Decision(
        event_id=of.event_id,
        brand=of.brand,
        platform=of.platform,
        kind=of.kind,
        verb=of.verb,
        object=of.object,
        author=of.author,
        event_time=of.event_time,
        received_time=of.received_time,
        decided_time=to_timestamp(NOW),
        outcome=outcome,
        rules=rules,
        language=language,
    )
    return Record(DECISIONS, event.partition, event.offset if offset is None else offset, event.key, decision.SerializeToString())


def texts(pasts: Sequence[Any]) -> list[str]:
    return [past.event.text for past in pasts]


async def test_one_event_is_found_with_its_decision(shelf: Shelf) -> None:
    events = [happened(number, minutes=number) for number in range(5)]
    await shelf.put(*events, *(decided(event, rule="price", reason=decision_pb2.REASON_LIMIT) for event in events))
    wanted = event_pb2.Event.FromString(events[3].value).event_id
    found = await shelf.history.find("acme", wanted)
    assert found is not None
    assert found.whole
    assert (found.decision.event.text, found.decision.rules[0].reason) == ("comment 3 ☺", "limit")
    assert found.decided_time == NOW.timestamp()
    assert await shelf.history.find("other", wanted) is None
    assert await shelf.history.find("acme", "0" * 64) is None
    assert await shelf.history.find("acme", "no hash") is None
    assert shelf.counted == {"events": 5, "decisions": 5}


async def test_a_decision_whose_event_is_not_there_is_shown_without_text(shelf: Shelf) -> None:
    await shelf.put(decided(happened(1)))
    found = await shelf.history.find("acme", event_pb2.Event.FromString(happened(1).value).event_id)
    assert found is not None
    assert (found.whole, found.decision.event.text, found.decision.event.author_id) == (False, "", "anna")


async def test_the_past_comes_in_the_order_of_each_partition_and_each_record_once(shelf: Shelf, rng: random.Random) -> None:
    records = [happened(n, author=f"a{n % 7}", partition=n % 3, minutes=n // 2 + rng.choice([0, 0, -3])) for n in range(240)]
    for _ in range(3):  # redelivered in other batches each time, as after a crash
        start = 0
        while start < len(records):
            end = start + rng.randrange(1, 60)
            await shelf.put(*records[start:end], *map(decided, records[start:end]))
            start = end
    pasts = await shelf.past("acme", NOW - timedelta(days=2), NOW)
    assert len(pasts) == len({past.event.event_id for past in pasts}) == 240
    for partition in range(3):
        mine = [int(past.event.object) for past in pasts if int(past.event.object) % 3 == partition]
        assert mine == sorted(mine)
    assert {past.understanding.language for past in pasts} == {"en"}
    assert texts(pasts) == texts(await shelf.past("acme", NOW - timedelta(days=2), NOW))
    received = [past.event.received_time for past in pasts]
    assert all(late >= early - 180 for early, late in pairwise(received))


async def test_a_stretch_is_cut_by_the_time_of_receipt(shelf: Shelf) -> None:
    records = [happened(n, minutes=n) for n in range(60)]
    await shelf.put(*records[:25])
    await shelf.put(*records[25:])
    begin = NOW - timedelta(days=1)
    found = await shelf.past("acme", begin + timedelta(minutes=20), begin + timedelta(minutes=30))
    assert [int(past.event.object) for past in found] == list(range(20, 30))
    assert {past.understanding for past in found} == {NOBODY_KNOWS}
    assert {past.verdict for past in found} == {None}


async def test_brands_never_meet(shelf: Shelf) -> None:
    mine, theirs = happened(1), happened(2, brand="rival")
    await shelf.put(mine, theirs, decided(mine), decided(theirs))
    assert texts(await shelf.past("acme", NOW - timedelta(days=2), NOW)) == ["comment 1 ☺"]
    listing = await shelf.history.newest("rival", Wanted(), None, 10)
    assert [found.decision.event.text for found in listing.items] == ["comment 2 ☺"]


async def test_pages_lead_through_everything_newest_first(shelf: Shelf, rng: random.Random) -> None:
    records = [happened(n, partition=n % 4, minutes=n) for n in range(90)]
    for start in range(0, 90, 30):
        batch = rng.sample(records[start : start + 30], 30)
        by_offset = sorted(batch, key=lambda record: record.offset)
        await shelf.put(*by_offset, *(decided(one, rule="price" if one.offset % 9 == 0 else "") for one in by_offset))
    seen, place = [], None
    while True:
        listing = await shelf.history.newest("acme", Wanted(), place, 7)
        seen += [int(found.decision.event.object) for found in listing.items]
        place = listing.next
        if place is None:
            break
    assert seen == list(range(89, -1, -1))
    hits = await shelf.history.newest("acme", Wanted(rule="price", outcome="acted"), None, 50)
    assert [int(found.decision.event.object) for found in hits.items] == list(range(81, -1, -9))
    assert hits.next is None
    begin = (NOW - timedelta(days=1)).timestamp()
    some = await shelf.history.newest("acme", Wanted(since=begin + 60 * 10, until=begin + 60 * 13), None, 50)
    assert [int(found.decision.event.object) for found in some.items] == [12, 11, 10]


async def test_filters_by_author_and_by_the_reason_of_a_rule(shelf: Shelf) -> None:
    first, second = happened(1, author="anna"), happened(2, author="bert")
    limited = decided(second, rule="price", reason=decision_pb2.REASON_LIMIT)
    await shelf.put(first, second, decided(first, rule="price"), limited)

    async def objects(**wanted: Any) -> list[str]:
        return [found.decision.event.object for found in (await shelf.history.newest("acme", Wanted(**wanted), None, 9)).items]

    assert await objects(author="bert") == ["2"]
    assert await objects(author="carl") == []
    assert await objects(reason="limit") == ["2"]
    assert await objects(rule="price", reason="limit") == ["2"]
    assert await objects(rule="other", reason="limit") == []
    assert await objects(outcome="acted") == ["1"]


async def test_followers_get_each_decision_once_and_miss_none(shelf: Shelf) -> None:
    early = happened(0)
    await shelf.put(early, decided(early))
    place = await shelf.history.end("acme", NOW.timestamp())
    assert (await shelf.history.grown("acme", Wanted(), place, 10)).items == []
    records = [happened(n, partition=n % 2) for n in range(1, 12)]
    await shelf.put(*records, *map(decided, records))
    await shelf.put(*records[:4], *map(decided, records[:4]))
    seen = []
    for _ in range(5):
        growth = await shelf.history.grown("acme", Wanted(), place, 4)
        seen += [int(found.decision.event.object) for found in growth.items]
        place = growth.next
    assert sorted(seen) == list(range(1, 12))


async def test_a_person_can_be_forgotten_and_stays_so(shelf: Shelf) -> None:
    records = [happened(n, author="anna" if n % 3 else "bert") for n in range(9)]
    await shelf.put(*records, *map(decided, records))
    berts = {event_pb2.Event.FromString(record.value).event_id for record in records[::3]}
    assert await archive.forget(shelf.database[COLLECTION], "acme", "bert") == berts
    await shelf.put(*records, *map(decided, records))  # a redelivery does not bring them back
    pasts = await shelf.past("acme", NOW - timedelta(days=2), NOW)
    assert [past.event.author_id for past in pasts] == ["anna"] * 6
    assert {past.understanding.language for past in pasts} == {"en"}
    assert await shelf.history.find("acme", event_pb2.Event.FromString(records[0].value).event_id) is None
    assert (await shelf.history.find("acme", event_pb2.Event.FromString(records[1].value).event_id)) is not None
    assert await archive.forget(shelf.database[COLLECTION], "acme", "bert") == set()


async def test_blocks_expire_after_their_records_were_received_long_enough_ago(shelf: Shelf) -> None:
    await shelf.put(happened(1))
    block = await shelf.database[COLLECTION].find_one({})
    assert block is not None
    assert block["expires"] == NOW - timedelta(days=1) + timedelta(days=90)
    information = await shelf.database[COLLECTION].index_information()
    assert any(index.get("expireAfterSeconds") == 0 for index in information.values())


async def test_topics_made_anew_do_not_look_like_redeliveries(shelf: Shelf) -> None:
    await shelf.put(happened(1, offset=5, minutes=1))
    later = ArchiveWriter(shelf.database, FakeClock(NOW), days=90, epoch=1, fill_seconds=0, archived=lambda _topic, _count: None)
    await later.append([archive.decode(happened(2, offset=0, minutes=2))])
    assert texts(await shelf.past("acme", NOW - timedelta(days=2), NOW)) == ["comment 1 ☺", "comment 2 ☺"]


def test_what_nobody_could_find_again_is_refused() -> None:
    good = happened(1)
    for broken, reason in (
        (Record(EVENTS, 0, 1, good.key, b"\xff\xff"), "undecodable"),
        (Record(EVENTS, 0, 1, good.key, b""), "incomplete"),
        (Record(EVENTS, 0, 1, None, good.value), "no_key"),
        (Record(DECISIONS, 0, 1, good.key, bytes(archive.MAX_BYTES + 1)), "too_large"),
    ):
        with pytest.raises(Invalid) as raised:
            archive.decode(broken)
        assert raised.value.reason == reason
        assert reason in archive.INVALID_REASONS


async def test_an_event_that_comes_twice_in_one_block_has_its_decision_both_times(shelf: Shelf) -> None:
    first, again = happened(1, offset=1), happened(1, offset=2)
    await shelf.put(first, again)
    await shelf.put(decided(first, offset=1))
    await shelf.put(decided(again, offset=2))
    pasts = await shelf.past("acme", NOW - timedelta(days=2), NOW)
    assert [past.understanding.language for past in pasts] == ["en", "en"]


async def test_decisions_that_were_made_twice_find_their_events(shelf: Shelf) -> None:
    events = [happened(n, minutes=n) for n in range(100)]
    await shelf.put(*events[:50])
    await shelf.put(*events[50:])
    made = [*events[:60], *events[:100]]  # the engine was killed before it had committed
    for start in range(0, len(made), 23):
        batch = made[start : start + 23]
        await shelf.put(*(decided(event, offset=start + place) for place, event in enumerate(batch)))
    pasts = await shelf.past("acme", NOW - timedelta(days=2), NOW)
    assert [int(past.event.object) for past in pasts] == list(range(100))
    assert {past.understanding.language for past in pasts} == {"en"}


async def test_small_blocks_become_large_and_say_the_same(shelf: Shelf, rng: random.Random) -> None:
    records = [happened(n, partition=n % 2, minutes=n / 4) for n in range(120)]
    start = 0
    while start < 120:
        end = start + rng.randrange(1, 5)
        await shelf.put(*records[start:end], *map(decided, records[start:end]))
        if rng.random() < 0.2:  # redelivered
            await shelf.put(*records[max(0, start - 3) : end])
        start = end
    before = await shelf.past("acme", NOW - timedelta(days=2), NOW)
    listed = await shelf.history.newest("acme", Wanted(), None, 50)
    blocks = await shelf.database[COLLECTION].count_documents({})
    clock = FakeClock(NOW)
    packer = Packer(shelf.database, clock)
    assert await packer.round() == 0, "what has just been written rests"
    clock.advance(SETTLED_SECONDS + 1)
    gone = await packer.round()
    assert gone > 0
    assert await shelf.database[COLLECTION].count_documents({}) < blocks / 4
    assert await packer.round() == 0
    assert await shelf.past("acme", NOW - timedelta(days=2), NOW) == before
    assert len(before) == 120
    assert await shelf.history.newest("acme", Wanted(), None, 50) == listed
    assert len(await archive.forget(shelf.database[COLLECTION], "acme", "anna")) == 120
    assert await shelf.past("acme", NOW - timedelta(days=2), NOW) == []


async def test_a_block_that_is_not_packed_is_not_hidden_by_its_neighbours(shelf: Shelf) -> None:
    records = [happened(n, minutes=n / 60) for n in range(1200)]
    for n in range(20):
        await shelf.put(records[n])
    await shelf.put(*records[20:1120])  # too large to be worth it
    for n in range(1120, 1140):
        await shelf.put(records[n])
    clock = FakeClock(NOW)
    clock.advance(SETTLED_SECONDS + 1)
    assert await Packer(shelf.database, clock).round() == 40
    assert await shelf.database[COLLECTION].count_documents({}) == 3
    await shelf.database[COLLECTION].update_many({"last": {"$lt": 20}}, {"$set": {"stored": 0.0}})
    pasts = await shelf.past("acme", NOW - timedelta(days=2), NOW)
    assert [int(past.event.object) for past in pasts] == list(range(1140))


async def test_a_reader_goes_on_when_blocks_are_packed_under_its_hands(shelf: Shelf) -> None:
    records = [happened(n, minutes=n / 4) for n in range(60)]
    for record in records:
        await shelf.put(record)
    stretch = Stretch("acme", 0.0, NOW.timestamp())
    reader = await open_past(shelf.database[COLLECTION], stretch, lambda _: NOBODY_KNOWS)
    clock = FakeClock(NOW)
    clock.advance(SETTLED_SECONDS + 1)
    found: list[str] = []
    async for chunk in reader.chunks():
        if not found:
            assert await Packer(shelf.database, clock).round() == 60
        found += [past.event.object for past in chunk]
    assert [int(name) for name in found] == list(range(60))
