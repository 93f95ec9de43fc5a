"""The guard's use case: hear every decision, look at what is counted, tell of a crisis, keep the state."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Protocol

from antiphon import failpoints
from antiphon.clock import Clock
from antiphon.errors import Transient
from rules.domain.guard.counts import Heard
from rules.domain.guard.repeats import Repeats
from rules.domain.guard.severity import Terms
from rules.domain.guard.watch import HOLD, Watch, Watched
from rules.holds import Alarm

log = logging.getLogger(__name__)

STALE = 1_800.0
"""Seconds behind the present beyond which is only counted: a crisis of yesterday is not to be held today."""

_EVERYONE_SECONDS = 30.0
"""Between two looks at brands of which nothing was heard: a crisis ends in silence too."""


class LostError(Exception):
    """Another guard has written this state: it is active now, and we are not."""


class Store(Protocol):
    """Keeps the watch. Every method raises Transient when the store is away."""

    async def load(self) -> tuple[Watch, dict[int, int]]:
        """Return the watch, and for each partition the next offset to read."""
        ...

    async def save(self, watched: Watched, as_of: float) -> None:
        """Save one scope with the offsets counted in it. Raises LostError."""
        ...

    async def save_repeats(self, partition: int, repeats: Repeats) -> None:
        """Save which events a partition has told."""
        ...

    async def save_head(self, next_offsets: Mapping[int, int]) -> None:
        """Save from where to read on."""
        ...


class Lease(Protocol):
    """Says who is active. Raises Transient."""

    async def take(self, now: datetime) -> bool:
        """Take or prolong it; False when another has it."""
        ...

    async def give_back(self) -> None:
        """Let another take it at once."""
        ...


class Reader(Protocol):
    """Reads all partitions of the decisions and has each batch worked on."""

    async def start(self, next_offsets: Mapping[int, int]) -> None:
        """Begin where each partition is to be read on."""
        ...

    async def step(self) -> bool:
        """Work on what has come within a moment; tell whether everything there is has been read."""
        ...

    @property
    def positions(self) -> Mapping[int, int]:
        """Return each partition's next offset."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


class Alarms(Protocol):
    """Takes a crisis to the people."""

    async def alarm(self, alarm: Alarm) -> bool:
        """Set or raise the hold of a crisis; repeating it changes nothing. Tell whether it is live by this. Raises Transient."""
        ...


class Meter(Protocol):
    """What the guard tells about itself."""

    def active(self, active: bool) -> None:
        """Show whether this replica is the active one."""
        ...

    def counted(self, new: int, repeated: int) -> None:
        """Count decisions."""
        ...

    def alarmed(self, level: str, delay: float | None) -> None:
        """Count a crisis that people were told of; `delay`: seconds since the statement that tipped the scale, if known."""
        ...


