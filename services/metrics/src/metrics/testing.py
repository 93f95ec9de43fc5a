"""Fakes of the ports, held to the same test body as the real adapters."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from metrics.domain.facts import Fact, Hold
from metrics.domain.hour import Hour
from metrics.domain.periods import HOUR, Scope
from metrics.ports import HourKey, Mark, Tree, TreeState


class MemoryFacts:
    """Facts in memory: a FactStore in the plainest words."""

    def __init__(self) -> None:
        self._facts: dict[tuple[type[Fact], str], Fact] = {}

    async def add(self, facts: Sequence[Fact]) -> set[str]:
        """Record facts of one type; return the ids that were there already."""
        known = {fact.fact_id for fact in facts if (type(fact), fact.fact_id) in self._facts}
        for fact in facts:
            self._facts.setdefault((type(fact), fact.fact_id), fact)
        return known

    async def records(self, scope: Scope) -> list[Fact]:
        """Return all facts of a period."""
        return [fact for fact in self._facts.values() if _among(scope, fact.brand) and scope.start <= fact.event_time < scope.end]


class MemoryHours:
    """Hours and marks in memory."""

    def __init__(self) -> None:
        self._marks: dict[HourKey, str] = {}
        self._buckets: dict[HourKey, tuple[str, Hour]] = {}

    async def raise_marks(self, hours: Iterable[HourKey], token: str) -> None:
        """Mark hours with a token."""
        self._marks |= dict.fromkeys(hours, token)

    async def marks(self) -> list[Mark]:
        """Return all marks."""
        return [Mark(*key, token) for key, token in self._marks.items()]

    async def clear(self, mark: Mark) -> None:
        """Remove a mark unless it was raised again meanwhile."""
        if self._marks.get((mark.brand, mark.hour)) == mark.token:
            del self._marks[mark.brand, mark.hour]

    async def dirty(self, scope: Scope) -> set[HourKey]:
        """Return the marked hours that a period touches."""
        return {
            (brand, hour)
            for brand, hour in self._marks
            if _among(scope, brand) and hour < scope.end and hour + HOUR > scope.start
        }

    async def basis(self, brand: str, hour: datetime) -> str | None:
        """Return the token that an hour's bucket was built with."""
        kept = self._buckets.get((brand, hour))
        return kept[0] if kept else None

    async def put(self, mark: Mark, hour: Hour, basis: str | None) -> bool:
        """Keep an hour if its bucket is still what `basis` says."""
        if await self.basis(mark.brand, mark.hour) != basis:
            return False
        self._buckets[mark.brand, mark.hour] = (mark.token, hour)
        return True

    async def hours(self, scope: Scope, parts: Sequence[str]) -> list[tuple[str, datetime, Hour]]:
        """Return the buckets that begin in a period, with these parts."""
        return [
            (brand, hour, Hour(**{part: getattr(kept, part) for part in parts}))
            for (brand, hour), (_, kept) in self._buckets.items()
            if _among(scope, brand) and scope.start <= hour < scope.end
        ]


class MemoryTrees:
    """Cascades in memory."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], TreeState] = {}
        self._trees: dict[tuple[str, str], Tree] = {}

    async def touch(self, brand: str, roots: Sequence[str], hour: datetime, token: str) -> list[TreeState]:
        """Note that these roots have nodes in an hour; return what is known of each afterwards."""
        for root in roots:
            known = self._states.get((brand, root), TreeState(root, 0, {}))
            self._states[brand, root] = TreeState(root, known.revision + 1, {**known.hours, hour: token})
        return [self._states[brand, root] for root in roots]

    async def put_trees(self, trees: Sequence[tuple[Tree, int]]) -> None:
        """Keep trees, each unless its revision is another by now."""
        for tree, revision in trees:
            if self._states[tree.brand, tree.root].revision == revision:
                self._trees[tree.brand, tree.root] = tree

    async def largest(self, scope: Scope, count: int) -> list[Tree]:
        """Return the largest trees with a node in the period, largest first."""
        start, end = scope.start.timestamp() * 1000, scope.end.timestamp() * 1000
        found = [tree for tree in self._trees.values() if _among(scope, tree.brand) and start <= tree.last_ms < end]
        return sorted(found, key=lambda tree: (-tree.size, tree.brand, tree.root))[:count]


class MemoryHolds:
    """Holds in memory."""

    def __init__(self) -> None:
        self._holds: dict[tuple[str, str, int], Hold] = {}

    async def keep(self, holds: Sequence[Hold]) -> None:
        """Keep generations of holds."""
        for hold in holds:
            self._holds.setdefault((hold.brand, hold.hold, hold.generation), hold)

    async def holds(self, brands: frozenset[str] | None, before: datetime) -> list[Hold]:
        """Return all generations of the holds that began before a moment."""
        return [
            hold
            for hold in self._holds.values()
            if (brands is None or hold.brand in brands) and hold.since_time is not None and hold.since_time < before
        ]


class MemoryNames:
    """Names in memory."""

    def __init__(self, names: dict[tuple[str, int], str] | None = None) -> None:
        self._names = names or {}

    async def keep_new(self) -> None:
        """Keep nothing."""

    async def names(self, people: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the names of those that have one."""
        return {who: self._names[who] for who in people if who in self._names}


def _among(scope: Scope, brand: str) -> bool:
    return scope.brands is None or brand in scope.brands
