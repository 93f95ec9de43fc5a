"""The configuration in the document store. Filters are built here alone, from values that are already typed."""

import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from antiphon import mongo
from antiphon.errors import Transient
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError
from rules import audit
from rules.adapters import documents
from rules.adapters.documents import NOTES, OUTBOX, TYPES, VERSIONS, Stored
from rules.audit import AuditEntry
from rules.entities import ApiKey, Brand, Channel, Deletable, Entity, Hold, Kind, Rule, Segment, record_key
from rules.ports import RuleFilter, TakenError
from rules.trail import AuditNote, RuleVersion, Trail

E = TypeVar("E", bound=Entity)
D = TypeVar("D", bound=Deletable)

COLLECTIONS: Mapping[Kind, str] = {
    "brand": "brands",
    "rule": "rules",
    "channel": "channel_identities",
    "segment": "segments",
    "person": "forgotten_people",
    "hold": "holds",
    "api_key": "api_keys",
    "topic": "topics",
    "link": "links",
    "campaign": "campaigns",
}
LISTED: Sequence[Kind] = ("segment", "topic", "link", "campaign")
"""Kinds that are deletable and told apart by their id alone."""

VERSION_COLLECTION = "rule_versions"
AUDIT_COLLECTION = "audit"

_APPEND_TRIES = 50
"""Of an audit entry's place in the chain: each loss means that another entry took it, so all get theirs in the end."""

_SWEEP_LIMIT = 500
"""Entities a sweep; the next one takes the next."""


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        if mongo.is_transient(error):
            raise mongo.transient(error) from error
        raise


async def create_indexes(database: Database) -> None:
    """Create what queries and uniqueness need; does nothing the second time. Raises Transient."""
    with _store_errors():
        for name in COLLECTIONS.values():
            await database[name].create_index(OUTBOX, partialFilterExpression={OUTBOX: True})
        await database[COLLECTIONS["rule"]].create_index([("brand", 1), ("rule_id", 1)], unique=True)
        await database[COLLECTIONS["rule"]].create_index([("brand", 1), ("state", 1), ("rule_id", 1)])
        await database[COLLECTIONS["channel"]].create_index([("brand", 1), ("channel", 1)], unique=True)
        await database[COLLECTIONS["channel"]].create_index(
            [("platform", 1), ("account", 1)], unique=True, partialFilterExpression={"deleted": False}
        )
        for kind in LISTED:
            await database[COLLECTIONS[kind]].create_index([("brand", 1), (TYPES[kind].id_field, 1)], unique=True)
        await database[COLLECTIONS["hold"]].create_index([("brand", 1), ("active", 1), ("hold", 1)])
        await database[VERSION_COLLECTION].create_index([("brand", 1), ("rule_id", 1), ("version", -1)], unique=True)
        await database[AUDIT_COLLECTION].create_index([("brand", 1), ("sequence", 1)], unique=True)
        await database[AUDIT_COLLECTION].create_index([("brand", 1), ("change", 1)], unique=True)


