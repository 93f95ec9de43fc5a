"""Contests in MongoDB: collection `contests`, ids `brand/campaign`; the seed is sealed until the draw tells it."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import SecretStr
from typing_extensions import override

from antiphon.clock import Clock
from antiphon.errors import Invalid
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError, transient
from antiphon.seal import Sealer, SealError
from publisher.entry_ports import ContestRecord, Contests


class MongoContests(Contests):
    """One document a contest; commitment and certificate are each written once and never replaced."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._contests = database["contests"]
        self._sealer, self._clock = sealer, clock

    @override
    async def get(self, brand: str, campaign: str) -> ContestRecord | None:
        document = await self._one(brand, campaign)
        return None if document is None else _record(document)

    async def _one(self, brand: str, campaign: str) -> Document | None:
        try:
            found: Document | None = await self._contests.find_one({"_id": f"{brand}/{campaign}"})
        except PyMongoError as error:
            raise transient(error) from error
        return found

    @override
    async def create(self, record: ContestRecord, seed: bytes) -> ContestRecord:
        secret = SecretStr(base64.b64encode(seed).decode())
        document: Document = {
            "_id": f"{record.brand}/{record.campaign}",
            "brand": record.brand,
            "campaign": record.campaign,
            "commitment": record.commitment,
            "committed_at": record.committed_at,
            "committed_by": record.committed_by,
            "sealed": self._sealer.seal(secret, _owner(record)),
            "certificate": None,
        }
        try:
            await self._contests.insert_one(document)
        except DuplicateKeyError:
            return await self.get(record.brand, record.campaign) or record
        except PyMongoError as error:
            raise transient(error) from error
        return record

    @override
    async def seed(self, record: ContestRecord) -> bytes:
        document = await self._one(record.brand, record.campaign)
        try:
            return base64.b64decode(self._sealer.open((document or {}).get("sealed", ""), _owner(record)).get_secret_value())
        except SealError as error:
            raise Invalid("seed_lost", "the seed cannot be opened: add the key that sealed it to SEAL_KEYS") from error

    @override
    async def drawn(self, record: ContestRecord, certificate: Mapping[str, Any], actor: str) -> ContestRecord:
        here: Document = {"_id": f"{record.brand}/{record.campaign}", "certificate": None}
        # As bytes, so that what people verify is to the letter what was drawn.
        told = {"certificate": orjson.dumps(certificate), "drawn_at": self._clock.now().timestamp(), "drawn_by": actor}
        try:
            await self._contests.update_one(here, {"$set": told})
        except PyMongoError as error:
            raise transient(error) from error
        return await self.get(record.brand, record.campaign) or record


def _owner(record: ContestRecord) -> str:
    return f"{record.brand}/contests/{record.campaign}"


def _record(document: Document) -> ContestRecord:
    return ContestRecord(
        brand=document["brand"],
        campaign=document["campaign"],
        commitment=document["commitment"],
        committed_at=document["committed_at"],
        committed_by=document["committed_by"],
        certificate=document["certificate"],
        drawn_at=document.get("drawn_at"),
        drawn_by=document.get("drawn_by", ""),
    )
