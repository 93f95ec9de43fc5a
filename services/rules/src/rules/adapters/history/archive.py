"""The archive of events and decisions: what was read from the topics, kept in blocks for back-tests and explanations.

A block holds all records of one brand between two offsets of one partition, so that readers put blocks in order and
drop what was read twice by offsets alone. Blocks are found by brand, time and offset; decisions also by their event.
"""

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.message import DecodeError

from antiphon import mongo
from antiphon.clock import Clock
from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.mongo import Collection, Database, Document, PyMongoError, insert_new
from antiphon.topics import DECISIONS
from antiphon.topics import EVENTS as EVENTS_TOPIC
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.event_pb2 import Event
from rules.adapters.codec import seconds
from rules.adapters.history.blocks import Raw, pack, unpack, without
from rules.adapters.history.recorded import verdict_of

COLLECTION: Final = "history"

EVENTS: Final = "events"
DECIDED: Final = "decisions"

MAX_RECORDS = 5_000
MAX_BYTES = 4 * 2**20
"""Of the records in a block before compression: a document must stay below 16 MB, and a reader holds some blocks of each lane."""

INVALID_REASONS: Final = ("undecodable", "incomplete", "no_key", "too_large")
"""Every reason for which a record is refused here."""


@dataclass(frozen=True, slots=True)
class Item:
    """A record on its way into the archive: where it belongs, and what it is found by."""

    brand: str
    topic: str
    partition: int
    raw: Raw
    received_time: float
    event_id: bytes
    words: tuple[tuple[str, str], ...] = ()
    """What a decision is looked for by: (field of the block, value)."""


def decode(record: Record) -> Item:
    """Return a record of either topic as an item. Raises Invalid."""
    if record.key is None:
        raise Invalid("no_key", "a record of the archive needs its key brand/author")
    if len(record.value) > MAX_BYTES:
        raise Invalid("too_large", f"larger than a block may be ({MAX_BYTES} bytes)")
    decided = record.topic == DECISIONS
    try:
        message = Decision.FromString(record.value) if decided else Event.FromString(record.value)
    except DecodeError as error:
        raise Invalid("undecodable", str(error)) from error
    if not message.event_id or not message.brand:
        raise Invalid("incomplete", "without event_id and brand nobody finds it again")
    return Item(
        message.brand,
        DECIDED if decided else EVENTS,
        record.partition,
        Raw(record.offset, record.key, record.value),
        seconds(message.received_time),
        id_of(message.event_id),
        tuple(_words(message)) if isinstance(message, Decision) else (),
    )


def _words(message: Decision) -> Iterator[tuple[str, str]]:
    verdict = verdict_of(message)
    yield "outcomes", str(verdict.outcome)
    for rule_id, _, reason in verdict.rules:
        yield "rules", rule_id
        yield "reasons", str(reason)
    yield "reasons", str(verdict.reason)


def id_of(event_id: str) -> bytes:
    """Return the 16 bytes that an event is found by: half of its id where that is a hash, else a hash of it."""
    try:
        return bytes.fromhex(event_id[:32]).ljust(16, b"\0") if len(event_id) >= 32 else _hashed(event_id.encode(), 16)
    except ValueError:
        return _hashed(event_id.encode(), 16)


def author_of(key: bytes) -> bytes:
    """Return the 8 bytes that blocks with records of a key (`brand/author`) are found by."""
    return _hashed(key, 8)


