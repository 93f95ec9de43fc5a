"""Changes of entries on their way out: marked by the write that makes them, sent, then unmarked."""

import asyncio
import logging

from antiphon.errors import Transient
from publisher.entry_ports import Entries, EntryAnnouncer
from publisher.ports import Failpoint

log = logging.getLogger(__name__)

_BATCH = 200
"""Entries a round: few store calls, and little to repeat after a crash."""

INTERVAL = 0.5
"""Seconds between looks for what other processes have changed; what this one changes wakes it at once."""


class Teller:
    """Sends what the store says is untold; so it needs nothing in memory, and a crash loses nothing."""

    def __init__(self, *, entries: Entries, announcer: EntryAnnouncer, failpoint: Failpoint) -> None:
        self._entries, self._announcer, self._failpoint = entries, announcer, failpoint
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that something was saved."""
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            self._wake.clear()
            try:
                told = await self.once()
            except Transient as error:
                log.warning("changes of entries wait: %s", error)
                told = 0
            if not told:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(INTERVAL):
                await self._wake.wait()
        except TimeoutError:
            return

    async def once(self) -> int:
        """Tell what is untold; return how many changes that were. Raises Transient."""
        waiting = await self._entries.untold(_BATCH)
        if waiting:
            self._failpoint("publisher.before_entry_told")
            await self._announcer.announce(waiting)
            self._failpoint("publisher.before_entry_marked")
            await self._entries.mark_told(waiting)
        return len(waiting)
