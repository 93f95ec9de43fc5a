"""Secrets that sign notifications, sealed, in MongoDB: collection `secrets`, ids `brand/name`."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from typing_extensions import override

from antiphon.clock import Clock
from antiphon.errors import Transient
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError, transient
from antiphon.seal import Sealer, SealError
from publisher.ports import Secrets

FRESH_SECONDS = 1.0
"""A stored or removed secret is in use or out of it after this long; a missing one is looked for each time."""

_TRIES = 10
"""Lost races for one secret in a row; people do not change one so fast."""


@dataclass(frozen=True, slots=True)
class SecretLine:
    """What may be told of a secret; `previous_until`: how long the one before still signs beside it, if it does."""

    name: str
    created_at: float
    previous_until: float | None


@dataclass(frozen=True, slots=True)
class _Cached:
    secrets: Sequence[SecretStr]
    until: float


class MongoSecrets(Secrets):
    """Each secret is opened only for its own brand and name; the one it replaced stays valid for a while."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._stored = database["secrets"]
        self._sealer, self._clock = sealer, clock
        self._cache: dict[tuple[str, str], _Cached] = {}

    async def prepare(self) -> None:
        """Create the index that lists a brand's secrets."""
        try:
            await self._stored.create_index([("brand", 1), ("name", 1)], unique=True)
        except PyMongoError as error:
            raise transient(error) from error

    @override
    async def valid(self, brand: str, name: str) -> Sequence[SecretStr]:
        cached = self._cache.get((brand, name))
        if cached is not None and self._clock.monotonic() < cached.until:
            return cached.secrets
        document = await self._one(brand, name)
        keys = self._standing(document["keys"]) if document else []
        secrets = [secret for key in keys if (secret := self._open(key["sealed"], brand, name)) is not None]
        if secrets:
            self._cache[brand, name] = _Cached(secrets, self._clock.monotonic() + FRESH_SECONDS)
        return secrets

    async def put(self, brand: str, name: str, secret: SecretStr, overlap: float) -> SecretLine:
        """Store a new secret; the one before stays valid for `overlap` seconds, an older one does not."""
        now = self._now()
        key = {"sealed": self._sealer.seal(secret, _owner(brand, name)), "created_at": now, "until": None}
        for _ in range(_TRIES):
            document = await self._one(brand, name)
            before = self._standing(document["keys"])[:1] if document and overlap else []
            keys = [key, *({**one, "until": now + overlap} for one in before)]
            if await self._replace(brand, name, document["generation"] if document else 0, keys):
                self._cache.pop((brand, name), None)
                return _line(name, keys)
        raise Transient("the secret is being changed by others")

    async def remove(self, brand: str, name: str) -> bool:
        """Forget the secret, with the one before."""
        try:
            result = await self._stored.delete_one({"_id": f"{brand}/{name}"})
        except PyMongoError as error:
            raise transient(error) from error
        self._cache.pop((brand, name), None)
        return result.deleted_count == 1

    async def browse(self, brand: str, most: int) -> Sequence[SecretLine]:
        """Return what may be told of the brand's secrets, by name."""
        try:
            documents = await self._stored.find({"brand": brand}).sort("name", 1).to_list(most)
        except PyMongoError as error:
            raise transient(error) from error
        return [_line(document["name"], self._standing(document["keys"])) for document in documents]

    async def _replace(self, brand: str, name: str, generation: int, keys: list[Document]) -> bool:
        document = {"brand": brand, "name": name, "generation": generation + 1, "keys": keys}
        try:
            if not generation:
                await self._stored.insert_one({"_id": f"{brand}/{name}", **document})
                return True
            result = await self._stored.replace_one({"_id": f"{brand}/{name}", "generation": generation}, document)
        except DuplicateKeyError:
            return False
        except PyMongoError as error:
            raise transient(error) from error
        return result.matched_count == 1

    async def _one(self, brand: str, name: str) -> Document | None:
        try:
            found: Document | None = await self._stored.find_one({"_id": f"{brand}/{name}"})
        except PyMongoError as error:
            raise transient(error) from error
        return found

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _standing(self, keys: Sequence[Document]) -> list[Document]:
        return [key for key in keys if key["until"] is None or key["until"] > self._now()]

    def _open(self, sealed: str, brand: str, name: str) -> SecretStr | None:
        try:
            return self._sealer.open(sealed, _owner(brand, name))
        except SealError:
            return None


def _owner(brand: str, name: str) -> str:
    """Unlike any channel's owner, so that a credential and a secret cannot be put in each other's place."""
    return f"{brand}/secrets/{name}"


def _line(name: str, keys: Sequence[Document]) -> SecretLine:
    return SecretLine(name, keys[0]["created_at"], keys[1]["until"] if len(keys) > 1 else None)