def _hashed(data: bytes, size: int) -> bytes:
    return hashlib.sha256(data).digest()[:size]


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn failures of the store that may pass into Transient."""
    try:
        yield
    except PyMongoError as error:
        if mongo.is_transient(error):
            raise mongo.transient(error) from error
        raise


async def create_indexes(database: Database) -> None:
    """Create what the archive is searched by; does nothing the second time. Raises Transient."""
    collection = database[COLLECTION]
    with store_errors():
        await collection.create_index("expires", expireAfterSeconds=0)
        await collection.create_index([("brand", 1), ("topic", 1), ("lane", 1), ("last", 1)])
        await collection.create_index([("brand", 1), ("topic", 1), ("until_time", -1)])
        await collection.create_index("stored")
        await collection.create_index("decided", sparse=True)  # one entry a decision: this costs more than all the rest


class ArchiveWriter:
    """Writes batches as blocks. Repeating a batch adds nothing.

    `days`: how long a record is kept after it was received. `epoch`: raised when topics were made anew and offsets begin again.
    `fill_seconds`: the least time between two writes, in which the next batch fills. `archived`: told what is durable.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        days: int,
        epoch: int,
        fill_seconds: float,
        archived: Callable[[str, int], None],
    ) -> None:
        self._collection = database[COLLECTION]
        self._clock, self._archived = clock, archived
        self._kept = timedelta(days=days)
        self._epoch = epoch
        self._fill_seconds = fill_seconds

    async def append(self, items: Sequence[Item]) -> None:
        """Return once the items are durable. Raises Transient.

        A full batch is followed by the next at once; after a small one the next is given time to fill.
        """
        begun = time.monotonic()
        blocks = self._blocks(items)
        with store_errors():
            await insert_new(self._collection, blocks)
        for block in blocks:
            self._archived(block["topic"], block["count"])
        if len(items) < MAX_RECORDS:
            await asyncio.sleep(max(0.0, self._fill_seconds - (time.monotonic() - begun)))

    def _blocks(self, items: Sequence[Item]) -> list[Document]:
        grouped: defaultdict[tuple[bool, str, int], list[Item]] = defaultdict(list)
        for item in items:
            grouped[item.topic != EVENTS, item.brand, item.partition].append(item)
        # Events first: whoever follows decisions then finds their texts.
        return [self._block(part) for _, group in sorted(grouped.items()) for part in _parts(group)]

    def _block(self, items: Sequence[Item]) -> Document:
        now = self._clock.now()
        newest = datetime.fromtimestamp(max(item.received_time for item in items), UTC)
        times = {"stored": now.timestamp(), "expires": min(now, newest) + self._kept}
        return {**block_document(items, f"{self._epoch}/{items[0].partition}"), **times}


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    part: list[Item] = []
    size = 0
    for item in items:
        added = len(item.raw.key) + len(item.raw.value)
        if part and (size + added > MAX_BYTES or len(part) >= MAX_RECORDS):
            yield part
            part, size = [], 0
        part.append(item)
        size += added
    yield part


def block_document(items: Sequence[Item], lane: str) -> Document:
    """Return the document of a block; all items are of one brand, topic and partition, in the order of their offsets."""
    first, last = items[0], items[-1]
    times = [item.received_time for item in items]
    return {
        "_id": f"{first.brand}/{first.topic}/{lane}/{first.raw.offset}-{last.raw.offset}",
        "brand": first.brand,
        "topic": first.topic,
        "lane": lane,
        "first": first.raw.offset,
        "last": last.raw.offset,
        "from_time": min(times),
        "until_time": max(times),
        **contents(first.topic, items),
    }


def contents(topic: str, items: Sequence[Item]) -> Document:
    """Return what of a block's document depends on which records are in it."""
    found: Document = {
        "count": len(items),
        "authors": sorted({author_of(item.raw.key) for item in items}),
        "records": pack([item.raw for item in items]),
        ("decided" if topic == DECIDED else "happened"): list(dict.fromkeys(item.event_id for item in items)),
    }
    if topic == DECIDED:
        for field in ("outcomes", "reasons", "rules"):
            found[field] = sorted({value for item in items for name, value in item.words if name == field})
    return found


async def forget(collection: Collection, brand: str, author: str) -> set[str]:
    """Remove every record of an author from a brand's blocks; return the ids of their events. Raises Transient.

    A block keeps its place and its offsets, so that it is neither read twice nor written again by a redelivery.
    """
    forgotten: set[str] = set()
    while found := await _forget_once(collection, brand, f"{brand}/{author}".encode()):
        forgotten |= found  # again: blocks may have been packed behind our back
    return forgotten


async def _forget_once(collection: Collection, brand: str, key: bytes) -> set[str]:
    forgotten: set[str] = set()
    with store_errors():
        async for block in collection.find({"brand": brand, "authors": author_of(key)}):
            records = unpack(block["records"])
            kept = without(records, lambda record: record.key == key)
            kind = Decision if block["topic"] == DECIDED else Event
            forgotten |= {kind.FromString(record.value).event_id for record in records if record.key == key}
            rest = contents(block["topic"], items_of(block, kept))
            await collection.update_one({"_id": block["_id"]}, {"$set": rest})
    return forgotten


def items_of(block: Document, records: Iterable[Raw]) -> list[Item]:
    """Return a block's records as items, to be put into a block again."""
    topic = DECISIONS if block["topic"] == DECIDED else EVENTS_TOPIC
    partition = int(block["lane"].partition("/")[2])
    return [decode(Record(topic, partition, raw.offset, raw.key, raw.value)) for raw in records]
