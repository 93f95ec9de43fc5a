"""Limits that cross authors: which events consumed them, so that a redelivery consumes nothing. Pure.

Windows are in event time and look both ways, so that events out of order cannot slip through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from publisher.domain.model import Limit, Order, Scope

KEEP = 172_800.0
"""Seconds that a consumption is kept past its window: two days of late or redelivered events."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """Event id → event time of what consumed one limit; `revision` counts the saves."""

    revision: int = 0
    events: Mapping[str, float] = field(default_factory=dict)


def key_of(order: Order, limit: Limit) -> str:
    """Return the name of what a limit counts over: `brand/…`; only a brand's limit is shared by its rules."""
    over = {
        Scope.BRAND: "",
        Scope.RULE: order.rule_id,
        Scope.OBJECT: f"{order.rule_id}/{order.platform}/{order.root or order.target}",
        Scope.THREAD: f"{order.rule_id}/{order.platform}/{order.thread}",
    }
    return f"{order.brand}/{limit.scope}/{over[limit.scope]}"


def admit(consumed: Consumed, limit: Limit, event_id: str, event_time: float) -> Consumed | None:
    """Return what is consumed with this event, the same object when it had consumed before, None when it is too many."""
    if event_id in consumed.events:
        return consumed
    near = sum(1 for moment in consumed.events.values() if not limit.within or abs(moment - event_time) < limit.within)
    if near >= limit.at_most:
        return None
    horizon = max([event_time, *consumed.events.values()]) - limit.within - KEEP
    kept = {name: moment for name, moment in consumed.events.items() if not limit.within or moment >= horizon}
    return Consumed(consumed.revision, {**kept, event_id: event_time})
