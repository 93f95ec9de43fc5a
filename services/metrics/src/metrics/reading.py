"""Reads a period: buckets where they hold everything, records where an hour is marked or cut. So it is exact at every moment."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from metrics.domain.facts import Fact
from metrics.domain.fold import Records, fold
from metrics.domain.hour import Piece
from metrics.domain.periods import Scope, Span, cuts, is_hour
from metrics.ports import FactStore, HourKey, HourStore


class Reader:
    """Reads the pieces of a period."""

    def __init__(self, *, facts: FactStore, hours: HourStore) -> None:
        self._facts = facts
        self._hours = hours

    async def pieces(self, scope: Scope, spans: Sequence[Span], parts: Sequence[str]) -> list[Piece]:
        """Return what happened in a period, in order, cut at the ends of every span. Raises Transient."""
        planned = list(cuts(scope, spans))
        dirty = await self._hours.dirty(scope)  # before the buckets: an hour that is marked later has its new records later
        found = await self._kept(scope, planned, dirty, parts)
        for batch in _live(scope, planned, dirty):
            records = await self._facts.records(Scope(batch[0][1], batch[0][0].start, batch[-1][0].end))
            found += await asyncio.to_thread(_folded, records, [span for span, _ in batch])
        return sorted(found, key=lambda piece: (piece.start, piece.brand))

    async def pending(self, scope: Scope) -> int:
        """Return how many hours of the period wait to be built. Raises Transient."""
        return len(await self._hours.dirty(scope))

    async def _kept(self, scope: Scope, planned: Sequence[Span], dirty: set[HourKey], parts: Sequence[str]) -> list[Piece]:
        whole = {span.start: span for span in planned if is_hour(span)}
        if not whole:
            return []
        asked = Scope(scope.brands, min(whole), max(whole.values(), key=lambda span: span.end).end)
        return [
            Piece(brand, hour, whole[hour].end, kept)
            for brand, hour, kept in await self._hours.hours(asked, parts)
            if hour in whole and (brand, hour) not in dirty
        ]


_Planned = tuple[Span, frozenset[str] | None]


def _live(scope: Scope, planned: Sequence[Span], dirty: set[HourKey]) -> list[list[_Planned]]:
    """Return the spans that must be read from records, with their brands; those that touch and agree on brands together."""
    marked: dict[datetime, set[str]] = {}
    for brand, hour in dirty:
        marked.setdefault(hour, set()).add(brand)
    wanted: list[_Planned | None] = []
    for span in planned:
        if not is_hour(span):
            wanted.append((span, scope.brands))
        elif span.start in marked:
            wanted.append((span, frozenset(marked[span.start])))
        else:
            wanted.append(None)
    runs = groupby(wanted, key=lambda one: one and (one[1],))
    return [[one for one in run if one] for brands, run in runs if brands]


def _folded(facts: Sequence[Fact], spans: Sequence[Span]) -> list[Piece]:
    found: dict[tuple[str, int], Records] = {}
    ordered = sorted(facts, key=lambda fact: fact.event_time)
    position = 0
    for fact in ordered:
        while fact.event_time >= spans[position].end:
            position += 1
        found.setdefault((fact.brand, position), Records()).take([fact])
    return [Piece(brand, spans[at].start, spans[at].end, fold(records)) for (brand, at), records in found.items()]
