"""State changes on their way out: stored with the change itself, sent, then cleared."""

import asyncio
import logging

from antiphon.errors import Transient
from publisher.domain.model import Entry, Told, told_of
from publisher.ports import Announcer, Failpoint, Ledger, Meter

log = logging.getLogger(__name__)

_BATCH = 500
"""Announcements a round: few store calls a second at full load, and little to repeat after a crash."""

_LINGER = 0.01
"""Seconds that a round waits for company; store calls cost more than the wait."""


_CLEAR_SECONDS = 0.2
"""Between clearings; what is cleared late is sent twice after a crash, which its sequence makes harmless."""


class Outbox:
    """Sends what has just been saved at once; what a crash left behind is handed in by the sweep."""

    def __init__(self, *, ledger: Ledger, announcer: Announcer, meter: Meter, failpoint: Failpoint) -> None:
        self._ledger, self._announcer, self._meter, self._failpoint = ledger, announcer, meter, failpoint
        self._queue: asyncio.Queue[Told] = asyncio.Queue()
        self._in_hand: set[tuple[str, int]] = set()
        self._sent: list[Told] = []

    @property
    def waiting(self) -> int:
        """Announcements not yet sent by this process."""
        return self._queue.qsize()

    def tell(self, entry: Entry) -> None:
        """Take the announcement of a state that is already saved."""
        told = told_of(entry)
        self._meter.delivered(told)
        self._put(told)

    async def recover(self, before: float) -> None:
        """Send what was saved before a moment by a process that did not live to send it."""
        for told in await self._ledger.left_behind(before):
            if (told.order.action_id, told.sequence) not in self._in_hand:
                self._put(told)

    def _put(self, told: Told) -> None:
        self._in_hand.add((told.order.action_id, told.sequence))
        self._queue.put_nowait(told)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_all())
            group.create_task(self._clear())

    async def _send_all(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(_LINGER)
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._send(batch)

    async def _send(self, batch: list[Told]) -> None:
        self._failpoint("publisher.after_save")
        while True:
            try:
                await self._announcer.announce(batch)
            except Transient as error:
                log.warning("announcements wait: %s", error, extra={"count": len(batch)})
                await asyncio.sleep(0.5)
            else:
                self._sent += batch
                return

    async def _clear(self) -> None:
        while True:
            await asyncio.sleep(_CLEAR_SECONDS)
            batch, self._sent = self._sent[:_BATCH], self._sent[_BATCH:]
            if batch and not await self._cleared(batch):
                self._sent += batch

    async def _cleared(self, batch: list[Told]) -> bool:
        self._failpoint("publisher.before_clear")
        try:
            await self._ledger.clear(batch)
        except Transient as error:
            log.warning("sent announcements are not cleared yet: %s", error, extra={"count": len(batch)})
            return False
        self._in_hand.difference_update((told.order.action_id, told.sequence) for told in batch)
        return True
