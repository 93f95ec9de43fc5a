"""The archive as people look at it: one decision, the newest decisions, decisions as they come."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import nlargest
from math import inf

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.mongo import Database, Document
from antiphon.persons import PersonIndex
from antiphon.topics import record_key
from antiphon.v1.decision_pb2 import Decision
from rules.adapters.codec import decode_event, seconds
from rules.adapters.history.archive import COLLECTION, DECIDED, EVENTS, author_of, id_of, store_errors
from rules.adapters.history.blocks import Raw, unpack
from rules.adapters.history.recorded import decode_recorded, verdict_of
from rules.adapters.records import PLATFORMS
from rules.domain.decision import Reason
from rules.domain.event import Event
from rules.domain.replaying.replay import Verdict
from rules.history import After, Before, Growth, Listing, Wanted
from rules.ports import Recorded

_BLOCKS_A_PAGE = 64
"""Blocks searched for one page: a rare thing takes several pages, and no request reads the whole archive."""

_OVERLAP_SECONDS = 10.0
"""How late a block may appear behind one that was stored after it: clocks differ, and writes take time."""

_LAST_ID = "~"
"""Sorts behind every event id."""

_Key = tuple[float, str]
"""Time of receipt and event id."""


class MongoHistory:
    """Reads blocks."""

    def __init__(self, database: Database, index: PersonIndex) -> None:
        self._collection = database[COLLECTION]
        self._index = index

    async def find(self, brand: str, event_id: str) -> Recorded | None:
        """Return the newest decision on one event of the brand, with the event."""
        # By the id alone: with the brand beside it, a planner may prefer an index that begins with the brand.
        with store_errors():
            blocks = await self._collection.find({"decided": id_of(event_id)}, {"brand": 1, "records": 1}).to_list(None)
        mine = [message for block in blocks if block["brand"] == brand for _, message in _decisions(block)]
        found = [message for message in mine if message.event_id == event_id]
        if not found:
            return None
        newest = max(found, key=lambda message: seconds(message.decided_time))
        return (await self.whole(brand, [newest]))[0]

    async def newest(self, brand: str, wanted: Wanted, before: Before | None, limit: int) -> Listing:
        """Return decisions, newest first."""
        query = _query(brand, wanted, self._index)
        if before is not None:
            query["from_time"] = {"$lte": before.received_time}
        page, searched, unread = _Page(limit), 0, -inf
        place = (before.received_time, before.event_id) if before is not None else (inf, "")
        with store_errors():
            blocks = self._collection.find(query, {"until_time": 1, "records": 1}).sort("until_time", -1)
            async for block in blocks.limit(_BLOCKS_A_PAGE + 1):
                page.settle(block["until_time"])
                if page.is_full or searched == _BLOCKS_A_PAGE:
                    unread = block["until_time"]
                    break
                page.add(message for _, message in _decisions(block) if _key(message) < place and _fits(message, brand, wanted))
                searched += 1
        page.settle(unread)
        more = page.last if page.is_full else Before(unread, _LAST_ID) if unread > -inf else None
        return Listing(await self.whole(brand, page.settled), more)

    async def end(self, brand: str, now: float) -> After:
        """Return the place behind everything that is in the archive at `now`."""
        query = {"brand": brand, "topic": DECIDED, "stored": {"$gte": now - _OVERLAP_SECONDS}}
        lanes: dict[str, int] = {}
        with store_errors():
            async for block in self._collection.find(query, {"lane": 1, "last": 1}):
                lanes[block["lane"]] = max(block["last"], lanes.get(block["lane"], -1))
        return After(now, lanes)

    async def grown(self, brand: str, wanted: Wanted, after: After, limit: int) -> Growth:
        """Return what came after a place, in the order of its arrival."""
        query = {**_query(brand, wanted, self._index), "stored": {"$gte": after.stored - _OVERLAP_SECONDS}}
        lanes, stored = dict(after.lanes), after.stored
        found: list[Decision] = []
        with store_errors():
            blocks = self._collection.find(query, {"lane": 1, "last": 1, "stored": 1, "records": 1})
            async for block in blocks.sort([("stored", 1), ("lane", 1), ("first", 1)]):
                lane = block["lane"]
                if block["last"] <= lanes.get(lane, -1):
                    continue
                stored = max(stored, block["stored"])
                for raw, message in _decisions(block, lanes.get(lane, -1)):
                    lanes[lane] = raw.offset
                    if _fits(message, brand, wanted):
                        found.append(message)
                    if len(found) == limit:
                        return Growth(await self.whole(brand, found), After(min(stored, block["stored"]), lanes))
        return Growth(await self.whole(brand, found), After(stored, lanes))

    async def whole(self, brand: str, messages: Sequence[Decision]) -> list[Recorded]:
        """Return the decisions with their events as they came, as far as the archive has them."""
        if not messages:
            return []
        times = [seconds(message.received_time) for message in messages]
        query = {
            "brand": brand,
            "topic": EVENTS,
            "until_time": {"$gte": min(times)},
            "from_time": {"$lte": max(times)},
            "happened": {"$in": [id_of(message.event_id) for message in messages]},
        }
        events: dict[str, Event] = {}
        wanted = {message.event_id for message in messages}
        with store_errors():
            async for block in self._collection.find(query, {"records": 1}):
                events.update((event.event_id, event) for event in _events(block) if event.event_id in wanted)
        return [_with_event(decode_recorded(message), events.get(message.event_id)) for message in messages]


class _Page:
    """The newest decisions found so far; settled are those that nothing unread can precede."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pending: dict[_Key, Decision] = {}
        self.settled: list[Decision] = []

    @property
    def is_full(self) -> bool:
        return len(self.settled) == self._limit

    @property
    def last(self) -> Before:
        """Return the place behind the last that is settled."""
        return Before(*_key(self.settled[-1]))

    def add(self, messages: Iterable[Decision]) -> None:
        self._pending.update((_key(message), message) for message in messages)
        newest = nlargest(self._limit, self._pending)
        self._pending = {key: self._pending[key] for key in newest}

    def settle(self, unread: float) -> None:
        """Take over what is newer than all that is unread, which was received at `unread` at the latest."""
        for key in sorted(self._pending, reverse=True):
            if key[0] <= unread or self.is_full:
                return
            self.settled.append(self._pending.pop(key))


