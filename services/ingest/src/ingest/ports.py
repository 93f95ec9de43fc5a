"""What the use cases need from outside."""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ingest.domain import Event, Kind, Reason, Rejected, Result, Source
from ingest.web import Campaign, Link, Traffic


class EventLog(Protocol):
    """Where events become durable."""

    async def append(self, source: Source, received: datetime, events: Sequence[Event], rejected: Sequence[Rejected]) -> None:
        """Return once ALL of it is acknowledged on all replicas. Raises Transient; then any part of it may be in the log.

        The events' accounts are among the source's.
        """
        ...

    async def reachable(self) -> bool:
        """Tell, within a second or so, whether an append may succeed now."""
        ...


class SourceStore(Protocol):
    """Where subscriptions are kept. Every call may raise Transient."""

    async def generations(self) -> Mapping[str, int]:
        """Return source id → generation, of the deleted ones as well."""
        ...

    async def load(self, ids: Sequence[str]) -> Sequence[Source]:
        """Return those of the sources that exist, deleted ones included, in no particular order."""
        ...

    async def page(self, after: str, limit: int) -> Sequence[Source]:
        """Return up to `limit` active sources with ids past `after`, in the order of ids."""
        ...

    async def insert(self, source: Source) -> bool:
        """Store a new source; False when the id is taken."""
        ...

    async def replace(self, source: Source, expected: int) -> bool:
        """Store a source over its generation `expected`; False when somebody else was faster."""
        ...


class PlatformAdapter(Protocol):
    """What is special about a platform's deliveries. Pure functions."""

    def verify(self, keys: Sequence[bytes], headers: Mapping[bytes, bytes], body: bytes) -> bool:
        """Tell whether the raw body was signed with one of the keys. Header names are in lower case."""
        ...

    def handshake(self, verify_token: bytes, query: bytes) -> bytes | None:
        """Return the body that proves to the platform who we are, or None for a stranger's request."""
        ...

    def decode(self, body: bytes) -> object:
        """Return the parsed body. Raises Invalid with a reason when it is malformed as a whole."""
        ...

    def normalise(self, document: object, accounts: Container[str]) -> Sequence[Result]:
        """Return one result for each update of the body. Raises Invalid when it is malformed as a whole."""
        ...


class Meter(Protocol):
    """What is counted about accepted bodies."""

    def event(self, platform: str, kind: Kind) -> None:
        """Count an event."""
        ...

    def dead_letter(self, reason: Reason) -> None:
        """Count an update put aside."""
        ...

    def ignored(self, platform: str, reason: str) -> None:
        """Count an update without meaning."""
        ...

    def unknown_fields(self, platform: str, count: int) -> None:
        """Count fields that the adapter has never heard of."""
        ...

    def acknowledged(self, seconds: float) -> None:
        """Note how long a body's events took to become durable."""
        ...


class ClickMeter(Protocol):
    """What is counted about tracked links."""

    def click(self, traffic: Traffic) -> None:
        """Count a request for a link."""
        ...

    def lost(self, reason: str) -> None:
        """Count a person's click that is not known to be durable; `reason` is from a closed set."""
        ...

    def event(self, platform: str, kind: Kind) -> None:
        """Count an event made durable."""
        ...


class Configuration(Protocol):
    """What people configured, in memory."""

    def complete(self) -> bool:
        """Tell whether all that was in force at the start is known."""
        ...

    def has_brand(self, brand: str) -> bool:
        """Tell whether the brand is configured."""
        ...

    def link(self, brand: str, link: str) -> Link | None:
        """Return a tracked link, unless it was deleted."""
        ...

    def campaign(self, brand: str, campaign: str) -> Campaign | None:
        """Return a campaign, unless it was deleted."""
        ...
