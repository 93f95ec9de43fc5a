"""The ledger of entries in MongoDB: collections `entries` and `entry_places`, written with majority and journal.

What is still to be told is marked in the entry itself, by the very write that changes it: a crash between the write and
the announcement leaves the mark, and whoever finds it announces. Entries are few beside deliveries, so the second small
write that takes the mark off costs nothing that would be noticed.
"""

from collections.abc import Sequence

from pymongo import UpdateOne
from typing_extensions import override

from antiphon.errors import Transient
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError, transient
from publisher.adapters.documents import due_by
from publisher.adapters.entry_documents import document_of, entry_of, update_of
from publisher.domain.entries.model import CampaignEntry, EntryState
from publisher.entry_ports import MOST, Announcement, Entries, EntryFilter, EntryPage, Places

_ANSWERABLE = ("rights_requested", "granted", "featured")

_TRIES = 50
"""Lost races for a place in a row; more means that the store cannot keep up, which is transient."""


class MongoEntries(Entries):
    """One document an entry, replaced by compare-and-set on its revision."""

    def __init__(self, database: Database) -> None:
        self._entries = database["entries"]

    async def prepare(self) -> None:
        """Create the indexes."""
        try:
            await self._entries.create_index([("brand", 1), ("campaign", 1), ("platform", 1), ("object", 1)], unique=True)
            await self._entries.create_index([("brand", 1), ("platform", 1), ("object", 1)])
            await self._entries.create_index([("brand", 1), ("campaign", 1), ("state", 1), ("_id", 1)])
            await self._entries.create_index([("brand", 1), ("campaign", 1), ("captured_at", 1)])
            await self._entries.create_index([("brand", 1), ("platform", 1), ("author", 1)])
            for name in ("attention_at", "untold_at", "actions", "media.sha256"):
                await self._entries.create_index([(name, 1)])
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def insert(self, entry: CampaignEntry) -> CampaignEntry | None:
        try:
            await self._entries.insert_one(document_of(entry))
        except DuplicateKeyError:
            found = await self.get([entry.entry_id])
            return found[0] if found else None
        except PyMongoError as error:
            raise transient(error) from error
        return entry

    @override
    async def save(self, before: CampaignEntry, after: CampaignEntry) -> bool:
        here: Document = {"_id": before.entry_id, "revision": before.standing.revision}
        try:
            result = await self._entries.update_one(here, update_of(before, after))
        except PyMongoError as error:
            raise transient(error) from error
        if result.matched_count:
            return True
        # The driver repeats a write whose answer was lost: then it is this very change that stands there.
        found = await self.get([before.entry_id])
        return bool(found) and found[0] == after

    @override
    async def get(self, entry_ids: Sequence[str]) -> Sequence[CampaignEntry]:
        return await self._find({"_id": {"$in": list(entry_ids)}}, len(entry_ids))

    async def _find(self, query: Document, limit: int, sort: str = "_id") -> list[CampaignEntry]:
        try:
            documents = await self._entries.find(query).sort(sort, 1).limit(limit).to_list(None)
        except PyMongoError as error:
            raise transient(error) from error
        return [entry_of(document) for document in documents]

    @override
    async def on_object(self, brand: str, platform: str, name: str) -> Sequence[CampaignEntry]:
        return await self._find({"brand": brand, "platform": platform, "object": name}, 1_000)

    @override
    async def open_requests(self, brand: str, campaign: str, platform: str, author: str) -> Sequence[CampaignEntry]:
        where: Document = {"brand": brand, "platform": platform, "author": author, "campaign": campaign}
        return await self._find({**where, "state": {"$in": list(_ANSWERABLE)}}, 1_000)

    @override
    async def of_action(self, action_id: str) -> CampaignEntry | None:
        found = await self._find({"actions": action_id}, 1)
        return found[0] if found else None

    @override
    async def with_media(self, sha256: str) -> Sequence[CampaignEntry]:
        return await self._find({"media.sha256": sha256}, 1_000, "captured_at")

    @override
    async def captured_since(self, brand: str, campaign: str, moment: float) -> Sequence[CampaignEntry]:
        query: Document = {"brand": brand, "campaign": campaign, "captured_at": {"$gte": moment}}
        return await self._find(query, MOST, "captured_at")

    @override
    async def in_states(
        self, brand: str, campaign: str, states: Sequence[EntryState], *, after: str = "", limit: int = MOST
    ) -> Sequence[CampaignEntry]:
        query: Document = {"brand": brand, "campaign": campaign, "state": {"$in": [str(state) for state in states]}}
        return await self._find({**query, "_id": {"$gt": after}}, limit)

    @override
    async def browse(self, brand: str, campaign: str, wanted: EntryFilter, *, after: str, limit: int) -> EntryPage:
        asked = {"state": wanted.state, "flags.flag": wanted.flag, "author": wanted.author, "platform": wanted.platform}
        query: Document = {"brand": brand, "campaign": campaign, "_id": {"$gt": after}}
        query |= {name: str(value) for name, value in asked.items() if value}
        if wanted.waiting:
            query |= {"state": "rights_requested", "waiting": {"$gt": ""}}
        found = await self._find(query, limit + 1)
        return EntryPage(found[:limit], found[limit - 1].entry_id if len(found) > limit else None)

    @override
    async def due(self, now: float, limit: int) -> Sequence[CampaignEntry]:
        return await self._find(due_by(now), limit, "attention_at")

    @override
    async def untold(self, limit: int) -> Sequence[Announcement]:
        try:
            documents = await self._entries.find({"untold_at": {"$gt": 0}}).sort("untold_at", 1).limit(limit).to_list(None)
        except PyMongoError as error:
            raise transient(error) from error
        return [
            Announcement(entry, line)
            for document in documents
            for entry in [entry_of(document)]
            for line in entry.evidence
            if line.sequence > document["told"]
        ]

    @override
    async def mark_told(self, announcements: Sequence[Announcement]) -> None:
        newest = {one.entry.entry_id: one for one in announcements}
        writes = [write for one in newest.values() for write in _marks(one)]
        try:
            if writes:
                await self._entries.bulk_write(writes, ordered=True)
        except PyMongoError as error:
            raise transient(error) from error


