"""The use case of the consumer: record facts, and mark the hours that they change."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import uuid4

from antiphon import failpoints
from antiphon.clock import Clock
from metrics.domain.facts import Fact, by_kind, first_of_each
from metrics.domain.periods import floor
from metrics.ports import Counters, FactStore, HourKey, HourStore, Names

_REMEMBERED_MOST: Final = 50_000
"""Marks remembered by one process: several years of a brand's hours; past it all are forgotten and raised again."""


class Marker:
    """Raises marks so that no builder can pass a write by.

    A builder takes a mark that has not been raised again for `settle_s` seconds. A mark of mine that is younger than a third
    of that covers another write that takes no longer than a third; one that took longer raises its marks again afterwards.
    """

    def __init__(self, *, hours: HourStore, clock: Clock, settle_s: float) -> None:
        self._hours = hours
        self._clock = clock
        self._third_s = settle_s / 3
        self._raised: dict[HourKey, float] = {}

    async def before(self, hours: Iterable[HourKey]) -> float:
        """Raise what is needed before a write; return the moment to be given to `after`. Raises Transient."""
        now = self._clock.monotonic()
        if len(self._raised) > _REMEMBERED_MOST:
            self._raised.clear()
        await self._raise({hour for hour in hours if now - self._raised.get(hour, float("-inf")) >= self._third_s})
        return now

    async def after(self, hours: Iterable[HourKey], begun: float) -> None:
        """Raise again what a slow write may have outlived. Raises Transient."""
        if self._clock.monotonic() - begun > self._third_s:
            await self._raise(set(hours))

    async def _raise(self, hours: set[HourKey]) -> None:
        if hours:
            now = self._clock.monotonic()
            await self._hours.raise_marks(hours, uuid4().hex)
            self._raised |= dict.fromkeys(hours, now)


class RecordService:
    """Records each fact once, however often it is delivered."""

    def __init__(self, *, store: FactStore, marker: Marker, names: Names, counters: Counters) -> None:
        self._store = store
        self._marker = marker
        self._names = names
        self._counters = counters

    async def record(self, facts: Sequence[Fact]) -> None:
        """Return once all facts are durable. Raises Transient; repeating the whole batch is then harmless."""
        failpoints.hit("metrics.before_write")
        hours = {(fact.brand, floor(fact.event_time)) for fact in facts}
        begun = await self._marker.before(hours)
        failpoints.hit("metrics.after_mark")
        for group in by_kind(facts):
            await self._record_one_kind(group)
        await self._marker.after(hours, begun)
        await self._names.keep_new()
        failpoints.hit("metrics.after_write")

    async def _record_one_kind(self, facts: Sequence[Fact]) -> None:
        firsts = first_of_each(facts)
        known = await self._store.add(firsts)
        new = {id(fact) for fact in firsts if fact.fact_id not in known}
        self._counters.recorded([fact for fact in facts if id(fact) in new])
        self._counters.repeated([fact for fact in facts if id(fact) not in new])
