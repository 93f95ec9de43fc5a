"""What is known about objects, and what consumed limits, in MongoDB: collections `threads` and `limits`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from pymongo import UpdateOne
from typing_extensions import override

from antiphon.clock import Clock
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError, transient
from publisher.domain.admission import HANDOFFS_KEPT, Edit, Facts, Handoff
from publisher.domain.limits import Consumed
from publisher.ports import Limits, Observation, Threads

KEEP = timedelta(days=8)
"""Longer than platforms redeliver (36 hours) and than any action lives; then the store forgets by itself."""

_SEPARATOR = "\x1f"


def _id(brand: str, platform: str, name: str) -> str:
    return _SEPARATOR.join((brand, platform, name))


class MongoThreads(Threads):
    """One document an object, its id led by the brand."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._threads = database["threads"]
        self._clock = clock

    async def prepare(self) -> None:
        """Create the index that forgets."""
        try:
            await self._threads.create_index([("forget_at", 1)], expireAfterSeconds=0)
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def record(self, observations: Sequence[Observation]) -> None:
        if not observations:
            return
        forget_at = self._clock.now() + KEEP
        try:
            await self._threads.bulk_write([write for seen in observations for write in _writes(seen, forget_at)], ordered=True)
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def facts(self, brand: str, platform: str, objects: Sequence[str]) -> Mapping[str, Facts]:
        names = {_id(brand, platform, name): name for name in objects}
        try:
            documents = await self._threads.find({"_id": {"$in": list(names)}}).to_list(len(names))
        except PyMongoError as error:
            raise transient(error) from error
        return {names[document["_id"]]: _facts(document) for document in documents}


def _writes(seen: Observation, forget_at: datetime) -> list[UpdateOne]:
    where = {"_id": _id(seen.brand, seen.platform, seen.object)}
    writes = [UpdateOne(where, {"$max": _highest(seen, forget_at)}, upsert=True)]
    if seen.handoff is not None:
        # Taken out first, so that a redelivered one does not push out another.
        writes.append(UpdateOne(where, {"$pull": {"handoffs": {"event_id": seen.handoff.event_id}}}))
        newest = {"$each": [asdict(seen.handoff)], "$sort": {"at": -1, "event_id": -1}, "$slice": HANDOFFS_KEPT}
        writes.append(UpdateOne(where, {"$push": {"handoffs": newest}}))
    return writes


def _highest(seen: Observation, forget_at: datetime) -> Document:
    highest: Document = {"forget_at": forget_at}
    if seen.deleted_at is not None:
        highest["deleted_at"] = seen.deleted_at
    if seen.edit is not None:
        # Sorts as the edits do, so that the newest wins whatever order they come in.
        highest["edit"] = f"{seen.edit.event_time:020.6f}|{seen.edit.received_time:020.6f}|{seen.edit.event_id}"
    if seen.human_at is not None:
        highest["human_at"] = seen.human_at
    return highest


def _facts(document: Document) -> Facts:
    edit: Edit | None = None
    if text := document.get("edit"):
        event_time, received_time, event_id = text.split("|", 2)
        edit = Edit(float(event_time), float(received_time), event_id)
    handoffs = tuple(Handoff(one["at"], one["event_id"]) for one in document.get("handoffs", ()))
    return Facts("deleted_at" in document, edit, document.get("human_at"), handoffs)


class MongoLimits(Limits):
    """One document a limit, its id led by the brand; replaced by compare-and-set on its revision."""

    def __init__(self, database: Database) -> None:
        self._limits = database["limits"]

    @override
    async def read(self, key: str) -> Consumed:
        try:
            document = await self._limits.find_one({"_id": key})
        except PyMongoError as error:
            raise transient(error) from error
        if document is None:
            return Consumed()
        return Consumed(document["revision"], document["events"], document.get("holders", {}), document.get("longest", 0.0))

    @override
    async def write(self, key: str, consumed: Consumed) -> bool:
        holders = {event: dict(held) for event, held in consumed.holders.items()}
        stored = {
            "revision": consumed.revision + 1,
            "events": dict(consumed.events),
            "holders": holders,
            "longest": consumed.longest,
        }
        try:
            if consumed.revision == 0:
                await self._limits.insert_one({"_id": key, **stored})
                return True
            result = await self._limits.update_one({"_id": key, "revision": consumed.revision}, {"$set": stored})
        except DuplicateKeyError:
            return False
        except PyMongoError as error:
            raise transient(error) from error
        return result.matched_count == 1