class GuardService:
    """One guard: on duty while it has the lease, else waiting for it."""

    def __init__(
        self,
        *,
        store: Store,
        lease: Lease,
        reader: Callable[[Callable[[Sequence[object]], Awaitable[None]]], Reader],
        terms: Callable[[str], Terms | None],
        alarms: Alarms,
        meter: Meter,
        clock: Clock,
        look_seconds: float,
        save_seconds: float,
        lease_seconds: float,
    ) -> None:
        self._store, self._lease, self._reader = store, lease, reader
        self._terms, self._alarms, self._meter, self._clock = terms, alarms, meter, clock
        self._look_seconds, self._save_seconds, self._lease_seconds = look_seconds, save_seconds, lease_seconds
        self._watch = Watch()
        self._heard: set[str] = set()
        self.on_duty = False

    async def run(self) -> None:
        """Guard whenever it is our turn, until cancelled."""
        while True:
            try:
                if await self._lease.take(self._clock.now()):
                    await self._guard()
                    continue
            except Transient as error:
                log.warning("the guard waits: %s", error)
            except LostError:
                log.warning("another guard has taken over")
            await asyncio.sleep(self._lease_seconds / 3)

    async def take(self, batch: Sequence[object]) -> None:
        """Count what was heard."""
        heard = [one for one in batch if isinstance(one, Heard)]
        new = 0
        for one in heard:
            new += self._watch.take(one)
            self._heard.add(one.brand)
        self._meter.counted(new, len(heard) - new)
        failpoints.hit("rules.guard.after_count")

    async def _guard(self) -> None:
        self._watch, next_offsets = await self._store.load()
        reader = self._reader(self.take)
        try:
            await reader.start(next_offsets)
            self._duty(on=True)
            await self._stay(reader)
        finally:
            self._duty(on=False)
            await reader.stop()
        await self._lease.give_back()

    def _duty(self, *, on: bool) -> None:
        self.on_duty = on
        self._meter.active(on)

    async def _stay(self, reader: Reader) -> None:
        """Work until the lease is lost."""
        looked = saved = leased = everyone = self._clock.monotonic()
        while True:
            complete = await reader.step()
            now = self._clock.monotonic()
            try:
                if now - leased >= self._lease_seconds / 3:
                    leased = now
                    if not await self._lease.take(self._clock.now()):
                        return
                if now - looked >= self._look_seconds:
                    looked = now
                    if now - everyone >= _EVERYONE_SECONDS:
                        everyone = now
                        self._heard.update(self._watch.brands)
                    await self._look(complete=complete)
                if now - saved >= self._save_seconds:
                    saved = now
                    await self._save(reader.positions)
            except Transient as error:
                log.warning("the guard goes on counting: %s", error)

    def _moment(self, *, complete: bool) -> float:
        """Return up to when everything was heard: the present when nothing is left to read, else the newest event's time."""
        now = self._clock.now().timestamp()
        return now if complete else min(now, self._watch.watermark)

    async def _look(self, *, complete: bool) -> None:
        moment = self._moment(complete=complete)
        if self._clock.now().timestamp() - moment > STALE:
            return
        while self._heard:
            brand = self._heard.pop()
            terms = self._terms(brand)
            for watched in self._watch.look(brand, moment, terms) if terms else ():
                await self._alarm(watched, moment)

    async def _alarm(self, watched: Watched, moment: float) -> None:
        """Tell people. That it is to be told is saved first, so that whoever takes over tells it under the same name."""
        incident, look = watched.incident, watched.look
        if incident is None or look is None:
            return
        await self._store.save(watched, moment)
        failpoints.hit("rules.guard.before_alarm")
        hold = incident.level >= HOLD
        name = crisis_name(watched, incident.start)
        live = await self._alarms.alarm(
            Alarm(name=name, scope=watched.scope, since=incident.start, severity=incident.severity, look=look, hold=hold)
        )
        failpoints.hit("rules.guard.after_alarm")
        incident.told, watched.changed = incident.level, True
        known = live and watched.tipped
        self._meter.alarmed("hold" if hold else "notice", self._clock.now().timestamp() - watched.tipped if known else None)
        log.warning("crisis %s", name, extra={"brand": watched.scope.brand})

    async def _save(self, positions: Mapping[int, int]) -> None:
        """Save what changed, and last from where to read on."""
        positions = dict(positions)
        moment = self._moment(complete=True)
        self._watch.forget(self._watch.watermark)
        moved, self._watch.moved = self._watch.moved, set()
        try:
            for partition in list(moved):
                await self._store.save_repeats(partition, self._watch.repeats[partition])
                moved.discard(partition)
        finally:
            self._watch.moved |= moved
        await self._save_scopes([one for one in self._watch.all() if one.changed], moment)
        failpoints.hit("rules.guard.before_head")
        await self._store.save_head(positions)

    async def _save_scopes(self, changed: Iterable[Watched], moment: float) -> None:
        for one in changed:
            await self._store.save(one, moment)


def crisis_name(watched: Watched, start: float) -> str:
    """Return the id of a crisis' hold: always the same for the same scope and beginning."""
    digest = blake2b(f"{watched.scope.key}@{start:.0f}".encode(), digest_size=4).hexdigest()
    return f"guard-{datetime.fromtimestamp(start, UTC):%Y%m%d-%H%M}-{digest}"
