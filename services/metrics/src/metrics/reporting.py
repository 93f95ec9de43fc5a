"""The use case of the API: reports over a period, its points, and the period before."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from antiphon.clock import Clock
from metrics.domain.fold import epoch_ms
from metrics.domain.hour import Hour, Piece
from metrics.domain.periods import Scope, Span, points
from metrics.domain.reports import campaigns, cobra, ewom, guard, influencers, responses, summary
from metrics.ports import HoldStore, Names, Tree, TreeStore
from metrics.reading import Reader

B = TypeVar("B")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for; `compare`: the period of the same length right before as well."""

    scope: Scope
    granularity: str
    zone: ZoneInfo
    compare: bool


@dataclass(frozen=True, slots=True)
class Point(Generic[B]):
    """A report's body over a span."""

    span: Span
    body: B


@dataclass(frozen=True, slots=True)
class Reported(Generic[B]):
    """A report's body over the period, its points, and the period before."""

    total: B
    series: Sequence[Point[B]]
    before: Point[B] | None


@dataclass(frozen=True, slots=True)
class Cascades:
    """The largest trees, and how many hours are not in the trees yet."""

    trees: Sequence[Tree]
    pending_hours: int


_Make = Callable[[Sequence[Piece], Span], B]


class ReportService:
    """Makes reports from hours; nothing is ever incremented. Every method raises Transient when the store is away or too slow."""

    def __init__(
        self, *, reader: Reader, trees: TreeStore, holds: HoldStore, names: Names, clock: Clock, lost_grace: timedelta
    ) -> None:
        self._reader = reader
        self._trees = trees
        self._holds = holds
        self._names = names
        self._clock = clock
        self.lost_grace = lost_grace

    async def summary(self, query: Query) -> Reported[summary.Summary]:
        """Return the totals."""
        before = epoch_ms(self._clock.now() - self.lost_grace)
        return await self._report(
            query, summary.PARTS, lambda pieces, _: summary.summarize(_hours(pieces), received_before_ms=before)
        )

    async def cobra(self, query: Query) -> Reported[cobra.Cobra]:
        """Return activities and people by level."""
        return await self._report(query, cobra.PARTS, lambda pieces, _: cobra.cobra(_hours(pieces)))

    async def ewom(self, query: Query) -> Reported[ewom.Ewom]:
        """Return word of mouth."""
        return await self._report(query, ewom.PARTS, lambda pieces, _: ewom.ewom(_hours(pieces)))

    async def cascades(self, scope: Scope, count: int) -> Cascades:
        """Return the largest trees of replies and shares."""
        return Cascades(await self._trees.largest(scope, count), await self._reader.pending(scope))

    async def campaigns(self, query: Query) -> Reported[campaigns.Campaigns]:
        """Return entries, clicks and conversions by campaign."""
        return await self._report(query, campaigns.PARTS, lambda pieces, _: campaigns.campaigns(_hours(pieces)))

    async def influencers(self, query: Query, count: int) -> Reported[influencers.Influencers]:
        """Return advocates and detractors, with names."""

        def make(pieces: Sequence[Piece], span: Span) -> influencers.Influencers:
            return influencers.influencers(pieces, span.end.timestamp(), count)

        found = await self._report(query, influencers.PARTS, make)
        bodies = [found.total, *(point.body for point in found.series), *([found.before.body] if found.before else [])]
        names = await self._names.names(_people(bodies))
        return _mapped(found, lambda body: influencers.named(body, names))

    async def responses(self, query: Query, target_s: float) -> Reported[responses.Responses]:
        """Return how the brand answers."""
        return await self._report(query, responses.PARTS, lambda pieces, _: responses.responses(_hours(pieces), target_s))

    async def guard(self, query: Query) -> Reported[guard.GuardReport]:
        """Return the holds."""
        holds = await self._holds.holds(query.scope.brands, query.scope.end)
        return await self._report(
            query, guard.PARTS, lambda pieces, span: guard.guard(_hours(pieces), holds, span.start, span.end)
        )

    async def _report(self, query: Query, parts: Sequence[str], make: _Make[B]) -> Reported[B]:
        spans = points(query.scope, query.granularity, query.zone)
        pieces = await self._reader.pieces(query.scope, spans, parts)
        whole = Span(query.scope.start, query.scope.end)
        # In a thread: a second of counting must not keep the consumer's heartbeat or `/healthz` waiting.
        total = await asyncio.to_thread(make, pieces, whole)
        series = await asyncio.to_thread(_series, pieces, spans, make)
        return Reported(total, series, await self._before(query.scope.before(), parts, make) if query.compare else None)

    async def _before(self, scope: Scope, parts: Sequence[str], make: _Make[B]) -> Point[B]:
        span = Span(scope.start, scope.end)
        return Point(span, await asyncio.to_thread(make, await self._reader.pieces(scope, [], parts), span))


def _people(bodies: Sequence[influencers.Influencers]) -> set[tuple[str, int]]:
    return {(one.brand, one.person) for body in bodies for one in (*body.advocates, *body.detractors)}


def _hours(pieces: Sequence[Piece]) -> list[Hour]:
    return [piece.hour for piece in pieces]


def _series(pieces: Sequence[Piece], spans: Sequence[Span], make: _Make[B]) -> list[Point[B]]:
    if not spans:
        return []
    starts = [span.start for span in spans]
    groups: list[list[Piece]] = [[] for _ in spans]
    for piece in pieces:
        groups[bisect_right(starts, piece.start) - 1].append(piece)
    return [Point(span, make(group, span)) for span, group in zip(spans, groups, strict=True)]


def _mapped(report: Reported[B], change: Callable[[B], C]) -> Reported[C]:
    before = report.before
    return Reported(
        change(report.total),
        [Point(point.span, change(point.body)) for point in report.series],
        Point(before.span, change(before.body)) if before else None,
    )
