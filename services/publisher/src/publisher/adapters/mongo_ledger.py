"""The ledger in MongoDB: collection `deliveries`, written with majority and journal."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pymongo import UpdateMany, UpdateOne
from typing_extensions import override

from antiphon.errors import Invalid
from antiphon.mongo import DUPLICATE_KEY, BulkWriteError, Database, Document, PyMongoError, insert_new, transient
from publisher.adapters.documents import document_of, due_by, entry_of, happening, told_from, update_of
from publisher.adapters.mongo_outbox import BARREN_SECONDS, Notes
from publisher.domain.model import Entry, State, Told
from publisher.ports import Filter, Happening, Inserted, Ledger, Page, Saving

_MOST_IN_ONE_WRITE = 200
"""Compare-and-sets that share a round trip; more would make the first ones wait for the last."""

_MOST_NOTES = 50
"""Notes of dead processes taken up in one look."""


@dataclass(slots=True)
class _Pending:
    saving: Saving
    done: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class MongoLedger(Ledger):
    """Compare-and-sets of concurrent callers share round trips; each is still decided for itself."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._entries = database["deliveries"]
        self._notes = Notes(database)
        self._pending: list[_Pending] = []
        self._writer: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Create the indexes."""
        try:
            await self._entries.create_index([("brand", 1), ("platform", 1), ("target", 1), ("slot", 1)], unique=True)
            await self._entries.create_index([("brand", 1), ("state", 1), ("_id", 1)])
            await self._entries.create_index([("attention_at", 1)])
            await self._entries.create_index(
                [("brand", 1), ("platform_id", 1)], partialFilterExpression={"platform_id": {"$gt": ""}}
            )
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def insert(self, entries: Sequence[Entry], adopted: float) -> Inserted:
        refused = await self._insert(entries, adopted)
        new = [entry for entry in entries if entry.order.action_id not in refused]
        known = await self.get(list(refused)) if refused else []
        ids = {entry.order.action_id for entry in known}
        return Inserted(new, known, [e for e in entries if e.order.action_id in refused - ids])

    async def _insert(self, entries: Sequence[Entry], adopted: float) -> set[str]:
        telling = [(entry.order.action_id, entry.position.sequence) for entry in entries if entry.position.sequence]
        documents = [document_of(entry, adopted) for entry in entries]
        try:
            if not telling:
                return await insert_new(self._entries, documents)
            note = await self._notes.make(telling, entries[0].position.changed_at)
            try:
                refused: set[str] = await insert_new(self._entries, documents)
            except BaseException:
                self._notes.leave(note)
                raise
        except PyMongoError as error:
            raise transient(error) from error
        await self._notes.drop(note, [name for name in telling if name[0] in refused])
        return refused

    @override
    async def save(self, savings: Sequence[Saving]) -> Sequence[bool]:
        pending = [_Pending(saving) for saving in savings]
        self._pending += pending
        if self._writer is None or self._writer.done():
            self._writer = asyncio.ensure_future(self._write_all())
        return await asyncio.gather(*(one.done for one in pending))

    async def _write_all(self) -> None:
        await asyncio.sleep(0)  # whoever else is ready in this turn of the loop joins
        while self._pending:
            batch, self._pending = self._pending[:_MOST_IN_ONE_WRITE], self._pending[_MOST_IN_ONE_WRITE:]
            try:
                results: list[bool | Exception] = list(await self._noted([one.saving for one in batch]))
            except PyMongoError as error:
                results = [transient(error) for _ in batch]
            except Exception as error:  # noqa: BLE001 (whoever waits must hear of it)
                results = [error for _ in batch]
            for one, result in zip(batch, results, strict=True):
                if one.done.done():
                    continue
                if isinstance(result, Exception):
                    one.done.set_exception(result)
                else:
                    one.done.set_result(result)

    async def _noted(self, savings: Sequence[Saving]) -> Sequence[bool | Exception]:
        """Write, with a note before if something is to be told."""
        telling = {
            (saving.after.order.action_id, saving.after.position.sequence): number
            for number, saving in enumerate(savings)
            if saving.after.position.sequence > saving.before.position.sequence
        }
        if not telling:
            return await self._write(savings)
        first = savings[next(iter(telling.values()))]
        note = await self._notes.make(list(telling), first.after.position.changed_at)
        try:
            results = await self._write(savings)
        except BaseException:
            self._notes.leave(note)
            raise
        await self._notes.drop(note, [name for name, number in telling.items() if results[number] is not True])
        return results

    async def _write(self, savings: Sequence[Saving]) -> Sequence[bool | Exception]:
        try:
            result = await self._entries.bulk_write(_operations(savings), ordered=False)
        except BulkWriteError as error:
            failures = error.details.get("writeErrors", [])
            if error.details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in failures):
                raise
            refused = {one["op"]["q"]["_id"] for one in failures if isinstance(one["op"]["q"]["_id"], str)}
            taken = Invalid("slot_taken", "another action has this target")
            found = await self._which(savings)
            return [taken if saving.after.order.action_id in refused else ok for saving, ok in zip(savings, found, strict=True)]
        if result.matched_count == len(savings):
            return [True] * len(savings)
        return await self._which(savings)

    async def _which(self, savings: Sequence[Saving]) -> Sequence[bool]:
        """Find out which of several compare-and-sets took place: those whose outcome stands there now."""
        stored = {entry.order.action_id: entry for entry in await self.get([s.after.order.action_id for s in savings])}
        return [stored.get(saving.after.order.action_id) == saving.after for saving in savings]

    @override
    async def get(self, action_ids: Sequence[str]) -> Sequence[Entry]:
        return await self._find({"_id": {"$in": list(action_ids)}}, len(action_ids))

    async def _find(self, query: Document, limit: int, sort: str = "") -> list[Entry]:
        found = self._entries.find(query).limit(limit)
        try:
            return [entry_of(document) for document in await (found.sort(sort, 1) if sort else found).to_list(None)]
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def history(self, action_id: str) -> Sequence[Happening]:
        try:
            document = await self._entries.find_one({"_id": action_id})
        except PyMongoError as error:
            raise transient(error) from error
        if document is None:
            return []
        return [Happening(**line) for line in (*document["history"], happening(entry_of(document)))]

    @override
    async def on_target(self, brand: str, platform: str, target: str) -> Sequence[Entry]:
        return await self._find({"brand": brand, "platform": platform, "target": target}, 100)

    @override
    async def in_states(self, brand: str, states: Sequence[State], limit: int) -> Sequence[Entry]:
        found: list[Entry] = []
        for state in states:
            found += await self._find({"brand": brand, "state": state.value}, limit)
        return found

    @override
    async def due(self, now: float, limit: int) -> Sequence[Entry]:
        return await self._find(due_by(now), limit, "attention_at")

    @override
    async def postpone(self, entries: Sequence[Entry], until: float | None) -> None:
        by_revision: dict[int, list[str]] = defaultdict(list)
        for entry in entries:
            by_revision[entry.position.revision].append(entry.order.action_id)
        try:
            for revision, ids in by_revision.items():
                await self._entries.update_many({"_id": {"$in": ids}, "revision": revision}, {"$set": {"attention_at": until}})
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def left_behind(self, before: float) -> Sequence[Told]:
        try:
            notes = await self._notes.left_behind(before, _MOST_NOTES)
            ids = sorted({name for note in notes for name in note["ids"]})
            documents = await self._entries.find({"_id": {"$in": ids}}).to_list(len(ids)) if ids else []
            told = {document["_id"]: told_from(document) for document in documents}
            barren = [note["_id"] for note in notes if not any(told.get(name) for name in note["ids"])]
            await self._notes.remove([name for name in barren if float(name.partition("-")[0]) < before - BARREN_SECONDS])
        except PyMongoError as error:
            raise transient(error) from error
        for note in notes:
            if note["_id"] not in barren:
                found = [one for name in note["ids"] for one in told.get(name, [])]
                self._notes.adopt(note["_id"], [(one.order.action_id, one.sequence) for one in found])
        return [one for found in told.values() for one in found]

    @override
    async def clear(self, told: Sequence[Told]) -> None:
        await self._notes.done([(one.order.action_id, one.sequence) for one in told])

    @override
    async def posted_as(self, brand: str, platform: str, platform_id: str) -> bool:
        # The second condition is the index's own, said so that it is used.
        query: Document = {
            "brand": brand,
            "platform": platform,
            "$and": [{"platform_id": platform_id}, {"platform_id": {"$gt": ""}}],
        }
        return bool(await self._find(query, 1))

    @override
    async def browse(self, brand: str, wanted: Filter, *, after: str, limit: int) -> Page:
        asked = {"state": wanted.state, "rule_id": wanted.rule_id, "kind": wanted.kind, "platform": wanted.platform}
        query: Document = {"brand": brand, "_id": {"$gt": after}, **{name: str(value) for name, value in asked.items() if value}}
        found = await self._find(query, limit + 1, "_id")
        return Page(found[:limit], found[limit - 1].order.action_id if len(found) > limit else None)

    @override
    async def count(self, brand: str, state: State) -> Mapping[str, int]:
        mine: Document = {"$match": {"brand": brand, "state": state.value}}
        try:
            found = await self._entries.aggregate([mine, {"$group": {"_id": "$platform", "count": {"$sum": 1}}}]).to_list(None)
        except PyMongoError as error:
            raise transient(error) from error
        return {one["_id"]: one["count"] for one in found}


def _operations(savings: Sequence[Saving]) -> list[UpdateOne | UpdateMany]:
    """Equal changes of equally old entries travel as one operation; every entry is compared by itself.

    The revision counts every saved change, so that it stands for state and epoch, and costs one comparison.
    """
    grouped: dict[tuple[int, str], list[str]] = defaultdict(list)
    updates: dict[tuple[int, str], Document] = {}
    for saving in savings:
        update = update_of(saving.before, saving.after)
        name = (saving.before.position.revision, repr(update))
        grouped[name].append(saving.before.order.action_id)
        updates[name] = update
    operations: list[UpdateOne | UpdateMany] = []
    for name, ids in grouped.items():
        if len(ids) == 1:
            operations.append(UpdateOne({"_id": ids[0], "revision": name[0]}, updates[name]))
        else:
            operations.append(UpdateMany({"_id": {"$in": ids}, "revision": name[0]}, updates[name]))
    return operations
