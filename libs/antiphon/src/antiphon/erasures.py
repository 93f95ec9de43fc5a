"""Forgetting people: each service removes what it holds when the configuration says so, and notes that it is done."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from antiphon.clock import Clock
from antiphon.config_feed import Change
from antiphon.errors import Transient
from antiphon.mongo import Database, PyMongoError, classified
from antiphon.seal import Sealer, SealError, SealSettings, build_sealer
from antiphon.times import from_timestamp
from antiphon.v1.config_pb2 import ConfigRecord

log = logging.getLogger(__name__)

COLLECTION: Final = "erasures"

HOLDERS: Final = ("engine", "archive", "publisher", "entries", "metrics")
"""Who holds something of people, and says when it is gone. Topics need no word: their key is destroyed first."""

_RETRY_SECONDS = 1.0


def author_owner(brand: str) -> str:
    """Return to whom the name of a person who is to be forgotten is sealed; no channel's or secret's owner has this form."""
    return f"{brand}/:forgotten"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A person of a brand who is to be forgotten. `asked_time` tells several askings apart."""

    brand: str
    reference: str
    platform: str
    author: str
    asked_time: datetime


class MongoErasures:
    """Notes of who is done with whom: `_id` = `<reference>/<holder>`, the newest asking that was worked off."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._collection = database[COLLECTION]
        self._clock = clock

    async def done(self, reference: str, asked_time: datetime) -> Mapping[str, datetime | None]:
        """Return for each holder when it was done with this asking, None while it is not. Raises Transient."""
        ids = [f"{reference}/{holder}" for holder in HOLDERS]
        try:
            found = await self._collection.find({"_id": {"$in": ids}, "asked_time": {"$gte": asked_time}}).to_list(None)
        except PyMongoError as error:
            raise classified(error) from error
        times = {document["_id"]: document["time"] for document in found}
        return {holder: times.get(name) for holder, name in zip(HOLDERS, ids, strict=True)}

    async def note(self, reference: str, holder: str, asked_time: datetime) -> None:
        """Note that a holder is done. Raises Transient."""
        update = {"$set": {"asked_time": asked_time, "time": self._clock.now()}}
        try:
            await self._collection.update_one({"_id": f"{reference}/{holder}"}, update, upsert=True)
        except PyMongoError as error:
            raise classified(error) from error


class Eraser:
    """Works off the askings of one holder, one after the other; `erase` is idempotent and raises Transient."""

    def __init__(
        self, holder: str, *, sealer: Sealer, erasures: MongoErasures, erase: Callable[[Forgotten], Awaitable[object]]
    ) -> None:
        self._holder, self._sealer, self._erasures, self._erase = holder, sealer, erasures, erase
        self._waiting: dict[str, Forgotten] = {}
        self._came = asyncio.Event()

    def follow(self, changes: Sequence[Change]) -> None:
        """Take what concerns people from the configuration; the name of one who is gone everywhere is no longer in it."""
        for change in changes:
            if change.record is None or change.record.WhichOneof("entity") != "person":
                continue
            person = forgotten(change.record, self._sealer)
            if person is not None:
                self._waiting[person.reference] = person
                self._came.set()

    async def run(self) -> None:
        """Erase until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            for person in list(self._waiting.values()):
                await self._persistently(person)
                if self._waiting.get(person.reference) == person:
                    del self._waiting[person.reference]

    async def _persistently(self, person: Forgotten) -> None:
        while True:
            try:
                if (await self._erasures.done(person.reference, person.asked_time))[self._holder] is None:
                    await self._erase(person)
                    await self._erasures.note(person.reference, self._holder, person.asked_time)
                    log.info("a person was forgotten", extra={"brand": person.brand})
            except Transient as error:
                log.warning("a person is forgotten later: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return


def build_eraser(
    holder: str,
    erase: Callable[[Forgotten], Awaitable[object]],
    *,
    settings: SealSettings,
    database: Database,
    clock: Clock,
) -> Eraser:
    """Return what erases for a holder; it is to hear the configuration and to run beside its service."""
    return Eraser(holder, sealer=build_sealer(settings), erasures=MongoErasures(database, clock), erase=erase)


def forgotten(record: ConfigRecord, sealer: Sealer) -> Forgotten | None:
    """Return whom a record asks to forget; None when everybody has, or the name cannot be opened here."""
    person = record.person
    if not person.sealed_author:
        return None
    try:
        named = sealer.open(person.sealed_author.decode(), author_owner(person.brand)).get_secret_value()
    except SealError as error:
        log.error("a person cannot be forgotten here: %s", error)  # noqa: TRY400 (the message says it all)
        return None
    platform, _, author = named.partition(":")
    return Forgotten(person.brand, person.person, platform, author, from_timestamp(person.asked_time))
