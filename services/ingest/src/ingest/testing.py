"""Fakes of the ports, held to the real ones' behaviour by tests that run on both."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from antiphon.errors import Transient
from ingest.domain import Event, Rejected, Source


class MemoryEventLog:
    """Keeps what is appended; `down` makes it refuse, `slow` makes it take so many seconds."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rejected: list[Rejected] = []
        self.down = False
        self.slow = 0.0

    async def append(self, source: Source, received: datetime, events: Sequence[Event], rejected: Sequence[Rejected]) -> None:
        """Keep everything, or raise Transient."""
        await asyncio.sleep(self.slow)
        if self.down:
            raise Transient("the log is down")
        self.events += events
        self.rejected += rejected

    async def reachable(self) -> bool:
        """Tell whether an append would succeed."""
        return not self.down


class MemorySourceStore:
    """Keeps subscriptions; `down` makes it refuse."""

    def __init__(self, *sources: Source) -> None:
        self._sources = {source.id: source for source in sources}
        self.down = False

    async def generations(self) -> Mapping[str, int]:
        """Return source id → generation."""
        return {source.id: source.generation for source in self._all()}

    async def load(self, ids: Sequence[str]) -> Sequence[Source]:
        """Return those of the sources that exist."""
        return [source for source in self._all() if source.id in ids]

    async def page(self, after: str, limit: int) -> Sequence[Source]:
        """Return active sources in the order of their ids."""
        ordered = sorted(self._all(), key=lambda source: source.id)
        return [source for source in ordered if source.active and source.id > after][:limit]

    async def insert(self, source: Source) -> bool:
        """Store a new source; False when the id is taken."""
        known = {one.id for one in self._all()}
        if source.id not in known:
            self._sources[source.id] = source
        return source.id not in known

    async def replace(self, source: Source, expected: int) -> bool:
        """Store a source over a generation."""
        right = any(one.id == source.id and one.generation == expected for one in self._all())
        if right:
            self._sources[source.id] = source
        return right

    def _all(self) -> Sequence[Source]:
        if self.down:
            raise Transient("the store is down")
        return list(self._sources.values())
