"""Periods: how a span of time is cut into points of a calendar, and into pieces that hours can answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)

GRANULARITIES = ("none", "hour", "day", "week", "month")

POINTS_MOST = 800
"""Points of one report: a month of hours. More is a file of megabytes that nobody reads."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report covers: event times in [start, end); `brands` None: every brand."""

    brands: frozenset[str] | None
    start: datetime
    end: datetime

    def before(self) -> "Scope":
        """Return the period of the same length right before. Raises OverflowError at the calendar's beginning."""
        return Scope(self.brands, self.start - (self.end - self.start), self.start)


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end)."""

    start: datetime
    end: datetime


def points(scope: Scope, granularity: str, zone: ZoneInfo) -> list[Span]:
    """Return the points of a period by the calendar of a zone; the first and the last may be cut by the period.

    A day is what the calendar there calls one: 23 or 25 hours long where clocks are changed. At most POINTS_MOST + 1 are
    returned.
    """
    if granularity == "none":
        return []
    spans: list[Span] = []
    start = scope.start
    while start < scope.end and len(spans) <= POINTS_MOST:
        following = min(_next(start, granularity, zone), scope.end)
        spans.append(Span(start, following))
        start = following
    return spans


def cuts(scope: Scope, spans: Sequence[Span]) -> Iterator[Span]:
    """Yield the pieces of a period: cut at every full hour (UTC) and at the ends of every span."""
    edges = sorted({scope.start, scope.end, *(span.start for span in spans)})
    for start, end in pairwise(edges):
        while start < end:
            following = min(floor(start) + HOUR, end)
            yield Span(start, following)
            start = following


def floor(moment: datetime) -> datetime:
    """Return the beginning of the hour (UTC)."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def is_hour(span: Span) -> bool:
    """Tell whether a piece is a full hour."""
    return span.end - span.start == HOUR and span.start == floor(span.start)


def _next(moment: datetime, granularity: str, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    if granularity == "hour":
        begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return moment - begun + HOUR
    today = local.date()
    following = {"day": today + timedelta(days=1), "week": _monday_after(today), "month": _month_after(today)}[granularity]
    return datetime.combine(following, time(), zone).astimezone(UTC)


def _monday_after(today: date) -> date:
    return today + timedelta(days=7 - today.weekday())


def _month_after(today: date) -> date:
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)
