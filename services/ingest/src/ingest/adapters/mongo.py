"""Subscriptions in the document store: one document each, its secrets sealed for that subscription alone."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from antiphon.mongo import Collection, Database, Document, DuplicateKeyError, PyMongoError, transient
from antiphon.seal import Sealer, SealError
from ingest.domain import Account, Secret, Source

COLLECTION = "sources"

log = logging.getLogger(__name__)

_ACTIVE, _DELETED = "active", "deleted"


class MongoSourceStore:
    """Every change is a compare-and-set on `generation`; deleted subscriptions stay, emptied, so that others notice."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._collection: Collection = database[COLLECTION]
        self._sealer = sealer

    async def generations(self) -> Mapping[str, int]:
        """Return source id → generation."""
        try:
            cursor = self._collection.find({}, {"generation": 1})
            return {document["_id"]: document["generation"] async for document in cursor}
        except PyMongoError as error:
            raise transient(error) from error

    async def load(self, ids: Sequence[str]) -> Sequence[Source]:
        """Return those of the sources that exist and were sealed with a key that is known here."""
        return await self._find({"_id": {"$in": list(ids)}}, 0)

    async def page(self, after: str, limit: int) -> Sequence[Source]:
        """Return active sources in the order of their ids."""
        return await self._find({"_id": {"$gt": after}, "state": _ACTIVE}, limit)

    async def insert(self, source: Source) -> bool:
        """Store a new source; False when the id is taken."""
        try:
            await self._collection.insert_one(self._document(source))
        except DuplicateKeyError:
            return False
        except PyMongoError as error:
            raise transient(error) from error
        return True

    async def replace(self, source: Source, expected: int) -> bool:
        """Store a source over a generation."""
        try:
            document = self._document(source)
            fields = {"$set": {name: value for name, value in document.items() if name != "_id"}}
            result = await self._collection.update_one({"_id": source.id, "generation": expected}, fields)
        except PyMongoError as error:
            raise transient(error) from error
        return result.matched_count == 1

    async def _find(self, query: Document, limit: int) -> Sequence[Source]:
        try:
            documents = await self._collection.find(query).sort("_id", 1).limit(limit).to_list(None)
        except PyMongoError as error:
            raise transient(error) from error
        return [source for document in documents if (source := self._opened(document))]

    def _opened(self, document: Mapping[str, Any]) -> Source | None:
        try:
            return self._source(document)
        except SealError as error:
            # One subscription that cannot be opened must not take the others down.
            log.error("the subscription %s is not served: %s", document["_id"], error)  # noqa: TRY400
            return None

    def _document(self, source: Source) -> Document:
        return {
            "_id": source.id,
            "platform": source.platform,
            "state": _ACTIVE if source.active else _DELETED,
            "generation": source.generation,
            "verify_token": self._seal(source.id, source.verify_token),
            "secrets": [
                {"id": one.id, "sealed": self._seal(source.id, one.value), "created": one.created, "expires": one.expires}
                for one in source.secrets
            ],
            "accounts": [
                {"account": one.account, "brand": one.brand, "channel": one.channel} for one in source.accounts.values()
            ],
        }

    def _source(self, document: Mapping[str, Any]) -> Source:
        source_id: str = document["_id"]
        return Source(
            source_id,
            document["platform"],
            self._open(source_id, document["verify_token"]),
            tuple(
                [
                    Secret(one["id"], self._open(source_id, one["sealed"]), one["created"], one["expires"])
                    for one in document["secrets"]
                ]
            ),
            {one["account"]: Account(one["account"], one["brand"], one["channel"]) for one in document["accounts"]},
            document["generation"],
            document["state"] == _ACTIVE,
        )

    def _seal(self, source_id: str, secret: bytes) -> str:
        return self._sealer.seal(SecretStr(secret.decode()), f"source/{source_id}")

    def _open(self, source_id: str, sealed: str) -> bytes:
        return self._sealer.open(sealed, f"source/{source_id}").get_secret_value().encode()
