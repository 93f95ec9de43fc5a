"""Looks after what time moves: windows, reminders, media, and entries that a dead process left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from antiphon.clock import Clock
from antiphon.errors import Transient
from publisher.domain.entries.changes import TimeUp
from publisher.domain.entries.model import CampaignEntry, EntryState
from publisher.entry_ports import Entries
from publisher.service.entries.asking import Asking
from publisher.service.entries.fetching import Fetching
from publisher.service.entries.moves import EntryMoves

log = logging.getLogger(__name__)

_BATCH = 100
"""Entries a round; a round with media takes seconds, and the first are those that have waited longest."""


class EntrySweep:
    """One round every so often."""

    def __init__(
        self,
        *,
        entries: Entries,
        advance: Callable[[CampaignEntry], Awaitable[None]],
        asking: Asking,
        fetching: Fetching,
        moves: EntryMoves,
        clock: Clock,
        interval: float,
    ) -> None:
        self._entries, self._advance, self._asking, self._fetching = entries, advance, asking, fetching
        self._moves, self._clock, self._interval = moves, clock, interval

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                found = await self.once()
            except Transient as error:
                log.warning("the sweep of entries waits: %s", error)
                found = 0
            if found < _BATCH:
                await asyncio.sleep(self._interval)

    async def once(self) -> int:
        """Do one round; return how many entries it looked at. Raises Transient."""
        entries = await self._entries.due(self._clock.now().timestamp(), _BATCH)
        for entry in entries:
            await self._look(entry)
        return len(entries)

    async def _look(self, entry: CampaignEntry) -> None:
        now, standing = self._clock.now().timestamp(), entry.standing
        if entry.state is EntryState.CAPTURED or (entry.state is EntryState.ELIGIBLE and _past(standing.ask_at, now)):
            await self._advance(entry)
        elif _past(standing.media_at, now):
            await self._fetching.fetch(entry)
        elif await self._moves.apply(entry, TimeUp()) is None:
            await self._request(entry, now)

    async def _request(self, entry: CampaignEntry, now: float) -> None:
        asked = entry.standing.asked
        if asked is not None and _past(asked.remind_at, now):
            await self._asking.remind(entry)
        elif asked is not None and _past(asked.check_at, now):
            await self._asking.look(entry)


def _past(moment: float | None, now: float) -> bool:
    return moment is not None and moment <= now
