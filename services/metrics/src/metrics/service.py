"""The two use cases: record facts, report on them."""

from collections.abc import Sequence
from datetime import timedelta

from antiphon import failpoints
from antiphon.clock import Clock
from metrics.domain.counts import Scope
from metrics.domain.facts import Fact, by_kind, first_of_each
from metrics.domain.summary import Summary, summarize
from metrics.ports import Counters, FactCounts, FactStore


class RecordService:
    """Records each fact once, however often it is delivered."""

    def __init__(self, *, store: FactStore, counters: Counters) -> None:
        self._store = store
        self._counters = counters

    async def record(self, facts: Sequence[Fact]) -> None:
        """Return once all facts are durable. Raises Transient; repeating the whole batch is then harmless."""
        failpoints.hit("metrics.before_write")
        for group in by_kind(facts):
            await self._record_one_kind(group)
        failpoints.hit("metrics.after_write")

    async def _record_one_kind(self, facts: Sequence[Fact]) -> None:
        firsts = first_of_each(facts)
        known = await self._store.add(firsts)
        new = {id(fact) for fact in firsts if fact.fact_id not in known}
        self._counters.recorded([fact for fact in facts if id(fact) in new])
        self._counters.repeated([fact for fact in facts if id(fact) not in new])


class ReportService:
    """Rebuilds totals from facts; nothing is ever incremented."""

    def __init__(self, *, counts: FactCounts, clock: Clock, lost_grace: timedelta) -> None:
        self._counts = counts
        self._clock = clock
        self.lost_grace = lost_grace

    async def summary(self, scope: Scope) -> Summary:
        """Return the totals of a period. Raises Transient when the store is away or too slow."""
        # One after the other: a report must not crowd out the writes that share the store.
        return summarize(
            events=await self._counts.events(scope),
            decisions=await self._counts.decisions(scope),
            deliveries=await self._counts.deliveries(scope),
            posted_ms=await self._counts.posted_ms(scope),
            decided_ms=await self._counts.decided_ms(scope),
            lost=await self._counts.undecided(scope, self._clock.now() - self.lost_grace),
        )
