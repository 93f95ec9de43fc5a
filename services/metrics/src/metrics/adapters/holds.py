"""Holds: from the configuration into MongoDB, one document for each generation, so that how long each lasted stays known."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from antiphon.config_feed import Change
from antiphon.errors import Transient
from antiphon.mongo import Database, insert_new
from antiphon.times import from_timestamp
from antiphon.v1.config_pb2 import ConfigRecord
from metrics.adapters import codec
from metrics.adapters.mongo import classified, one_of
from metrics.domain.facts import Hold
from metrics.ports import HoldStore

_RETRY_S = 1.0
"""Between two tries at a store that is away; what is to be kept waits in memory and is in the feed as well."""


def hold_of(record: ConfigRecord) -> Hold:
    """Return the fact that a configuration record of a hold states."""
    hold = record.hold
    changed = from_timestamp(record.changed_time) if record.HasField("changed_time") else None
    return Hold(
        brand=hold.brand,
        hold=hold.hold,
        generation=record.generation,
        active=hold.active,
        mode=codec.MODES.word(hold.mode),
        platform=codec.PLATFORMS.word(hold.platform) if hold.platform else "",
        campaign=hold.campaign,
        topic=hold.topic,
        rule_id=hold.rule_id,
        reason=hold.reason,
        severity=hold.severity,
        notice_only=hold.notice_only,
        actor=record.actor,
        since_time=from_timestamp(hold.since_time) if hold.HasField("since_time") else changed,
        changed_time=changed,
    )


class MongoHolds:
    """`_id`: brand, hold and generation."""

    def __init__(self, database: Database) -> None:
        self._holds = database["kpi_holds"]

    @classified
    async def keep(self, holds: Sequence[Hold]) -> None:
        """Keep generations of holds; idempotent."""
        documents = [{"_id": f"{hold.brand}/{hold.hold}/{hold.generation}", **asdict(hold)} for hold in holds]
        unique = {kept["_id"]: kept for kept in documents}
        await insert_new(self._holds, list(unique.values()))

    @classified
    async def holds(self, brands: frozenset[str] | None, before: datetime) -> list[Hold]:
        """Return all generations of the holds that began before a moment."""
        cursor = self._holds.find({"brand": one_of(brands), "since_time": {"$lt": before}}, {"_id": 0})
        return [Hold(**kept) async for kept in cursor]


class HoldFeed:
    """Takes holds from the configuration and writes them in the background."""

    def __init__(self, store: HoldStore) -> None:
        self._store = store
        self._queue: asyncio.Queue[Hold] = asyncio.Queue()
        self.active: set[tuple[str, str]] = set()

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns holds from configuration changes."""
        for change in changes:
            if change.record is None:
                kind, _, rest = change.key.partition("/")
                if kind == "hold":
                    brand, _, hold = rest.partition("/")
                    self.active.discard((brand, hold))
            elif change.record.WhichOneof("entity") == "hold":
                self._take(hold_of(change.record))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            holds = [await self._queue.get()]
            while not self._queue.empty():
                holds.append(self._queue.get_nowait())
            await self._write(holds)

    def _take(self, hold: Hold) -> None:
        change = self.active.add if hold.active and not hold.notice_only else self.active.discard
        change((hold.brand, hold.hold))
        self._queue.put_nowait(hold)

    async def _write(self, holds: Sequence[Hold]) -> None:
        while True:
            try:
                return await self._store.keep(holds)
            except Transient:
                await asyncio.sleep(_RETRY_S)
