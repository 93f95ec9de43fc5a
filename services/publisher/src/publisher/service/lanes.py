"""One lane a channel, and one a receiver of notifications: its own queue and its own bound on calls in flight.

So a slow channel delays nobody else, and a slow receiver delays no post.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from antiphon.clock import Clock
from antiphon.errors import Transient
from publisher.domain.model import Entry, Kind, Order, State
from publisher.ports import Meter

log = logging.getLogger(__name__)

LaneKey = tuple[str, str, str, str]
"""Brand, platform, account, channel; for notifications brand, platform, receiver, name of the secret."""

_BLOCKED_PAUSE = 0.05
"""Seconds between looks past entries whose thread has a call in flight; its end wakes the lane anyway."""

_STORE_PAUSE = 0.5
"""Seconds before a lane tries again after the store failed."""


_DRAIN_SECONDS = 12.0
"""A call with all its timeouts, and the save that follows."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed entry and the call that sends it; the call returns the entry as it is then, None if it has moved on."""

    entry: Entry
    send: Callable[[], Awaitable[Entry | None]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a batch became: claimed entries, entries for later (with seconds), and seconds the whole lane rests."""

    ready: Sequence[Ready] = ()
    later: Sequence[tuple[Entry, float]] = ()
    rest: float = 0.0


Prepare = Callable[[Sequence[Entry]], Awaitable[Prepared]]


@dataclass(slots=True)
class _Lane:
    key: LaneKey
    queue: list[tuple[float, int, Entry]] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    running: int = 0
    rest_until: float = 0.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, now: float, most: int) -> list[Entry]:
        """Take due entries in order; of one thread only one is in flight, so that answers keep their order."""
        taken: list[Entry] = []
        blocked: list[tuple[float, int, Entry]] = []
        while self.queue and self.queue[0][0] <= now and len(taken) < most:
            item = heapq.heappop(self.queue)
            if item[2].order.thread in self.busy:
                blocked.append(item)
            else:
                self.busy.add(item[2].order.thread)
                taken.append(item[2])
        for item in blocked:
            heapq.heappush(self.queue, item)
        return taken


def lane_of(order: Order) -> LaneKey:
    """Return the lane an action travels in."""
    if order.kind is Kind.NOTIFY:
        host = order.url.partition("://")[2].partition("/")[0].lower()
        return (order.brand, order.platform, f"{order.outlet}:{host}", order.secret_ref)
    return (order.brand, order.platform, order.account, order.channel)


class Lanes:
    """Queues in memory; the ledger has everything that is in them, and everything that did not fit."""

    def __init__(self, *, prepare: Prepare, clock: Clock, meter: Meter, width: int, capacity: int) -> None:
        self._prepare, self._clock, self._meter = prepare, clock, meter
        self._width, self._capacity = width, capacity
        self._lanes: dict[LaneKey, _Lane] = {}
        self._known: set[str] = set()
        self._order = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()

    @property
    def depth(self) -> int:
        """Entries in hand: queued, or being sent."""
        return len(self._known)

    def add(self, entries: Iterable[Entry]) -> None:
        """Queue entries that are not in hand; what does not fit into its lane is left to a later sweep."""
        for entry in entries:
            lane = self._lane(lane_of(entry.order))
            if entry.order.action_id not in self._known and len(lane.queue) < self._capacity:
                self._push(lane, entry, entry.position.next_at)

    async def run(self) -> None:
        """Open the lanes; at the end let the calls in flight finish, as long as the process lets us."""
        self._open.set()
        try:
            await asyncio.Event().wait()
        finally:
            self._open.clear()
            for task in self._tasks:
                if task.get_name() == "lane":
                    task.cancel()
            sends = [task for task in self._tasks if task.get_name() == "send"]
            if sends:
                await asyncio.wait(sends, timeout=_DRAIN_SECONDS)

    def _lane(self, key: LaneKey) -> _Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(key)
            self._start(self._serve(lane), "lane")
        return lane

    def _start(self, work: Awaitable[None], name: str) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)  # noqa: S101 (a coroutine always becomes one)
        task.set_name(name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _push(self, lane: _Lane, entry: Entry, due: float) -> None:
        self._known.add(entry.order.action_id)
        heapq.heappush(lane.queue, (due, next(self._order), entry))
        lane.wake.set()

    async def _serve(self, lane: _Lane) -> None:
        await self._open.wait()
        while lane.queue or lane.running:
            lane.wake.clear()
            now = self._clock.now().timestamp()
            batch = lane.take(now, self._room(lane, now))
            if batch:
                await self._work(lane, batch)
            else:
                await self._idle(lane, now)
        del self._lanes[lane.key]

    def _room(self, lane: _Lane, now: float) -> int:
        """How many entries to take: none while the lane rests, or while too few calls have ended for a batch that pays."""
        free = self._width - lane.running
        worth = min(max(1, self._width // 2), len(lane.queue))
        return free if free >= worth and lane.rest_until <= now else 0

    async def _idle(self, lane: _Lane, now: float) -> None:
        """Wait for a call to end, for something new, or for the next moment at which something is due."""
        due = lane.queue[0][0] if lane.queue else now
        delay = max(due, lane.rest_until) - now
        if delay <= 0:
            delay = _BLOCKED_PAUSE
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):  # Python 3.11's `wait_for` may lose a cancellation
                await lane.wake.wait()

    async def _work(self, lane: _Lane, batch: Sequence[Entry]) -> None:
        try:
            prepared = await self._prepare(batch)
        except Transient as error:
            log.warning("a lane rests: %s", error, extra={"brand": lane.key[0], "channel": lane.key[3]})
            prepared = Prepared(later=[(entry, _STORE_PAUSE) for entry in batch], rest=_STORE_PAUSE)
        except Exception:
            # Out of hand; a sweep brings them back later, so a bug costs time and never an entry.
            log.exception("a batch could not be prepared", extra={"brand": lane.key[0], "channel": lane.key[3]})
            prepared = Prepared()
        started = {ready.entry.order.action_id for ready in prepared.ready}
        for entry in batch:
            if entry.order.action_id not in started:
                self._release(lane, entry)
        now = self._clock.now().timestamp()
        for entry, delay in prepared.later:
            self._push(lane, entry, now + delay)
        for ready in prepared.ready:
            lane.running += 1
            self._start(self._send(lane, ready), "send")
        if prepared.rest:
            self._rest(lane, now + prepared.rest, prepared.rest)

    def _rest(self, lane: _Lane, until: float, seconds: float) -> None:
        lane.rest_until = until
        if seconds >= 1.0:
            self._meter.paused(1)
            asyncio.get_running_loop().call_later(seconds, self._meter.paused, -1)

    def _release(self, lane: _Lane, entry: Entry) -> None:
        lane.busy.discard(entry.order.thread)
        self._known.discard(entry.order.action_id)

    async def _send(self, lane: _Lane, ready: Ready) -> None:
        again: Entry | None = None
        try:
            again = await ready.send()
        except Exception:
            # The claim runs out and the outcome is looked for: never a second send from here.
            log.exception("a send ended unexpectedly", extra={"action_id": ready.entry.order.action_id})
        finally:
            lane.running -= 1
            self._release(lane, ready.entry)
            if again is not None and again.position.state is State.NEW:
                self._push(lane, again, again.position.next_at)
            lane.wake.set()
