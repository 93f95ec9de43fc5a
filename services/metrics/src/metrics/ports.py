"""What the use cases need from the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from metrics.domain.counts import DecisionCounts, DeliveryCounts, EventCount, Histogram, Scope
from metrics.domain.facts import Fact


class FactStore(Protocol):
    """Where facts are kept."""

    async def add(self, facts: Sequence[Fact]) -> set[str]:
        """Record facts of one type, each with an id of its own; return the ids that were there already.

        Durable when it returns, and idempotent. Raises Transient.
        """
        ...


class Counters(Protocol):
    """What dashboards and alerts count."""

    def recorded(self, facts: Sequence[Fact]) -> None:
        """Count facts that are new."""
        ...

    def repeated(self, facts: Sequence[Fact]) -> None:
        """Count facts that had been recorded before."""
        ...


class FactCounts(Protocol):
    """Counts over the facts of a period, exact. Every method raises Transient."""

    async def events(self, scope: Scope) -> Sequence[EventCount]:
        """Return the events by sort."""
        ...

    async def decisions(self, scope: Scope) -> DecisionCounts:
        """Return the decisions by outcome, with their rules' reasons and their actions."""
        ...

    async def deliveries(self, scope: Scope) -> DeliveryCounts:
        """Return the actions by their latest delivery."""
        ...

    async def posted_ms(self, scope: Scope) -> Histogram:
        """Return platform time → posted in milliseconds, once for each action."""
        ...

    async def decided_ms(self, scope: Scope) -> Histogram:
        """Return received → decided in milliseconds."""
        ...

    async def undecided(self, scope: Scope, received_before: datetime) -> int:
        """Return the number of events received before that moment on which there is no decision.

        A decision carries its event's brand and time, so that both lie in the same scope.
        """
        ...
