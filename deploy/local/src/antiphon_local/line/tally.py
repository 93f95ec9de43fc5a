"""What the topics say, counted independently of the services: the live view reads it, and the final judgement."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from antiphon.times import from_timestamp
from antiphon.v1.decision_pb2 import ActionKind, Decision, Outcome, Reason
from antiphon.v1.delivery_pb2 import Delivery, DeliveryState
from antiphon.v1.event_pb2 import Event, EventKind, Verb

_FINAL = {
    DeliveryState.DELIVERY_STATE_POSTED: "posted",
    DeliveryState.DELIVERY_STATE_FAILED: "failed",
    DeliveryState.DELIVERY_STATE_SUPPRESSED: "suppressed",
    DeliveryState.DELIVERY_STATE_SHADOWED: "shadowed",
    DeliveryState.DELIVERY_STATE_REJECTED: "rejected",
    DeliveryState.DELIVERY_STATE_PARKED: "parked",
    DeliveryState.DELIVERY_STATE_WAITING_APPROVAL: "parked",
}
"""Terminal states, and those in which a person is waited for."""

_COMMENTS = {EventKind.EVENT_KIND_COMMENT, EventKind.EVENT_KIND_REPLY}

PERCENTILES = (50, 95, 99)


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """Return p50, p95 and p99 (nearest rank), 0 where there are no values."""
    ordered = sorted(values)
    return {f"p{p}": round(ordered[max(0, -(-len(ordered) * p // 100) - 1)], 1) if ordered else 0.0 for p in PERCENTILES}


@dataclass(slots=True)
class _ActionFate:
    sequence: int = 0
    state: str = ""
    kind: str = ""


@dataclass(slots=True)
class Tally:
    """Distinct events, decisions and deliveries."""

    events: dict[str, bool] = field(default_factory=dict)
    """Event id → whether it is a comment that a person wrote."""
    duplicates: int = 0
    decisions: dict[str, frozenset[str]] = field(default_factory=dict)
    """Event id → its action ids."""
    contradictions: int = 0
    """Decisions of one event that ask for different actions."""
    outcomes: Counter[str] = field(default_factory=Counter)
    actions: dict[str, _ActionFate] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """The last replies decided, for the view: rule id, text."""

    def add_event(self, event: Event) -> None:
        """Count an event once."""
        if event.event_id in self.events:
            self.duplicates += 1
        else:
            self.events[event.event_id] = event.verb == Verb.VERB_CREATE and event.kind in _COMMENTS and not event.echo

    def add_decision(self, decision: Decision) -> None:
        """Count a decision once; a repeated one must ask for the same."""
        asked = frozenset(action.action_id for action in decision.actions)
        if decision.event_id in self.decisions:
            self.contradictions += self.decisions[decision.event_id] != asked
            return
        self.decisions[decision.event_id] = asked
        self.outcomes[_outcome(decision)] += 1
        for rule in decision.rules:
            if rule.reason:
                self.outcomes[f"rule:{_word(Reason.Name(rule.reason), 'REASON_')}"] += 1
        for action in decision.actions:
            self.actions.setdefault(action.action_id, _ActionFate()).kind = _word(ActionKind.Name(action.kind), "ACTION_KIND_")
            if action.text:
                self.texts[:] = [*self.texts[-4:], (action.rule_id, action.text)]

    def add_delivery(self, delivery: Delivery) -> None:
        """Keep the latest state of an action."""
        fate = self.actions.setdefault(delivery.action_id, _ActionFate())
        if delivery.sequence <= fate.sequence:
            return
        fate.sequence = delivery.sequence
        fate.state = _FINAL.get(delivery.state, "")
        if delivery.state == DeliveryState.DELIVERY_STATE_POSTED:
            waited = from_timestamp(delivery.delivered_time) - from_timestamp(delivery.event_time)
            self.latencies_ms.append(waited.total_seconds() * 1000)

    def settled(self) -> bool:
        """Tell whether every event is decided and every action has come to its end or waits for a person."""
        return self.events.keys() <= self.decisions.keys() and all(fate.state for fate in self.actions.values())

    def heard(self) -> int:
        """Return the number of comments that people wrote."""
        return sum(self.events.values())

    def undecided(self) -> int:
        """Return the number of events without a decision."""
        return len(self.events.keys() - self.decisions.keys())

    def fates(self) -> Counter[str]:
        """Return the number of actions in each final state; `open` for those without one."""
        return Counter(fate.state or "open" for fate in self.actions.values())


def _outcome(decision: Decision) -> str:
    word = _word(Outcome.Name(decision.outcome), "OUTCOME_")
    return f"{word}:{_word(Reason.Name(decision.reason), 'REASON_')}" if decision.reason else word


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()
