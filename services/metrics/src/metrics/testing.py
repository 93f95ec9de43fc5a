"""Fakes of the ports, held to the same test body as the real adapters."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from metrics.domain.counts import DecisionCounts, DeliveryCount, DeliveryCounts, EventCount, Histogram, PairCount, Scope
from metrics.domain.facts import POSTED, DecisionFact, DeliveryFact, EventFact, Fact
from metrics.domain.summary import ANSWERS

F = TypeVar("F", EventFact, DecisionFact, DeliveryFact)


class MemoryFacts:
    """Facts in memory: a FactStore and FactCounts in the plainest words."""

    def __init__(self) -> None:
        self._facts: dict[tuple[type[Fact], str], Fact] = {}

    async def add(self, facts: Sequence[Fact]) -> set[str]:
        """Record facts of one type; return the ids that were there already."""
        known = {fact.fact_id for fact in facts if (type(fact), fact.fact_id) in self._facts}
        for fact in facts:
            self._facts.setdefault((type(fact), fact.fact_id), fact)
        return known

    async def events(self, scope: Scope) -> Sequence[EventCount]:
        """Return the events by sort."""
        counts = Counter((fact.platform, fact.kind, fact.verb, fact.echo) for fact in self._within(EventFact, scope))
        return [EventCount(*sort, count) for sort, count in counts.items()]

    async def decisions(self, scope: Scope) -> DecisionCounts:
        """Return the decisions by outcome, with their rules' reasons and their actions."""
        facts = self._within(DecisionFact, scope)
        outcomes = Counter((fact.outcome, fact.reason) for fact in facts)
        actions = Counter((action.kind, action.mode) for fact in facts for action in fact.actions)
        return DecisionCounts(
            outcomes=[PairCount(*pair, count) for pair, count in outcomes.items()],
            rule_reasons=dict(Counter(rule.reason for fact in facts for rule in fact.rules)),
            actions=[PairCount(*pair, count) for pair, count in actions.items()],
        )

    async def deliveries(self, scope: Scope) -> DeliveryCounts:
        """Return the actions by their latest delivery."""
        facts = sorted(self._within(DeliveryFact, scope), key=lambda fact: fact.sequence)
        latest = {fact.action_id: fact for fact in facts}
        approved = {fact.action_id for fact in facts if fact.state == "waiting_approval" or fact.mode == "approval"}
        counts = Counter((fact.state, fact.reason, fact.kind, fact.action_id in approved) for fact in latest.values())
        answered = {fact.event_id for fact in latest.values() if fact.state == POSTED and fact.kind in ANSWERS}
        return DeliveryCounts([DeliveryCount(*sort, count) for sort, count in counts.items()], len(answered))

    async def posted_ms(self, scope: Scope) -> Histogram:
        """Return platform time → posted in milliseconds, once for each action."""
        fastest: dict[str, int] = {}
        for fact in self._within(DeliveryFact, scope):
            if fact.pipeline_ms is not None:
                fastest[fact.action_id] = min(fact.pipeline_ms, fastest.get(fact.action_id, fact.pipeline_ms))
        return _histogram(fastest.values())

    async def decided_ms(self, scope: Scope) -> Histogram:
        """Return received → decided in milliseconds."""
        return _histogram(fact.decide_ms for fact in self._within(DecisionFact, scope) if fact.decide_ms is not None)

    async def undecided(self, scope: Scope, received_before: datetime) -> int:
        """Return the number of events received before that moment on which there is no decision."""
        events = [fact for fact in self._within(EventFact, scope) if fact.received_time < received_before]
        decided = {fact.event_id for fact in self._within(DecisionFact, scope)}
        return sum(fact.event_id not in decided for fact in events)

    def _within(self, kind: type[F], scope: Scope) -> list[F]:
        return [
            fact
            for fact in self._facts.values()
            if isinstance(fact, kind)
            and (scope.brands is None or fact.brand in scope.brands)
            and scope.start <= fact.event_time < scope.end
        ]


def _histogram(values: Iterable[int]) -> Histogram:
    return Histogram(sorted(Counter(values).items()))
