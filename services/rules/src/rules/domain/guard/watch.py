"""The guard's state: what is counted of every scope, and which crises are on. Deterministic: time comes in as an argument."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rules.domain.guard.baseline import RESTING, Known, Usual, learn
from rules.domain.guard.counts import BUCKET, HOUR, Bucket, Counts, Heard, Scope
from rules.domain.guard.repeats import Repeats
from rules.domain.guard.severity import Look, Terms, look

CALM = 3_600.0
"""Seconds below the threshold after which a crisis is over: one that flares up again sooner is the same, and its hold too."""

MOST_SCOPES = 500
"""Of a brand. What is named beyond them is counted for the brand and its platform alone."""

LATEST = 300.0
"""Seconds by which an event may claim to be later than it was received; clocks differ. Beyond that its time is not believed."""

SAME = 0.95
"""A part with more of the brand's events than this is the brand, and is not looked at beside it."""

CULPRIT = 0.5
"""A part with at least this share of the last hour's negative events may be where all of it comes from."""

NOTICE, HOLD = 1, 2
"""How far a crisis has gone."""


@dataclass(slots=True)
class Incident:
    """A crisis: since when, when it was last seen, how far it has gone (`NOTICE`, `HOLD`), and how far people were told."""

    start: float
    last: float
    level: int = 0
    told: int = 0
    severity: int = 0