def _key(message: Decision) -> _Key:
    return seconds(message.received_time), message.event_id


def _query(brand: str, wanted: Wanted, index: PersonIndex) -> Document:
    """Return what finds the blocks in which there may be such decisions."""
    query: Document = {"brand": brand, "topic": DECIDED}
    for field, value in (("rules", wanted.rule), ("outcomes", wanted.outcome), ("reasons", wanted.reason)):
        if value:
            query[field] = value
    if wanted.author:
        # The same id may be somebody on each platform, and is itself the key of records that are not sealed.
        parts = {wanted.author, *(index.reference(brand, platform, wanted.author) for platform in PLATFORMS)}
        query["authors"] = {"$in": [author_of(record_key(brand, part)) for part in sorted(parts)]}
    if wanted.since is not None:
        query["until_time"] = {"$gte": wanted.since}
    if wanted.until is not None:
        query["from_time"] = {"$lt": wanted.until}
    return query


def _fits(message: Decision, brand: str, wanted: Wanted) -> bool:
    verdict = verdict_of(message)
    received = seconds(message.received_time)
    return (
        message.brand == brand
        and (not wanted.object or message.object == wanted.object)
        and (not wanted.author or message.author.id == wanted.author)
        and (not wanted.outcome or verdict.outcome == wanted.outcome)
        and (not wanted.rule or any(rule_id == wanted.rule for rule_id, _, _ in verdict.rules))
        and (not wanted.reason or wanted.reason in _reasons(verdict, wanted.rule))
        and (wanted.since is None or received >= wanted.since)
        and (wanted.until is None or received < wanted.until)
    )


def _reasons(verdict: Verdict, rule: str) -> set[Reason]:
    """Return the reasons of one rule, or of all and of the event itself."""
    return {reason for rule_id, _, reason in verdict.rules if rule in {"", rule_id}} | (set() if rule else {verdict.reason})


def _decisions(block: Document, after: int = -1) -> Iterator[tuple[Raw, Decision]]:
    for raw in unpack(block["records"]):
        if raw.offset > after:
            yield raw, Decision.FromString(raw.value)


def _events(block: Document) -> Iterator[Event]:
    for raw in unpack(block["records"]):
        try:
            yield decode_event(Record("", 0, raw.offset, raw.key, raw.value)).event
        except Invalid:
            continue  # it was put aside by the engine


def _with_event(recorded: Recorded, event: Event | None) -> Recorded:
    return recorded if event is None else replace(recorded, decision=recorded.decision._replace(event=event), whole=True)
