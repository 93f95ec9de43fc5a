"""Holds: when automation waited for people, why, who resumed it, and what waits now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from metrics.domain.facts import Hold
from metrics.domain.hour import Hour
from metrics.domain.reports.figures import Described
from metrics.domain.reports.summary import split

PARTS = ("counts",)
"""What the report reads of each hour."""


@dataclass(frozen=True, slots=True)
class Held(Described):
    """One hold that was in force in the period."""

    brand: str
    hold: str
    since: datetime | None
    """When it began."""
    until: datetime | None
    """When a person resumed; null: it is still in force, as far as is known here."""
    seconds: float | None
    """How long it lasted; null while it lasts."""
    scope: str
    """`brand`, or the words that narrow it: platform, campaign, topic, rule."""
    mode: str
    """At least this strict."""
    severity: int
    """1 to 10; 0: set by a person."""
    reason: str
    notice_only: bool
    """People were told and nothing was held."""
    resumed_by: str | None
    """Id of the key that resumed."""


@dataclass(frozen=True, slots=True)
class GuardReport(Described):
    """Holds in force at some time of the period."""

    holds: list[Held]
    """The latest first."""
    holds_by_guard: int
    """Those that the crisis guard set."""
    holds_by_people: int
    """Those that a person set."""
    notices: int
    """Times that people were told and nothing was held."""
    active: int
    """Holds that are still in force."""
    median_seconds: float | None
    """Median length of those that ended."""
    waiting_approvals: int
    """Actions on events of the period that wait for a person's approval now."""


def guard(hours: Sequence[Hour], holds: Sequence[Hold], start: datetime, end: datetime) -> GuardReport:
    """Return the report of [start, end)."""
    chains: dict[tuple[str, str], list[Hold]] = {}
    for hold in sorted(holds, key=lambda hold: hold.generation):
        chains.setdefault((hold.brand, hold.hold), []).append(hold)
    held = [one for chain in chains.values() for one in _times(chain) if _touches(one, start, end)]
    held.sort(key=lambda one: (-(one.since.timestamp() if one.since else 0.0), one.hold))
    real = [one for one in held if not one.notice_only]
    lengths = [one.seconds for one in real if one.seconds is not None]
    waiting = split(hours, "counts").get("delivery", {})
    return GuardReport(
        holds=held,
        holds_by_guard=sum(one.severity > 0 for one in real),
        holds_by_people=sum(one.severity == 0 for one in real),
        notices=len(held) - len(real),
        active=sum(one.until is None for one in real),
        median_seconds=median(lengths) if lengths else None,
        waiting_approvals=sum(values[0] for key, values in waiting.items() if key[0] == "waiting_approval"),
    )


def _times(chain: Sequence[Hold]) -> list[Held]:
    """Return each time that a hold was in force: from a generation that sets it to the next one that ends it."""
    found: list[Held] = []
    current: Hold | None = None
    latest = chain[0]
    for hold in chain:
        if hold.active:
            current = current or hold
            latest = hold
        elif current is not None:
            found.append(_held(current, latest, hold))
            current = None
        elif hold is chain[0]:  # the compacted feed may have kept the end alone: it states the beginning as well
            found.append(_held(hold, hold, hold))
    if current is not None:
        found.append(_held(current, latest, None))
    return found


def _held(first: Hold, latest: Hold, ended: Hold | None) -> Held:
    until = ended.changed_time if ended else None
    words = {"platform": latest.platform, "campaign": latest.campaign, "topic": latest.topic, "rule": latest.rule_id}
    return Held(
        brand=first.brand,
        hold=first.hold,
        since=first.since_time,
        until=until,
        seconds=(until - first.since_time).total_seconds() if until and first.since_time else None,
        scope=", ".join(f"{name} {word}" for name, word in words.items() if word) or "brand",
        mode=latest.mode,
        severity=latest.severity,
        reason=latest.reason,
        notice_only=latest.notice_only,
        resumed_by=ended.actor if ended else None,
    )


def _touches(held: Held, start: datetime, end: datetime) -> bool:
    return (held.since is None or held.since < end) and (held.until is None or held.until >= start)
