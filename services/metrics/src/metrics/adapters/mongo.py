"""Facts in MongoDB: one collection for each type, one document for each fact, inserted once and never changed."""

from collections.abc import Sequence
from typing import Any, Final

from antiphon.mongo import Collection, Database, Document, PyMongoError, insert_new, is_transient, ping, transient
from metrics.domain.facts import DecisionFact, DeliveryFact, EventFact, Fact

EVENTS: Final = "kpi_events"
DECISIONS: Final = "kpi_decisions"
DELIVERIES: Final = "kpi_deliveries"

PERIOD_INDEX: Final = [("brand", 1), ("event_time", 1)]
"""Every report asks for a period of a brand. Each further index would halve the rate of inserts again."""


class MongoFactStore:
    """Records facts; `_id` is the fact's own, so the store refuses what it has."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collections: dict[type[Fact], Collection] = {
            EventFact: database[EVENTS],
            DecisionFact: database[DECISIONS],
            DeliveryFact: database[DELIVERIES],
        }

    async def prepare(self) -> None:
        """Create the indexes that are missing. Raises Transient."""
        try:
            for collection in self._collections.values():
                await collection.create_index(PERIOD_INDEX)
        except PyMongoError as error:
            raise transient(error) from error

    async def reachable(self) -> bool:
        """Tell whether the store answers."""
        try:
            await ping(self._database)
        except PyMongoError:
            return False
        return True

    async def add(self, facts: Sequence[Fact]) -> set[str]:
        """Record facts of one type, each with an id of its own; return the ids that were there already.

        Raises Transient when the store is away, PyMongoError when it can never take these.
        """
        if not facts:
            return set()
        try:
            return await insert_new(self._collections[type(facts[0])], [document(fact) for fact in facts])
        except PyMongoError as error:
            if is_transient(error):
                raise transient(error) from error
            raise


def document(fact: Fact) -> Document:
    """Return the form in which a fact is kept: its words, times and derived milliseconds."""
    common: dict[str, Any] = {
        "_id": fact.fact_id,
        "brand": fact.brand,
        "platform": fact.platform,
        "channel": fact.channel,
        "kind": fact.kind,
        "event_time": fact.event_time,
        "received_time": fact.received_time,
    }
    match fact:
        case EventFact():
            return common | {"verb": fact.verb, "echo": fact.echo}
        case DecisionFact():
            return common | _decision(fact)
        case DeliveryFact():
            return common | _delivery(fact)


def _decision(fact: DecisionFact) -> Document:
    reasons: dict[str, int] = {}
    for rule in fact.rules:
        reasons[rule.reason] = reasons.get(rule.reason, 0) + 1
    return {
        "verb": fact.verb,
        "echo": fact.echo,
        "decided_time": fact.decided_time,
        "decide_ms": fact.decide_ms,
        "outcome": fact.outcome,
        "reason": fact.reason,
        "rule_ids": [rule.rule_id for rule in fact.rules],
        "rule_reasons": [{"reason": reason, "count": count} for reason, count in reasons.items()],
        "actions": [{"kind": action.kind, "mode": action.mode} for action in fact.actions],
        "action_count": len(fact.actions),
    }


def _delivery(fact: DeliveryFact) -> Document:
    return {
        "action_id": fact.action_id,
        "sequence": fact.sequence,
        "event_id": fact.event_id,
        "rule_id": fact.rule_id,
        "mode": fact.mode,
        "state": fact.state,
        "reason": fact.reason,
        "delivered_time": fact.delivered_time,
        "pipeline_ms": fact.pipeline_ms,
    }
