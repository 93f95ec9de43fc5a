"""The past as it was decided: recorded events with what was made of them, out of the archive in a fixed order.

Within a partition the order is that of the offsets, because the engine decided in it. Between partitions it is the time of
receipt (the partition's highest so far, where it jumps back), then partition and offset, so that every reading is the same.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from math import inf
from typing import Protocol

from google.protobuf.message import DecodeError

from antiphon.errors import Invalid
from antiphon.mongo import Collection
from antiphon.v1.decision_pb2 import Decision
from rules.adapters.codec import read_event, seconds
from rules.adapters.history.archive import DECIDED, EVENTS, MAX_RECORDS
from rules.adapters.history.blocks import Raw
from rules.adapters.history.lanes import Stretch, readers
from rules.adapters.history.recorded import understanding_of, verdict_of
from rules.domain.event import Event, Understanding
from rules.domain.replaying.replay import Past, Verdict

Understand = Callable[[Event], Understanding]
"""What is made of an event whose decision is not in the archive."""

_Known = tuple[Understanding, Verdict]

_Ordered = tuple[float, int, int, Past]
"""Highest time of receipt so far, number of the lane, offset: no two are the same."""

_KEPT = 2 * MAX_RECORDS
"""Decisions a lane that are known beside those on the events in hand: a block of decisions may reach that far ahead of them."""


class Source(Protocol):
    """The records of one topic in one lane, by their offsets."""

    async def next(self) -> Sequence[Raw] | None:
        """Return the next records, all of them new; None at the end."""
        ...


Lanes = Sequence[tuple[Source, Source | None]]
"""Events and decisions of each lane, always in the same order; None: there are no decisions."""


async def open_past(collection: Collection, stretch: Stretch, understand: Understand) -> "PastReader":
    """Return a reader of a stretch of the archive. Raises Transient."""
    events, total = await readers(collection, stretch, EVENTS)
    decisions, _ = await readers(collection, stretch, DECIDED)
    lanes = [(reader, decisions.get(lane)) for lane, reader in events.items()]
    return PastReader(lanes, stretch.since, stretch.until, understand, total)


class PastReader:
    """Reads what was received from `since` up to, without, `until`; `understand` stands in where a decision is missing.

    `total`: how many records there are at most.
    """

    def __init__(self, lanes: Lanes, since: float, until: float, understand: Understand, total: int = 0) -> None:
        self._tracks = [
            _Track(number, events, decisions, since, until, understand) for number, (events, decisions) in enumerate(lanes)
        ]
        self.total = total

    @property
    def understood_anew(self) -> int:
        """Return how many events had no recorded decision."""
        return sum(track.understood_anew for track in self._tracks)

    async def chunks(self) -> AsyncIterator[list[Past]]:
        """Yield all recorded events in their order. Raises Transient."""
        tracks = list(self._tracks)
        while tracks:
            for track in tracks:
                await track.fill()
            tracks = [track for track in tracks if track.buffer]
            # What lies below every lane's last record in hand cannot be preceded by anything yet unread.
            safe = min((track.buffer[-1][0] for track in tracks), default=inf)
            ready = [ordered for track in tracks for ordered in track.take(safe)]
            ready.sort()
            if ready:
                yield [ordered[3] for ordered in ready]


class _Track:
    """One lane: its events, joined with the decisions on them."""

    def __init__(
        self, number: int, events: Source, decisions: Source | None, since: float, until: float, understand: Understand
    ) -> None:
        self._number, self._events, self._decisions = number, events, decisions
        self._since, self._until, self._understand = since, until, understand
        self._reached = self._decided = -inf
        self._known: dict[str, _Known] = {}
        self.buffer: list[_Ordered] = []
        self.understood_anew = 0

    async def fill(self) -> None:
        """Have something in the buffer, unless the lane ends."""
        while not self.buffer:
            records = await self._events.next()
            if records is None:
                return
            events = [found for raw in records if (found := self._event(raw.offset, raw.key, raw.value))]
            if events:
                await self._learn({event.event_id for _, _, _, event in events}, events[-1][0])
                self.buffer = [(at, self._number, offset, self._joined(key, event)) for at, offset, key, event in events]

    def take(self, until: float) -> list[_Ordered]:
        """Return what is received up to `until`; it leaves the buffer."""
        if self.buffer[-1][0] <= until:
            taken, self.buffer = self.buffer, []
            return taken
        place = next(place for place, ordered in enumerate(self.buffer) if ordered[0] > until)
        taken, self.buffer = self.buffer[:place], self.buffer[place:]
        return taken

    def _event(self, offset: int, key: bytes, value: bytes) -> tuple[float, int, bytes, Event] | None:
        try:
            event = read_event(value)
        except Invalid:
            return None  # the engine put it aside as well
        if not self._since <= event.received_time < self._until:
            return None
        self._reached = max(self._reached, event.received_time)
        return self._reached, offset, key, event

    async def _learn(self, wanted: set[str], until: float) -> None:
        """Read decisions until those on the events in hand are known, or must have been missed: both topics have one order."""
        missing = wanted - self._known.keys()
        while missing and self._decisions is not None and self._decided <= until:
            records = await self._decisions.next()
            if records is None:
                self._decisions = None
                return
            for raw in records:
                self._note(raw.value)
            missing -= self._known.keys()
        while len(self._known) > _KEPT + len(wanted):
            del self._known[next(iter(self._known))]  # the oldest

    def _note(self, value: bytes) -> None:
        try:
            message = Decision.FromString(value)
        except DecodeError:
            return
        self._decided = max(self._decided, seconds(message.received_time))
        event_id = message.event_id
        self._known.pop(event_id, None)  # so that it is the youngest
        self._known[event_id] = (understanding_of(message), verdict_of(message))

    def _joined(self, key: bytes, event: Event) -> Past:
        known = self._known.get(event.event_id)  # it stays: the event may come again in the same block
        if known is None:
            self.understood_anew += 1
            return Past(key, event, self._understand(event))
        return Past(key, event, *known)