@dataclass(slots=True)
class Watched:
    """One scope. `offsets`: partition → the offset up to which (included) its records are counted here.

    `look` is the newest; `changed` tells whether it differs from what is stored. `heard`: the time of the negative statement that
    was counted last, 0 while none was since the start; `tipped`: of the one with which the crisis went as far as it has.
    """

    scope: Scope
    counts: Counts = field(default_factory=Counts)
    offsets: dict[int, int] = field(default_factory=dict)
    incident: Incident | None = None
    look: Look | None = None
    version: int = 0
    changed: bool = True
    learnt: tuple[tuple[int, int], Usual] | None = None
    heard: float = 0.0
    tipped: float = 0.0

    def usual(self, now: float, min_events: int) -> Usual:
        """Return what is usual; it is learnt once an hour."""
        known_by = int(now // HOUR), min_events
        if self.learnt is None or self.learnt[0] != known_by:
            self.learnt = known_by, learn(self.counts, now, min_events)
        return self.learnt[1]


class _Without:
    """What is left of a scope's counts without those of a part of it."""

    def __init__(self, whole: Counts, part: Counts) -> None:
        self._whole, self._part = whole, part

    def window(self, end: float, seconds: float) -> Bucket:
        whole, part = self._whole.window(end, seconds), self._part.window(end, seconds)
        return Bucket(
            said=max(0, whole.said - part.said),
            negative=max(0, whole.negative - part.negative),
            reach=whole.reach - part.reach,
            known=max(0, whole.known - part.known),
        )

    def largest_thread(self, end: float) -> int:
        return 0


class Watch:
    """All scopes of all brands."""

    def __init__(self, watched: Iterable[Watched] = (), repeats: Mapping[int, Repeats] | None = None) -> None:
        self._brands: dict[str, dict[Scope, Watched]] = {}
        for one in watched:
            self._brands.setdefault(one.scope.brand, {})[one.scope] = one
        self.repeats = dict(repeats or {})
        self.moved: set[int] = set()
        """Partitions whose repeats differ from what is stored."""
        self.watermark = max((hour * HOUR for one in self.all() for hour in one.counts.hours), default=0.0)

    @property
    def brands(self) -> list[str]:
        """Return the brands that were heard of."""
        return list(self._brands)

    def all(self) -> Iterable[Watched]:
        """Return everything that is watched."""
        return (one for scopes in self._brands.values() for one in scopes.values())

    def of(self, brand: str) -> list[Watched]:
        """Return what is watched of a brand."""
        return list(self._brands.get(brand, {}).values())

    def take(self, heard: Heard) -> bool:
        """Count a decision for each of its scopes unless it is counted there; False when it only repeats another."""
        repeats = self.repeats.get(heard.partition)
        if repeats is None:
            repeats = self.repeats[heard.partition] = Repeats()
        self.moved.add(heard.partition)
        if not repeats.is_new(heard.event_id, heard.offset):
            return False
        self.watermark = max(self.watermark, heard.time)
        scopes = self._brands.setdefault(heard.brand, {})
        for scope in heard.scopes:
            one = scopes.get(scope)
            if one is None:
                if len(scopes) >= MOST_SCOPES:
                    continue
                one = scopes[scope] = Watched(scope)
            if one.offsets.get(heard.partition, -1) < heard.offset:
                one.offsets[heard.partition] = heard.offset
                one.counts.add(heard, self.watermark)
                one.changed = True
                if heard.negative:
                    one.heard = heard.time
                if heard.time < self.watermark - (RESTING + 1) * HOUR:
                    one.learnt = None  # the past is another than the baseline was learnt from
        return True

    def look(self, brand: str, now: float, terms: Terms) -> list[Watched]:
        """Look at a brand; return the scopes whose crisis has begun or gone further and whose people do not know."""
        scopes = self._brands.get(brand, {})
        whole = scopes.get(Scope(brand))
        if whole is None:
            return []
        parts = [one for scope, one in scopes.items() if not scope.whole and not _is_all(one, whole)]
        terms = replace(terms, scopes=1 + len(parts))
        for one in (*parts, whole):
            seen = look(one.counts, one.usual(now, terms.min_events), now, terms)
            if seen != one.look:
                one.look, one.changed = seen, True
        severities = _blame(whole, parts, now, terms)
        held = whole.incident is not None and whole.incident.level >= HOLD
        for one in (*parts, whole):
            _move(one, severities[one.scope], now, terms, quiet=held and one is not whole)
        return [one for one in (*parts, whole) if one.incident is not None and one.incident.told < one.incident.level]

    def forget(self, now: float) -> None:
        """Drop what is too old to matter."""
        for one in self.all():
            one.counts.forget(now)


def _is_all(part: Watched, whole: Watched) -> bool:
    said = sum(hour.said for hour in part.counts.hours.values())
    return said >= SAME * sum(hour.said for hour in whole.counts.hours.values())


def _severity(one: Watched) -> int:
    return one.look.severity if one.look is not None else 1


def _blame(whole: Watched, parts: list[Watched], now: float, terms: Terms) -> dict[Scope, int]:
    """Return each scope's severity; what comes from a part alone is put down to the part, and the rest judged without it."""
    severities = {one.scope: _severity(one) for one in (*parts, whole)}
    platforms = [one for one in parts if one.scope.platform]
    themes = [one for one in parts if not one.scope.platform]
    for larger, smaller in (*((platform, themes) for platform in platforms), (whole, themes), (whole, platforms)):
        if severities[larger.scope] < terms.notify_at:
            continue
        culprit, rest = _culprit(larger, smaller, now, terms)
        if culprit is not None:
            severities[culprit.scope] = max(severities[culprit.scope], severities[larger.scope])
            severities[larger.scope] = rest
    return severities


def _culprit(whole: Watched, parts: list[Watched], now: float, terms: Terms) -> tuple[Watched | None, int]:
    negative, usual = whole.counts.window(now, HOUR).negative, whole.usual(now, terms.min_events)
    ranked = sorted(parts, key=lambda one: -one.counts.window(now, HOUR).negative)
    for part in ranked[:1]:
        if part.counts.window(now, HOUR).negative < CULPRIT * negative or usual.known is Known.COLD:
            continue
        rest = look(_Without(whole.counts, part.counts), usual, now, terms)
        if rest.severity < terms.notify_at:
            return part, rest.severity
    return None, 0


def _move(one: Watched, severity: int, now: float, terms: Terms, *, quiet: bool) -> None:
    """Let a crisis begin, go further, or end. `quiet`: the whole brand waits already, so that nobody need be told of a part."""
    incident = one.incident
    if severity < terms.notify_at:
        if incident is not None and now - incident.last > CALM:
            one.incident, one.changed = None, True
        return
    if incident is None:
        incident = one.incident = Incident(start=now // BUCKET * BUCKET, last=now)
    incident.last = max(incident.last, now)
    incident.severity = max(incident.severity, severity)
    level = HOLD if severity >= terms.hold_at else NOTICE
    if level > incident.level:
        incident.level, one.tipped = level, one.heard or now
    if quiet:
        incident.told = incident.level
    one.changed = True
