"""Totals of a period. Every definition of a figure stands here, once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from metrics.domain.counts import Histogram, Totals, summed
from metrics.domain.facts import PLATFORM_EFFECTS, POSTED
from metrics.domain.hour import Hour, Table, each, together
from metrics.domain.reports.figures import Latency, latency, ratio

PARTS = ("counts", "undecided", "latency")
"""What the report reads of each hour."""

ANSWERABLE_KINDS = frozenset({"comment", "reply", "mention", "message", "review", "post", "story_mention"})
"""What a person can expect an answer to, when new and not the brand's own."""


@dataclass(frozen=True, slots=True)
class EventTotals:
    """Events of the period; `echoes` are those by the brand's own account."""

    total: int
    by_platform: Totals
    by_kind: Totals
    by_verb: Totals
    echoes: int


@dataclass(frozen=True, slots=True)
class DecisionTotals:
    """Decisions on events of the period; `by_rule_reason` counts rules, of which one event may match many."""

    total: int
    by_outcome: Totals
    by_reason: Totals
    by_rule_reason: Totals


@dataclass(frozen=True, slots=True)
class ActionTotals:
    """Actions that were decided."""

    total: int
    by_kind: Totals
    by_mode: Totals


@dataclass(frozen=True, slots=True)
class DeliveryTotals:
    """Actions by the state and reason of their latest delivery; `total` counts actions, never attempts."""

    total: int
    by_state: Totals
    reasons_by_state: dict[str, Totals]


@dataclass(frozen=True, slots=True)
class Response:
    """`rate` = answered / answerable; None when nothing could be answered."""

    answerable: int
    answered: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Automation:
    """Posted effects with and without a person's approval; `share` = auto / both, None when nothing was posted."""

    auto: int
    approved: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Latencies:
    """Platform time → posted, received → decided."""

    platform_to_posted: Latency
    received_to_decided: Latency


@dataclass(frozen=True, slots=True)
class Summary:
    """The report."""

    events: EventTotals
    decisions: DecisionTotals
    actions: ActionTotals
    deliveries: DeliveryTotals
    response: Response
    automation: Automation
    latency_ms: Latencies
    lost: int
    parked: int
    waiting: int


def summarize(hours: Sequence[Hour], *, received_before_ms: int) -> Summary:
    """Return the report of a period; events received before that moment must have a decision by now."""
    families = split(hours, "counts")
    deliveries = families.get("delivery", {})
    by_state = _by(deliveries, 0)
    waiting = (hour.undecided["received"] for hour in hours if hour.undecided)
    return Summary(
        events=_events(families.get("event", {})),
        decisions=_decisions(families.get("outcome", {}), families.get("rule", {})),
        actions=_actions(families.get("action", {})),
        deliveries=_deliveries(deliveries, by_state),
        response=response(families),
        automation=automation(deliveries),
        latency_ms=Latencies(latency(measured(hours, "posted")), latency(measured(hours, "decided"))),
        lost=sum(received < received_before_ms for column in waiting for received in column),
        parked=by_state.get("parked", 0),
        waiting=by_state.get("waiting_approval", 0),
    )


def split(hours: Sequence[Hour], part: str) -> dict[str, Table]:
    """Return the sums of a part whose keys begin with a family: family → rest of the key → values."""
    families: dict[str, Table] = {}
    for (family, *rest), values in each(hours, part):
        table = families.setdefault(str(family), {})
        row = table.get(key := tuple(rest))
        if row is None:
            table[key] = list(values)
        else:
            row[0] += values[0]
    return families


def measured(hours: Sequence[Hour], family: str) -> Histogram:
    """Return the distribution of a family of latencies."""
    return Histogram(Counter(together(hours, "latency", family)))


def response(families: dict[str, Table]) -> Response:
    """Return how many could be answered and were."""
    answerable = sum(
        count
        for (_, kind, verb, echo), [count] in families.get("event", {}).items()
        if kind in ANSWERABLE_KINDS and verb == "create" and not echo
    )
    [answered] = families.get("answered", {}).get((), [0])
    return Response(answerable, answered, ratio(answered, answerable))


def automation(deliveries: Table) -> Automation:
    """Return how many effects were posted with and without a person's approval."""
    effects = [
        (approved, count)
        for (state, _, kind, approved), [count] in deliveries.items()
        if state == POSTED and kind in PLATFORM_EFFECTS
    ]
    by_person = sum(count for approved, count in effects if approved)
    auto = sum(count for approved, count in effects if not approved)
    return Automation(auto, by_person, ratio(auto, auto + by_person))


def _by(table: Table, position: int) -> Totals:
    return summed((str(key[position]), values[0]) for key, values in table.items())


def _total(table: Table) -> int:
    return sum(values[0] for values in table.values())


def _events(table: Table) -> EventTotals:
    echoes = sum(values[0] for key, values in table.items() if key[3])
    return EventTotals(_total(table), _by(table, 0), _by(table, 1), _by(table, 2), echoes)


def _decisions(outcomes: Table, rules: Table) -> DecisionTotals:
    return DecisionTotals(_total(outcomes), _by(outcomes, 0), _by(outcomes, 1), _by(rules, 0))


def _actions(table: Table) -> ActionTotals:
    return ActionTotals(_total(table), _by(table, 0), _by(table, 1))


def _deliveries(table: Table, by_state: Totals) -> DeliveryTotals:
    reasons = {state: _by({key: values for key, values in table.items() if key[0] == state}, 1) for state in by_state}
    return DeliveryTotals(total=sum(by_state.values()), by_state=by_state, reasons_by_state=reasons)
