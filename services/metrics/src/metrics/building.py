"""The use case in the background: marked hours become buckets again, and their roots' trees grow."""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from antiphon import failpoints
from antiphon.clock import Clock
from antiphon.errors import Transient
from metrics.domain.cascade import Cascade
from metrics.domain.fold import Records, fold
from metrics.domain.hour import Rows, ident
from metrics.domain.periods import HOUR, Scope
from metrics.ports import FactStore, HourStore, Mark, Tree, TreeState, TreeStore

log = logging.getLogger(__name__)

_NODES_MOST: Final = 200_000
"""Nodes of trees kept in memory, about 60 MB; a tree that was dropped is read from its hours again."""

_LOOK_S: Final = 1.0
"""The longest between two looks at the marks."""


@dataclass(slots=True)
class _Grown:
    """A tree in memory, and the hours that are in it already, by the token of their bucket."""

    cascade: Cascade
    platform: str = ""
    last_ms: int = 0
    hours: dict[datetime, str] = field(default_factory=dict)


class BuildService:
    """Builds buckets. Several may run: a bucket is replaced only by who has read the one before it."""

    def __init__(self, *, facts: FactStore, hours: HourStore, trees: TreeStore, clock: Clock, settle_s: float) -> None:
        self._facts = facts
        self._hours = hours
        self._grower = Grower(hours, trees)
        self._clock = clock
        self._settle_s = settle_s
        self._seen: dict[Mark, float] = {}

    async def run(self) -> None:
        """Build until cancelled."""
        while True:
            try:
                await self.build_settled()
            except Transient as error:
                log.warning("hours are not built, trying again: %s", error)
            await asyncio.sleep(min(_LOOK_S, self._settle_s / 3))

    async def build_settled(self) -> int:
        """Build every marked hour that has rested for long enough; return how many. Raises Transient."""
        now = self._clock.monotonic()
        self._seen = {mark: self._seen.get(mark, now) for mark in await self._hours.marks()}
        settled = [mark for mark, since in self._seen.items() if now - since >= self._settle_s]
        for mark in _rotated(settled):
            await self.build(mark)
        return len(settled)

    async def build(self, mark: Mark) -> None:
        """Build one hour. Raises Transient."""
        basis = await self._hours.basis(mark.brand, mark.hour)
        records = Records()
        records.take(await self._facts.records(Scope(frozenset({mark.brand}), mark.hour, mark.hour + HOUR)))
        hour = await asyncio.to_thread(fold, records)
        failpoints.hit("metrics.before_bucket")
        if not await self._hours.put(mark, hour, basis):
            return  # another one has built it meanwhile; if that was too early, the mark is still there
        failpoints.hit("metrics.after_bucket")
        await self._grower.grow(mark, hour.nodes)
        failpoints.hit("metrics.after_trees")
        await self._hours.clear(mark)


def _rotated(marks: list[Mark]) -> list[Mark]:
    """Return the marks in order from a random one on.

    Builders that start together would otherwise all build the same hours; and what is left must stay in few runs of hours,
    because a report reads each run by itself.
    """
    ordered = sorted(marks, key=lambda mark: (mark.brand, mark.hour))
    start = random.randrange(len(ordered)) if ordered else 0  # noqa: S311 (no secret)
    return ordered[start:] + ordered[:start]


class Grower:
    """Grows the trees of the roots that an hour has nodes of; from memory, or from the hours that hold the rest."""

    def __init__(self, hours: HourStore, trees: TreeStore) -> None:
        self._hours = hours
        self._trees = trees
        self._grown: OrderedDict[tuple[str, str], _Grown] = OrderedDict()
        self._size = 0

    async def grow(self, mark: Mark, nodes: Rows) -> None:
        """Take an hour's nodes into their trees. Raises Transient."""
        by_root = _by_root(nodes)
        states = await self._trees.touch(mark.brand, sorted(by_root), mark.hour, mark.token)
        others = {hour for state in states for hour in self._missing(mark, state)}
        read = {hour: _by_root(rows) for hour, rows in await self._read(mark.brand, others)}
        read[mark.hour] = by_root
        await self._trees.put_trees([(self._tree(mark.brand, state, read), state.revision) for state in states])
        self._forget()

    def _missing(self, mark: Mark, state: TreeState) -> Iterable[datetime]:
        grown = self._grown.get((mark.brand, state.root))
        known = grown.hours if grown else {}
        return (hour for hour, token in state.hours.items() if hour != mark.hour and known.get(hour) != token)

    async def _read(self, brand: str, hours: Iterable[datetime]) -> Sequence[tuple[datetime, Rows]]:
        found: list[tuple[datetime, Rows]] = []
        for hour in sorted(hours):
            scope = Scope(frozenset({brand}), hour, hour + HOUR)
            found += [(begin, kept.nodes) for _, begin, kept in await self._hours.hours(scope, ["nodes"])]
        return found

    def _tree(self, brand: str, state: TreeState, read: dict[datetime, dict[str, Rows]]) -> Tree:
        key = (brand, state.root)
        grown = self._grown.pop(key, None) or _Grown(Cascade(ident(state.root)))
        before = len(grown.cascade) if grown.hours else 0
        for hour in sorted(state.hours.keys() & read.keys()):
            _apply(grown, read[hour].get(state.root, []))
            grown.hours[hour] = state.hours[hour]
        self._grown[key] = grown
        self._size += len(grown.cascade) - before
        shape = grown.cascade.shape()
        return Tree(
            brand,
            state.root,
            grown.platform,
            shape.size,
            shape.depth,
            shape.breadth,
            shape.virality,
            shape.waiting,
            grown.last_ms,
        )

    def _forget(self) -> None:
        while self._size > _NODES_MOST and len(self._grown) > 1:
            _, grown = self._grown.popitem(last=False)
            self._size -= len(grown.cascade)


def _apply(grown: _Grown, rows: Rows) -> None:
    for _, platform, node, parent, deleted, moment in rows:
        grown.platform = max(grown.platform, str(platform))
        grown.last_ms = max(grown.last_ms, int(moment or 0))
        if deleted:
            grown.cascade.delete(int(node or 0))
        else:
            grown.cascade.add(int(node or 0), int(parent or 0))


def _by_root(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(str(row[0]), []).append(row)
    return found
