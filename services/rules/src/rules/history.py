"""The use cases of the past: what was decided, newest first or as it happens, and one decision with its event."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from antiphon import ids
from antiphon.clock import Clock
from rules.configuration import ConfigurationService, not_found
from rules.ports import History, Recorded

_LOOK_SECONDS = 0.5
"""Between two looks for new decisions: far below the second for which the archive lets a batch fill."""

_CHANNELS_A_PAGE = 100
"""More than brands have, as a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which decisions: those that fit all that is given. Times are of receipt, unix seconds, `until` excluded.

    `object`: the platform's id of a comment, message, review … about which they are.
    """

    object: str = ""
    rule: str = ""
    outcome: str = ""
    reason: str = ""
    author: str = ""
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """A place in the list of decisions, newest first: everything older than this time of receipt and event id follows."""

    received_time: float
    event_id: str


@dataclass(frozen=True, slots=True)
class After:
    """A place in the archive as it grows: the time up to which was read, and the last offset read of each lane."""

    stored: float
    lanes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """Decisions newest first, and where to go on; `next` None: there are no more. It may hold fewer than were asked for."""

    items: Sequence[Recorded]
    next: Before | None


@dataclass(frozen=True, slots=True)
class Growth:
    """Decisions in the order of their arrival, and where to go on."""

    items: Sequence[Recorded]
    next: After


class Archive(History, Protocol):
    """Reads the past. Raises Transient when the archive is away."""

    async def newest(self, brand: str, wanted: Wanted, before: Before | None, limit: int) -> Listing:
        """Return decisions, newest first."""
        ...

    async def end(self, brand: str, now: float) -> After:
        """Return the place behind everything that is in the archive at `now` (unix seconds)."""
        ...

    async def grown(self, brand: str, wanted: Wanted, after: After, limit: int) -> Growth:
        """Return what came after a place."""
        ...


class HistoryService:
    """Reads the past for people."""

    def __init__(self, *, archive: Archive, configuration: ConfigurationService, clock: Clock) -> None:
        self._archive = archive
        self._configuration = configuration
        self._clock = clock

    async def decision(self, brand: str, event_id: str) -> Recorded:
        """Return the newest decision on an event. Raises 404."""
        found = await self._archive.find(brand, event_id)
        if found is None:
            raise not_found("decision on event", event_id)
        return found

    async def decisions(self, brand: str, wanted: Wanted, before: Before | None, limit: int) -> Listing:
        """Return decisions, newest first. Raises 404 for an unknown brand."""
        await self._configuration.brand(brand)
        if wanted.object:
            author = await self._author(brand, wanted.object)
            if author is None or wanted.author not in {"", author}:
                return Listing((), None)
            wanted = replace(wanted, author=author)  # which the archive finds; objects alone it does not
        return await self._archive.newest(brand, wanted, before, limit)

    async def _author(self, brand: str, object_id: str) -> str | None:
        """Return who made an object, None where its making is not recorded: the id of that follows from the object's."""
        accounts = {("web", brand)}
        last = ""
        while page := await self._configuration.channels(brand, last, _CHANNELS_A_PAGE):
            accounts |= {(channel.platform, channel.account) for channel in page}
            last = page[-1].channel
        for platform, account in sorted(accounts):
            made = await self._archive.find(brand, ids.event_id(platform, account, object_id, "create", ""))
            if made is not None:
                return made.decision.event.author_id
        return None

    async def follow(
        self, brand: str, wanted: Wanted, after: After | None, limit: int, *, wait: float, waiting: Callable[[], Awaitable[bool]]
    ) -> Growth:
        """Return decisions as they come, for the first up to `wait` seconds later while somebody is `waiting`.

        `after` None: from now on. Raises 404.
        """
        await self._configuration.brand(brand)
        place = after or await self._archive.end(brand, self._clock.now().timestamp())
        deadline = self._clock.monotonic() + wait
        while True:
            asked = self._clock.now().timestamp()
            growth = await self._archive.grown(brand, wanted, place, limit)
            if len(growth.items) < limit:  # all that was stored by then has been looked at
                growth = replace(growth, next=replace(growth.next, stored=max(asked, growth.next.stored)))
            left = deadline - self._clock.monotonic()
            if growth.items or left <= 0 or not await waiting():
                return growth
            place = growth.next
            await asyncio.sleep(min(_LOOK_SECONDS, left))
