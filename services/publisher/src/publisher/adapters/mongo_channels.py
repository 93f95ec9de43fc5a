"""Channels with sealed credentials in MongoDB: collection `channels`, ids `brand/channel`."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from typing_extensions import override

from antiphon.clock import Clock
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError, transient
from antiphon.seal import Sealer, SealError
from publisher.domain.calls import Rate
from publisher.ports import Channel, Channels

FRESH_SECONDS = 1.0
"""A changed or replaced credential is in use after this long; a lookup a second and channel costs nothing."""


@dataclass(frozen=True, slots=True)
class _Cached:
    channel: Channel | None
    until: float


class MongoChannels(Channels):
    """Reads through a short cache; the secret is opened only for its own brand and channel."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._channels = database["channels"]
        self._sealer, self._clock = sealer, clock
        self._cache: dict[tuple[str, str, str, str], _Cached] = {}

    async def prepare(self) -> None:
        """Create the index that finds a channel by its account, and keeps two from sharing one."""
        try:
            await self._channels.create_index([("brand", 1), ("platform", 1), ("account", 1)], unique=True)
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def find(self, brand: str, channel: str, platform: str, account: str) -> Channel | None:
        key = (brand, channel, platform, account)
        cached = self._cache.get(key)
        if cached is not None and self._clock.monotonic() < cached.until:
            return cached.channel
        query: Document = {"brand": brand, "platform": platform, "account": account}
        if channel:
            query = {"_id": f"{brand}/{channel}"}
        found = await self._one(query)
        if found is not None and (found.platform, found.account) != (platform, account):
            found = None
        self._cache[key] = _Cached(found, self._clock.monotonic() + FRESH_SECONDS)
        return found

    async def get(self, brand: str, channel: str) -> Channel | None:
        """Return the channel as it is stored now."""
        return await self._one({"_id": f"{brand}/{channel}"})

    async def browse(self, brand: str, most: int) -> Sequence[Channel]:
        """Return the brand's channels."""
        try:
            documents = await self._channels.find({"brand": brand}).to_list(most)
        except PyMongoError as error:
            raise transient(error) from error
        return [self._open(document) for document in documents]

    async def put(self, channel: Channel) -> bool:
        """Store it, the credential sealed for this brand and channel; False: the account is another channel's already.

        An empty credential keeps the stored one.
        """
        values: Document = {
            "brand": channel.brand,
            "channel": channel.channel,
            "platform": channel.platform,
            "account": channel.account,
            "api_url": channel.api_url,
            "rate": [channel.rate.per_second, channel.rate.burst] if channel.rate else None,
        }
        if channel.credential.get_secret_value():
            values["credential"] = self._sealer.seal(channel.credential, channel.key)
            values["refused_at"] = None
        try:
            await self._channels.update_one({"_id": channel.key}, {"$set": values, "$inc": {"generation": 1}}, upsert=True)
        except DuplicateKeyError:
            return False
        except PyMongoError as error:
            raise transient(error) from error
        self._cache.clear()
        return True

    async def remove(self, brand: str, channel: str) -> bool:
        """Forget the channel and its credential."""
        try:
            result = await self._channels.delete_one({"_id": f"{brand}/{channel}"})
        except PyMongoError as error:
            raise transient(error) from error
        self._cache.clear()
        return result.deleted_count == 1

    @override
    async def credential_refused(self, channel: Channel, at: float | None) -> None:
        self._cache.clear()
        try:
            # Only if it is still the credential that was refused: it may have been replaced meanwhile.
            await self._channels.update_one({"_id": channel.key, "generation": channel.generation}, {"$set": {"refused_at": at}})
        except PyMongoError as error:
            raise transient(error) from error

    async def _one(self, query: Document) -> Channel | None:
        try:
            document = await self._channels.find_one(query)
        except PyMongoError as error:
            raise transient(error) from error
        return self._open(document) if document else None

    def _open(self, document: Document) -> Channel:
        try:
            credential = self._sealer.open(document.get("credential", ""), document["_id"])
        except SealError:
            credential = SecretStr("")
        rate = document.get("rate")
        return Channel(
            document["brand"],
            document["channel"],
            document["platform"],
            document["account"],
            credential,
            document.get("api_url") or "",
            Rate(*rate) if rate else None,
            document.get("refused_at"),
            document.get("generation", 0),
        )
