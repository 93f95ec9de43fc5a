"""The ledger in MongoDB: collection `deliveries`, written with majority and journal."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pymongo import UpdateMany, UpdateOne
from typing_extensions import override

from antiphon.errors import Invalid
from antiphon.mongo import DUPLICATE_KEY, BulkWriteError, Database, Document, PyMongoError, insert_new, transient
from publisher.adapters.documents import document_of, entry_of, happening, told_from, update_of
from publisher.domain.model import Entry, State, Told
from publisher.ports import Happening, Inserted, Ledger, Page, Saving

_MOST_IN_ONE_WRITE = 200
"""Compare-and-sets that share a round trip; more would make the first ones wait for the last."""

_WAITING = frozenset({State.PARKED, State.WAITING_APPROVAL})


@dataclass(slots=True)
class _Pending:
    saving: Saving
    done: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class MongoLedger(Ledger):
    """Compare-and-sets of concurrent callers share round trips; each is still decided for itself."""

    def __init__(self, database: Database) -> None:
        self._entries = database["deliveries"]
        self._pending: list[_Pending] = []
        self._writer: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Create the indexes."""
        try:
            await self._entries.create_index([("brand", 1), ("platform", 1), ("target", 1), ("slot", 1)], unique=True)
            await self._entries.create_index([("brand", 1), ("state", 1), ("_id", 1)])
            await self._entries.create_index([("attention_at", 1)])
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def insert(self, entries: Sequence[Entry], adopted: float) -> Inserted:
        try:
            refused = await insert_new(self._entries, [document_of(entry, adopted) for entry in entries])
        except PyMongoError as error:
            raise transient(error) from error
        new = [entry for entry in entries if entry.order.action_id not in refused]
        known = await self.get(list(refused)) if refused else []
        ids = {entry.order.action_id for entry in known}
        return Inserted(new, known, [e for e in entries if e.order.action_id in refused - ids])

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
                results: list[bool | Exception] = list(await self._write([one.saving for one in batch]))
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

    async def _find(self, query: Document, limit: int) -> list[Entry]:
        try:
            return [entry_of(document) for document in await self._entries.find(query).to_list(limit)]
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
        try:
            documents = await self._entries.find({"attention_at": {"$lte": now}}).sort("attention_at", 1).to_list(limit)
        except PyMongoError as error:
            raise transient(error) from error
        return [entry_of(document) for document in documents]

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
    async def untold(self, action_ids: Sequence[str]) -> Sequence[Told]:
        try:
            documents = await self._entries.find({"_id": {"$in": list(action_ids)}}).to_list(len(action_ids))
        except PyMongoError as error:
            raise transient(error) from error
        return [told for document in documents for told in told_from(document)]

    @override
    async def clear(self, told: Sequence[Told]) -> None:
        groups: dict[tuple[int, State], list[str]] = defaultdict(list)
        for one in told:
            groups[one.sequence, one.state].append(one.order.action_id)
        try:
            for (sequence, state), ids in sorted(groups.items()):
                await self._clear(sequence, state, ids)
        except PyMongoError as error:
            raise transient(error) from error

    async def _clear(self, sequence: int, state: State, ids: list[str]) -> None:
        """An entry with nothing else to tell is at rest; where more waits, or it has moved on, only this one goes."""
        rest: Document = {"untold": 0} if state in _WAITING else {"untold": 0, "attention_at": None}
        alone: Document = {"_id": {"$in": ids}, "state": state.value, "untold": sequence, "outbox": []}
        result = await self._entries.update_many(alone, {"$set": rest})
        if result.matched_count < len(ids):
            await self._entries.update_many({"_id": {"$in": ids}}, {"$pull": {"outbox": {"sequence": sequence}}})
            await self._entries.update_many({"_id": {"$in": ids}, "untold": sequence}, {"$set": {"untold": 0}})

    @override
    async def browse(self, brand: str, *, state: State | None, rule: str, cursor: str, limit: int) -> Page:
        query: Document = {"brand": brand, "_id": {"$gt": cursor}}
        if state is not None:
            query["state"] = state.value
        if rule:
            query["rule_id"] = rule
        try:
            documents = await self._entries.find(query).sort("_id", 1).to_list(limit + 1)
        except PyMongoError as error:
            raise transient(error) from error
        entries = [entry_of(document) for document in documents[:limit]]
        return Page(entries, entries[-1].order.action_id if len(documents) > limit else "")

    @override
    async def count(self, brand: str, state: State) -> int:
        try:
            return await self._entries.count_documents({"brand": brand, "state": state.value})
        except PyMongoError as error:
            raise transient(error) from error


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
