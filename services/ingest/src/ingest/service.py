"""Accepting a delivery: verify, understand, make durable; only then say yes."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from antiphon import failpoints
from antiphon.clock import Clock
from antiphon.errors import Invalid, Transient
from ingest.domain import Event, Rejected, Result, Source
from ingest.ports import EventLog, Meter, PlatformAdapter
from ingest.sources import SourceTable

log = logging.getLogger(__name__)


class Refusal(StrEnum):
    """Why a delivery was not accepted as a whole."""

    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    MALFORMED = "malformed"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Everything in the body is durable: so many events, and so many updates put aside."""

    events: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was promised. `reason` (a slug) and `detail` say more where the sender can do something about it."""

    refusal: Refusal
    reason: str = ""
    detail: str = ""


_NOTHING = Accepted(0, 0)
_NOT_FOUND = Refused(Refusal.NOT_FOUND)
_UNAUTHORIZED = Refused(Refusal.UNAUTHORIZED)
_BUSY = Refused(Refusal.BUSY)
_UNAVAILABLE = Refused(Refusal.UNAVAILABLE)


class Admission:
    """Bounds what is being worked on, so that memory stays flat while the log is away. No queue: a full house refuses."""

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events, self._max_bytes = max_events, max_bytes
        self.events = 0
        self.bytes = 0

    def enter(self, events: int) -> bool:
        """Take room for events; False when there is none. One body alone always gets in, or it never could."""
        if self.events and self.events + events > self._max_events:
            return False
        self.events += events
        return True

    def leave(self, events: int) -> None:
        """Give the room back."""
        self.events -= events

    def take(self, size: int) -> bool:
        """Take room for bytes of a body; False when there is none."""
        if self.bytes + size > self._max_bytes:
            return False
        self.bytes += size
        return True

    def give(self, size: int) -> None:
        """Give the room back."""
        self.bytes -= size


class IngestService:
    """The use case of this service."""

    def __init__(
        self,
        *,
        platforms: Mapping[str, PlatformAdapter],
        sources: SourceTable,
        event_log: EventLog,
        admission: Admission,
        clock: Clock,
        meter: Meter,
        deadline: timedelta,
    ) -> None:
        self._platforms, self._sources, self._log = platforms, sources, event_log
        self.find = sources.by_path.get
        self._admission, self._clock, self._meter = admission, clock, meter
        self._deadline = deadline.total_seconds()
        self._failing = False

    def absent(self) -> Refused:
        """Return what to say of a path without subscription; before the first load nobody can know."""
        return _NOT_FOUND if self._sources.loaded else _UNAVAILABLE

    def handshake(self, source: Source, query: bytes) -> bytes | Refused:
        """Return the answer to a platform's question whether we want its deliveries."""
        answer = self._platforms[source.platform].handshake(source.verify_token, query)
        return _UNAUTHORIZED if answer is None else answer

    async def accept(self, source: Source, headers: Mapping[bytes, bytes], body: bytes) -> Accepted | Refused:
        """Return `Accepted` once every event of the body is durable. Header names are in lower case.

        After any refusal the same body may be sent again: its events have the same ids.
        """
        adapter = self._platforms[source.platform]
        received = self._clock.now()
        if not adapter.verify(source.keys(received), headers, body):
            return _UNAUTHORIZED
        try:
            results = adapter.normalise(adapter.decode(body), source.accounts)
        except Invalid as error:
            return Refused(Refusal.MALFORMED, error.reason, str(error))
        return await self._keep(source, received, results) if results else _NOTHING

    async def _keep(self, source: Source, received: datetime, results: Sequence[Result]) -> Accepted | Refused:
        if not self._admission.enter(len(results)):
            return _BUSY
        try:
            events = [result for result in results if isinstance(result, Event)]
            rejected = [result for result in results if isinstance(result, Rejected)]
            if not await self._append(source, received, events, rejected):
                return _UNAVAILABLE
        finally:
            self._admission.leave(len(results))
        self._count(source.platform, results)
        return Accepted(len(events), len(rejected))

    async def _append(self, source: Source, received: datetime, events: Sequence[Event], rejected: Sequence[Rejected]) -> bool:
        started = self._clock.monotonic()
        failpoints.hit("ingest.before_produce")
        try:
            async with asyncio.timeout(self._deadline):
                await self._log.append(source, received, events, rejected)
        except (TimeoutError, Transient) as error:
            self._note(failing=True, error=error)
            return False
        self._note(failing=False)
        failpoints.hit("ingest.before_response")
        self._meter.acknowledged(self._clock.monotonic() - started)
        return True

    def _note(self, *, failing: bool, error: Exception | None = None) -> None:
        """Log the change, not every request of an outage; those are what the metrics are for."""
        if failing is self._failing:
            return
        self._failing = failing
        if failing:
            log.error("the event log does not take events: %s", str(error) or "no acknowledgement in time")
        else:
            log.info("the event log takes events again")

    def _count(self, platform: str, results: Sequence[Result]) -> None:
        meter = self._meter
        for result in results:
            if isinstance(result, Event):
                meter.event(platform, result.kind)
                if result.unknown_fields:
                    meter.unknown_fields(platform, result.unknown_fields)
            elif isinstance(result, Rejected):
                meter.dead_letter(result.reason)
            else:
                meter.ignored(platform, result.reason)