def _marks(last: Announcement) -> list[UpdateOne]:
    """A change that was saved meanwhile keeps its mark, because it has set it anew."""
    entry, told = last.entry, last.line.sequence
    return [
        UpdateOne({"_id": entry.entry_id}, {"$max": {"told": told}}),
        UpdateOne({"_id": entry.entry_id, "sequence": told}, {"$set": {"untold_at": None}}),
    ]


class MongoPlaces(Places):
    """One document a place; its number is part of the id, and each entry has at most one."""

    def __init__(self, database: Database) -> None:
        self._places = database["entry_places"]

    async def prepare(self) -> None:
        """Create the indexes."""
        try:
            await self._places.create_index([("entry", 1)], unique=True)
            await self._places.create_index([("key", 1), ("number", -1)])
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def take(self, key: str, entry_id: str, at_most: int) -> bool:
        try:
            for _ in range(_TRIES):
                if await self._places.find_one({"entry": entry_id}) is not None:
                    return True
                last = await self._places.find({"key": key}).sort("number", -1).to_list(1)
                number = last[0]["number"] + 1 if last else 1
                if number > at_most:
                    return False
                if await self._taken(key, number, entry_id):
                    return True
        except PyMongoError as error:
            raise transient(error) from error
        raise Transient("a campaign's places are contended")

    async def _taken(self, key: str, number: int, entry_id: str) -> bool:
        try:
            await self._places.insert_one({"_id": f"{key}/{number}", "key": key, "number": number, "entry": entry_id})
        except DuplicateKeyError:
            return False
        return True