class MongoConfigStore:
    """Keeps entities, their versions and the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._versions = database[VERSION_COLLECTION]
        self._audit = database[AUDIT_COLLECTION]

    async def get(self, kind: type[E], brand: str, name: str = "") -> E | None:
        """Return the entity, if it exists."""
        with _store_errors():
            found = await self._collection(kind.kind).find_one({"_id": documents.identity(brand, name)})
        return documents.from_fields(kind, found) if found else None

    async def create(self, entity: Entity, trail: Trail) -> None:
        """Save a new entity with its outbox flag. Raises TakenError."""
        with _store_errors(), _uniqueness():
            await self._collection(entity.kind).insert_one(documents.new_document(entity, trail))

    async def replace(self, entity: Entity, trail: Trail) -> bool:
        """Compare-and-set on the generation. Raises TakenError."""
        push = {field: {"$each": waiting} for field, waiting in documents.trail_fields(trail).items() if waiting}
        update: Document = {"$set": {**documents.to_fields(entity), OUTBOX: True}, "$push": push}
        with _store_errors(), _uniqueness():
            result = await self._collection(entity.kind).update_one(_exactly(entity, entity.generation - 1), update)
        return bool(result.matched_count)

    async def brands(self, visible: Collection[str] | None, after: str, limit: int) -> Sequence[Brand]:
        """Return brands in the order of their ids."""
        query: Document = {"_id": {"$gt": after}}
        if visible is not None:
            query["_id"]["$in"] = sorted(visible)
        return await self._page(Brand, query, limit)

    async def rules(self, brand: str, wanted: RuleFilter, after: str, limit: int) -> Sequence[Rule]:
        """Return a brand's rules in the order of their ids."""
        query: Document = {"brand": brand, "rule_id": {"$gt": after}}
        if wanted.state:
            query["state"] = wanted.state
        if wanted.changed_after:
            query["changed_time"] = {"$gt": wanted.changed_after}
        if wanted.text:
            pattern = {"$regex": re.escape(wanted.text), "$options": "i"}
            query["$or"] = [{"rule_id": pattern}, {"name": pattern}]
        return await self._page(Rule, query, limit, "rule_id")

    async def channels(self, brand: str, after: str, limit: int) -> Sequence[Channel]:
        """Return a brand's channels that are not deleted, in the order of their ids."""
        return await self._page(Channel, {"brand": brand, "deleted": False, "channel": {"$gt": after}}, limit, "channel")

    async def segments(self, brand: str, after: str, limit: int) -> Sequence[Segment]:
        """Return a brand's segments that are not deleted, in the order of their ids."""
        return await self._page(Segment, {"brand": brand, "deleted": False, "segment": {"$gt": after}}, limit, "segment")

    async def listed(self, kind: type[D], brand: str, after: str, limit: int) -> Sequence[D]:
        """Return a brand's topics, links or campaigns that are not deleted, in the order of their ids."""
        query = {"brand": brand, "deleted": False, kind.id_field: {"$gt": after}}
        return await self._page(kind, query, limit, kind.id_field)

    async def holds(self, brand: str, active: bool | None, after: str, limit: int) -> Sequence[Hold]:
        """Return a brand's holds in the order of their ids; those that are active or not where that is said."""
        query: Document = {"brand": brand, "hold": {"$gt": after}}
        if active is not None:
            query["active"] = active
        return await self._page(Hold, query, limit, "hold")

    async def keys(self, after: str, limit: int, brands: Collection[str] | None) -> Sequence[ApiKey]:
        """Return keys in the order of their ids, those that reach no brand outside `brands`."""
        query: Document = {"_id": {"$gt": after}}
        if brands is not None:
            query["brands"] = {"$not": {"$elemMatch": {"$nin": sorted(brands)}}}
        return await self._page(ApiKey, query, limit)

    async def versions(self, brand: str, rule_id: str, before: int, limit: int) -> Sequence[RuleVersion]:
        """Return versions below `before`, the newest first."""
        query = {"brand": brand, "rule_id": rule_id, "version": {"$lt": before}}
        with _store_errors():
            found = await self._versions.find(query).sort("version", -1).limit(limit).to_list(None)
        return [documents.from_fields(RuleVersion, document) for document in found]

    async def newest_versions(self, rules: Sequence[Rule]) -> Sequence[RuleVersion]:
        """Return the newest version of each rule, as far as it is there."""
        names = [documents.version_id(rule.brand, rule.rule_id, rule.latest_version) for rule in rules]
        with _store_errors():
            found = await self._versions.find({"_id": {"$in": names}}).to_list(None)
        return [documents.from_fields(RuleVersion, document) for document in found]

    async def audit(self, brand: str, after: int, limit: int) -> Sequence[AuditEntry]:
        """Return entries above the sequence number `after`, in order."""
        query = {"brand": brand, "sequence": {"$gt": after}}
        with _store_errors():
            found = await self._audit.find(query).sort("sequence", 1).limit(limit).to_list(None)
        return [documents.to_entry(document) for document in found]

    async def stored(self, kind: Kind, brand: str, name: str) -> Stored | None:
        """Return an entity with what still waits to be delivered."""
        with _store_errors():
            found = await self._collection(kind).find_one({"_id": documents.identity(brand, name)})
        return documents.to_stored(kind, found) if found else None

    async def undelivered(self) -> Sequence[Entity]:
        """Return entities that are saved and not known to be on the topic."""
        found: list[Entity] = []
        for kind, name in COLLECTIONS.items():
            with _store_errors():
                flagged = await self._database[name].find({OUTBOX: True}).limit(_SWEEP_LIMIT).to_list(None)
            found.extend(documents.from_fields(TYPES[kind], document) for document in flagged)
        return found

    async def generations(self) -> AsyncIterator[tuple[str, int]]:
        """Yield record key and generation of every entity."""
        for kind, collection in COLLECTIONS.items():
            id_field = TYPES[kind].id_field
            with _store_errors():
                async for found in self._database[collection].find({}, {"brand": 1, "generation": 1, id_field or "brand": 1}):
                    yield record_key(kind, found["brand"], found[id_field] if id_field else ""), found["generation"]

    async def settle(self, stored: Stored) -> None:
        """Put versions and audit notes in their places; what is there already stays as it is."""
        with _store_errors():
            await mongo.insert_new(self._versions, [documents.version_document(version) for version in stored.versions])
        for note in stored.notes:
            await self._append(note)

    async def settled(self, entity: Entity, *, published: bool) -> bool:
        """Note that nothing more waits of this generation, `published`: not even its record. False if there is a newer one."""
        done: Document = {NOTES: [], VERSIONS: [], **({OUTBOX: False} if published else {})}
        with _store_errors():
            result = await self._collection(entity.kind).update_one(_exactly(entity, entity.generation), {"$set": done})
        return bool(result.matched_count)

    async def _append(self, note: AuditNote) -> None:
        for _ in range(_APPEND_TRIES):
            with _store_errors():
                if await self._audit.find_one({"brand": note.brand, "change": documents.change_of(note)}, {"_id": 1}):
                    return
                last = await self._audit.find_one({"brand": note.brand}, sort=[("sequence", -1)])
                entry = audit.append(documents.to_entry(last) if last else None, note)
                try:
                    await self._audit.insert_one(documents.entry_document(entry))
                except DuplicateKeyError:
                    continue  # another entry took the place, or another process appended this very note
                return
        raise Transient("the audit log is busy")

    async def _page(self, kind: type[E], query: Document, limit: int, order: str = "_id") -> list[E]:
        with _store_errors():
            found = await self._collection(kind.kind).find(query).sort(order, 1).limit(limit).to_list(None)
        return [documents.from_fields(kind, document) for document in found]

    def _collection(self, kind: Kind) -> Any:
        return self._database[COLLECTIONS[kind]]


def _exactly(entity: Entity, generation: int) -> Document:
    return {"_id": documents.identity(entity.brand, entity.name_in_brand), "generation": generation}


@contextmanager
def _uniqueness() -> Iterator[None]:
    try:
        yield
    except DuplicateKeyError as error:
        raise TakenError from error
