"""Limits that cross authors: which events consumed them, so that a redelivery consumes nothing. Pure.

Windows are in event time and look both ways, so that events out of order cannot slip through.

Actions of one event share what it consumed, so each is noted as a holder; when the last holder has come to nothing, the
event gives back what it took. A holder is noted with the revision of its ledger entry at which it asked. Giving back
carries the revision at which the entry came to nothing, and takes off only holders that asked before: so one that comes
late takes nothing from an entry that a person has had sent again meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from antiphon.windows import fits
from publisher.domain.model import Limit, Order, Scope

KEEP = 172_800.0
"""Seconds that a consumption is kept past its window: two days of late or redelivered events."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """Event id → event time of what consumed one limit; `revision` counts the saves.

    `holders`: event id → action id → the entry's revision. An event without holders is older than this note; it stays.
    `longest`: the longest window in seconds that was ever counted here; rules that share a brand's limit may differ in theirs.
    """

    revision: int = 0
    events: Mapping[str, float] = field(default_factory=dict)
    holders: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    longest: float = 0.0


def key_of(order: Order, limit: Limit) -> str:
    """Return the name of what a limit counts over: `brand/…`; only a brand's limit is shared by its rules."""
    over = {
        Scope.BRAND: "",
        Scope.RULE: order.rule_id,
        Scope.OBJECT: f"{order.rule_id}/{order.platform}/{order.root or order.target}",
        Scope.THREAD: f"{order.rule_id}/{order.platform}/{order.thread}",
    }
    return f"{order.brand}/{limit.scope}/{over[limit.scope]}"


def admit(consumed: Consumed, wanted: Sequence[Limit], order: Order, asked: int) -> Consumed | Limit:
    """Return what is consumed with this action, the same object when nothing is new, or the limit that keeps it back.

    `wanted`: the action's limits over this key, several if their windows differ; `asked`: the revision of its entry.
    """
    name, when = order.event_id, order.event_time
    if name in consumed.events:
        return _joined(consumed, name, order.action_id, asked)
    moments = sorted(consumed.events.values())
    for limit in wanted:
        if not fits(moments, when, limit.at_most, limit.within or inf):
            return limit
    longest = max(consumed.longest, *(limit.within or inf for limit in wanted))
    horizon = max([when, *moments]) - longest - KEEP
    events = {event: moment for event, moment in consumed.events.items() if moment >= horizon}
    holders = {event: held for event, held in consumed.holders.items() if event in events}
    return Consumed(consumed.revision, {**events, name: when}, {**holders, name: {order.action_id: asked}}, longest)


def _joined(consumed: Consumed, event: str, action_id: str, asked: int) -> Consumed:
    held = consumed.holders.get(event)
    if held is None or held.get(action_id, -1) >= asked:
        return consumed
    return replace(consumed, holders={**consumed.holders, event: {**held, action_id: asked}})


def give_back(consumed: Consumed, order: Order, ended: int) -> Consumed:
    """Return what is consumed without this action, the same object when it holds nothing.

    `ended`: the revision of the action's entry at which it came to nothing.
    """
    held = consumed.holders.get(order.event_id, {})
    if held.get(order.action_id, ended) >= ended:
        return consumed
    others = {name: asked for name, asked in held.items() if name != order.action_id}
    if others:
        return replace(consumed, holders={**consumed.holders, order.event_id: others})
    events = {event: moment for event, moment in consumed.events.items() if event != order.event_id}
    holders = {event: names for event, names in consumed.holders.items() if event in events}
    return replace(consumed, events=events, holders=holders)
