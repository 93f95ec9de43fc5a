"""Totals of a period from counts of facts. Every definition of a figure stands here, once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from metrics.domain.counts import DecisionCounts, DeliveryCount, DeliveryCounts, EventCount, Histogram, PairCount, Totals
from metrics.domain.facts import PLATFORM_EFFECTS, POSTED


class Counted(Protocol):
    """A row that stands for `count` facts."""

    @property
    def count(self) -> int:
        """How many."""
        ...


C = TypeVar("C", bound=Counted)

ANSWERABLE_KINDS = frozenset({"comment", "reply", "mention", "message", "review", "post", "story_mention"})
"""What a person can expect an answer to, when new and not the brand's own."""

ANSWERS = frozenset({"reply", "private_reply"})
"""The actions that answer a person."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Exact percentiles in milliseconds, of `count` measurements."""

    count: int
    p50: int | None
    p95: int | None
    p99: int | None


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


def summarize(
    *,
    events: Sequence[EventCount],
    decisions: DecisionCounts,
    deliveries: DeliveryCounts,
    posted_ms: Histogram,
    decided_ms: Histogram,
    lost: int,
) -> Summary:
    """Return the report of a period from its counts."""
    by_state = totals(deliveries.latest, lambda row: row.state)
    return Summary(
        events=_events(events),
        decisions=_decisions(decisions),
        actions=_actions(decisions.actions),
        deliveries=_deliveries(deliveries.latest, by_state),
        response=_response(events, deliveries.answered),
        automation=_automation(deliveries.latest),
        latency_ms=Latencies(_latency(posted_ms), _latency(decided_ms)),
        lost=lost,
        parked=by_state.get("parked", 0),
        waiting=by_state.get("waiting_approval", 0),
    )


def totals(rows: Iterable[C], word: Callable[[C], str]) -> Totals:
    """Return the sum of counts for each word, in alphabetical order."""
    sums: Totals = {}
    for row in rows:
        sums[word(row)] = sums.get(word(row), 0) + row.count
    return dict(sorted(sums.items()))


def share(part: int, whole: int) -> float | None:
    """Return part / whole; None of nothing."""
    return part / whole if whole else None


def _events(rows: Sequence[EventCount]) -> EventTotals:
    return EventTotals(
        total=sum(row.count for row in rows),
        by_platform=totals(rows, lambda row: row.platform),
        by_kind=totals(rows, lambda row: row.kind),
        by_verb=totals(rows, lambda row: row.verb),
        echoes=sum(row.count for row in rows if row.echo),
    )


def _decisions(counts: DecisionCounts) -> DecisionTotals:
    return DecisionTotals(
        total=sum(row.count for row in counts.outcomes),
        by_outcome=totals(counts.outcomes, lambda row: row.first),
        by_reason=totals(counts.outcomes, lambda row: row.second),
        by_rule_reason=dict(sorted(counts.rule_reasons.items())),
    )


def _actions(rows: Sequence[PairCount]) -> ActionTotals:
    return ActionTotals(
        total=sum(row.count for row in rows),
        by_kind=totals(rows, lambda row: row.first),
        by_mode=totals(rows, lambda row: row.second),
    )


def _deliveries(rows: Sequence[DeliveryCount], by_state: Totals) -> DeliveryTotals:
    reasons = {state: totals([row for row in rows if row.state == state], lambda row: row.reason) for state in by_state}
    return DeliveryTotals(total=sum(by_state.values()), by_state=by_state, reasons_by_state=reasons)


def _response(rows: Sequence[EventCount], answered: int) -> Response:
    answerable = sum(row.count for row in rows if row.kind in ANSWERABLE_KINDS and row.verb == "create" and not row.echo)
    return Response(answerable, answered, share(answered, answerable))


def _automation(rows: Sequence[DeliveryCount]) -> Automation:
    effects = [row for row in rows if row.state == POSTED and row.kind in PLATFORM_EFFECTS]
    approved = sum(row.count for row in effects if row.approved)
    auto = sum(row.count for row in effects if not row.approved)
    return Automation(auto, approved, share(auto, auto + approved))


def _latency(histogram: Histogram) -> Latency:
    return Latency(histogram.total, *(histogram.percentile(percent) for percent in (50, 95, 99)))
