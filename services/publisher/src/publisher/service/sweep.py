"""Looks after what nobody moves: entries of dead workers, due retries, approvals past their time, unsent announcements."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from antiphon.clock import Clock
from antiphon.errors import Transient
from publisher.domain.admission import expiry
from publisher.domain.changes import Change, LeaseOver, Suppress
from publisher.domain.model import Entry, Reason, State
from publisher.ports import Ledger, Meter, Platform
from publisher.service.intake import ADOPTED
from publisher.service.lanes import Lanes
from publisher.service.moves import Moves
from publisher.service.outbox import Outbox

log = logging.getLogger(__name__)

_BATCH = 500
"""Entries a round: a fraction of a second of work, so that none waits behind a backlog for long."""


OUTBOX_GRACE = 3.0
"""Seconds until announcements of another process are taken up: it confirms its own sooner, and twice does no harm."""


class Sweep:
    """One round every so often; the first takes over everything, because a restart has nothing in hand."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        lanes: Lanes,
        outbox: Outbox,
        moves: Moves,
        meter: Meter,
        platforms: dict[str, Platform],
        read_back: Callable[[Sequence[Entry]], None],
        clock: Clock,
        interval: float,
    ) -> None:
        self._ledger, self._lanes, self._outbox, self._moves = ledger, lanes, outbox, moves
        self._meter, self._platforms, self._read_back = meter, platforms, read_back
        self._clock, self._interval = clock, interval
        self._takeover: float | None = None

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                found = await self.once()
            except Transient as error:
                log.warning("the sweep waits: %s", error)
                found = 0
            if found < _BATCH:
                await asyncio.sleep(self._interval)

    async def once(self) -> int:
        """Do one round; return how many entries it looked at."""
        now = self._clock.now().timestamp()
        if self._takeover is None:
            # A moment, not a distance: what is adopted on the way lies beyond it, so that a long backlog comes to an end.
            self._takeover = now + ADOPTED
        until = max(now, self._takeover)
        await self._outbox.recover(until - OUTBOX_GRACE)
        entries = await self._ledger.due(until, _BATCH)
        await self._overdue(entries, now)
        await self._adopt([entry for entry in entries if entry.position.state is State.NEW and now < expiry(entry)], now)
        await self._read(entries, now)
        if len(entries) < _BATCH:
            self._takeover = 0.0
        return len(entries)

    async def _read(self, entries: Sequence[Entry], now: float) -> None:
        in_doubt = [entry for entry in entries if entry.position.state in {State.UNKNOWN, State.PARKED}]
        readable = [entry for entry in in_doubt if (entry.position.verify_at or now + 1) <= now]
        if readable:
            self._read_back(readable)
            await self._ledger.postpone(readable, now + ADOPTED)

    async def _overdue(self, entries: Sequence[Entry], now: float) -> None:
        changes = [(entry, change) for entry in entries if (change := self._change(entry, now))]
        for moved in await self._moves.apply_all(changes):
            if moved is not None and moved.position.state is State.UNKNOWN:
                self._meter.unknown(moved.order.platform)
            elif moved is not None and moved.position.state is State.NEW:
                self._lanes.add([moved])

    def _change(self, entry: Entry, now: float) -> Change | None:
        state = entry.position.state
        if state is State.SENDING and entry.position.deadline <= now:
            platform = self._platforms.get(entry.order.outlet)
            return LeaseOver(platform is not None and entry.order.kind in platform.repeatable)
        if state in {State.NEW, State.WAITING_APPROVAL} and now >= expiry(entry):
            return Suppress(Reason.STALE)
        return None

    async def _adopt(self, entries: Sequence[Entry], now: float) -> None:
        self._lanes.add(entries)
        if entries:
            await self._ledger.postpone(entries, now + ADOPTED)
