"""Finds out what became of sends whose outcome is unknown, by reading the platform. It never acts there."""

import asyncio
import logging
from collections.abc import Sequence

from antiphon.errors import Invalid, Transient
from publisher.domain.changes import Change, Seen, Unreadable, Unseen
from publisher.domain.model import PRIVATE, Entry
from publisher.ports import Channels, Meter, Platform, Tokens
from publisher.service.moves import Moves
from publisher.service.sightings import TOLERANCE

log = logging.getLogger(__name__)

_WIDTH = 4
"""Readings at once: a few are enough, and they share the channels' allowance with the sends."""


class Reconciler:
    """Reads back what it is offered."""

    def __init__(self, *, moves: Moves, channels: Channels, tokens: Tokens, platforms: dict[str, Platform], meter: Meter) -> None:
        self._moves, self._channels, self._tokens = moves, channels, tokens
        self._platforms, self._meter = platforms, meter
        self._queue: asyncio.Queue[Entry] = asyncio.Queue()
        self._known: set[str] = set()

    def offer(self, entries: Sequence[Entry]) -> None:
        """Take entries whose reading is due; those in hand already are left alone."""
        for entry in entries:
            if entry.order.action_id not in self._known:
                self._known.add(entry.order.action_id)
                self._queue.put_nowait(entry)

    async def run(self) -> None:
        """Read until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_WIDTH):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            entry = await self._queue.get()
            try:
                await self.read(entry)
            except Transient as error:
                log.warning("a reading waits: %s", error, extra={"action_id": entry.order.action_id})
            except Exception:
                log.exception("a reading failed", extra={"action_id": entry.order.action_id})
            finally:
                self._known.discard(entry.order.action_id)

    async def read(self, entry: Entry) -> None:
        """Read one entry back and save what was found."""
        change = await self._found(entry)
        if change is not None and await self._moves.apply(entry, change):
            self._meter.reconciled(_RESULTS[type(change)] if change != Unreadable(never=True) else "unlistable")

    async def _found(self, entry: Entry) -> Change | None:
        order = entry.order
        platform = self._platforms.get(order.outlet)
        if platform is None or order.kind not in platform.listable or order.event_kind in PRIVATE:
            return Unreadable(never=True)
        channel = await self._channels.find(order.brand, order.channel, order.platform, order.account)
        if channel is None:
            return Unreadable()
        if not (await self._tokens.take(channel.key, 1, channel.rate or platform.default_rate())).granted:
            return None
        try:
            listing = await platform.read_back(channel, order)
        except (Transient, Invalid) as error:
            log.info("not readable now: %s", error, extra={"action_id": order.action_id})
            return Unreadable()
        own = sorted((sight for sight in listing.own if sight.at >= entry.position.sending_at - TOLERANCE), key=lambda s: s.at)
        if len(own) > 1:
            self._meter.doubled()
            log.error("more than one of our posts under one target", extra={"action_id": order.action_id, "count": len(own)})
        if own:
            return Seen(own[0].platform_id)
        return Unseen() if listing.complete else Unreadable()


_RESULTS = {Seen: "seen", Unseen: "unseen", Unreadable: "failed"}
