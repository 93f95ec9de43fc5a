"""The keys of persons in MongoDB: one document each, the key sealed. What is deleted here makes records unreadable for good."""

import secrets
from collections.abc import Collection, Mapping
from typing import Final

from pydantic import SecretStr
from typing_extensions import override

from antiphon.clock import Clock
from antiphon.mongo import Database, Document, PyMongoError, classified, insert_new
from antiphon.persons import PersonKey, PersonKeys, PersonSettings, RecordSealer
from antiphon.seal import Sealer, build_sealer

COLLECTION: Final = "person_keys"

_KEY_BYTES = 32
_ID_BYTES = 4
"""Enough to tell the few keys apart that one person has had."""


class MongoPersonKeys(PersonKeys):
    """Written by whoever hears of a person first, read by all."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._collection = database[COLLECTION]
        self._sealer = sealer
        self._clock = clock

    @override
    async def find(self, references: Collection[str]) -> Mapping[str, PersonKey]:
        try:
            found = await self._collection.find({"_id": {"$in": sorted(references)}}).to_list(None)
        except PyMongoError as error:
            raise classified(error) from error
        return {document["_id"]: self._open(document) for document in found}

    @override
    async def make(self, references: Mapping[str, str]) -> Mapping[str, PersonKey]:
        known = dict(await self.find(references))
        new = [self._document(name, brand) for name, brand in references.items() if name not in known]
        try:
            refused = await insert_new(self._collection, new)
        except PyMongoError as error:
            raise classified(error) from error
        known |= {document["_id"]: self._open(document) for document in new if document["_id"] not in refused}
        return {**known, **await self.find(refused)} if refused else known  # somebody else was a moment earlier

    async def destroy(self, reference: str) -> bool:
        """Delete a person's key for good; False if there is none. Raises Transient."""
        try:
            return bool((await self._collection.delete_one({"_id": reference})).deleted_count)
        except PyMongoError as error:
            raise classified(error) from error

    def _document(self, reference: str, brand: str) -> Document:
        secret = SecretStr(secrets.token_hex(_KEY_BYTES))
        return {
            "_id": reference,
            "brand": brand,
            "key_id": secrets.token_hex(_ID_BYTES),
            "sealed": self._sealer.seal(secret, _owner(brand, reference)),
            "made": self._clock.now(),
        }

    def _open(self, document: Document) -> PersonKey:
        secret = self._sealer.open(document["sealed"], _owner(document["brand"], document["_id"]))
        return PersonKey(document["key_id"], bytes.fromhex(secret.get_secret_value()))


def record_sealer(database: Database, settings: PersonSettings, clock: Clock) -> RecordSealer:
    """Return what seals and opens records. It opens also where this process knows no `PERSON_KEY`, which only names people."""
    return RecordSealer(MongoPersonKeys(database, build_sealer(settings), clock))


def _owner(brand: str, reference: str) -> str:
    return f"{brand}/:person/{reference}"
