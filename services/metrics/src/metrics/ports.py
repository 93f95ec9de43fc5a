"""What the use cases need from the outside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metrics.domain.facts import Fact, Hold
from metrics.domain.hour import Hour
from metrics.domain.periods import Scope

HourKey = tuple[str, datetime]
"""A brand and the beginning of an hour (UTC)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An hour whose bucket may not hold all of its records; `token` is new each time the mark is raised."""

    brand: str
    hour: datetime
    token: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A cascade as reports show it; times in milliseconds since 1970."""

    brand: str
    root: str
    platform: str
    size: int
    depth: int
    breadth: int
    virality: float | None
    waiting: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class TreeState:
    """Which hours a root's nodes lie in, with the bucket's token of each; `revision` grows with each change."""

    root: str
    revision: int
    hours: Mapping[datetime, str]


class FactStore(Protocol):
    """Where facts are kept."""

    async def add(self, facts: Sequence[Fact]) -> set[str]:
        """Record facts of one type, each with an id of its own; return the ids that were there already.

        Durable when it returns, and idempotent. Raises Transient.
        """
        ...

    async def records(self, scope: Scope) -> list[Fact]:
        """Return all facts of a period. Raises Transient."""
        ...


class HourStore(Protocol):
    """Where hours and their marks are kept. Every method raises Transient."""

    async def raise_marks(self, hours: Iterable[HourKey], token: str) -> None:
        """Mark hours with a token; durable when it returns."""
        ...

    async def marks(self) -> list[Mark]:
        """Return all marks."""
        ...

    async def clear(self, mark: Mark) -> None:
        """Remove a mark unless it was raised again meanwhile."""
        ...

    async def dirty(self, scope: Scope) -> set[HourKey]:
        """Return the marked hours that a period touches."""
        ...

    async def basis(self, brand: str, hour: datetime) -> str | None:
        """Return the token that an hour's bucket was built with; None: there is no bucket."""
        ...

    async def put(self, mark: Mark, hour: Hour, basis: str | None) -> bool:
        """Keep an hour if its bucket is still what `basis` says; tell whether it was."""
        ...

    async def hours(self, scope: Scope, parts: Sequence[str]) -> list[tuple[str, datetime, Hour]]:
        """Return the buckets that begin in a period, with these parts."""
        ...


class TreeStore(Protocol):
    """Where cascades are kept. Every method raises Transient."""

    async def touch(self, brand: str, roots: Sequence[str], hour: datetime, token: str) -> list[TreeState]:
        """Note that these roots have nodes in an hour; return what is known of each afterwards."""
        ...

    async def put_trees(self, trees: Sequence[tuple[Tree, int]]) -> None:
        """Keep trees, each unless its revision is another by now."""
        ...

    async def largest(self, scope: Scope, count: int) -> list[Tree]:
        """Return the largest trees with a node in the period, largest first."""
        ...


class HoldStore(Protocol):
    """Where the facts of holds are kept. Every method raises Transient."""

    async def keep(self, holds: Sequence[Hold]) -> None:
        """Keep generations of holds; idempotent."""
        ...

    async def holds(self, brands: frozenset[str] | None, before: datetime) -> list[Hold]:
        """Return all generations of the holds that began before a moment."""
        ...


class Names(Protocol):
    """The names that platforms show for pseudonyms."""

    async def keep_new(self) -> None:
        """Keep the names seen lately. Raises Transient."""
        ...

    async def names(self, people: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the names of those people (brand, pseudonym) that have one. Raises Transient."""
        ...


class Counters(Protocol):
    """What dashboards and alerts count."""

    def recorded(self, facts: Sequence[Fact]) -> None:
        """Count facts that are new."""
        ...

    def repeated(self, facts: Sequence[Fact]) -> None:
        """Count facts that had been recorded before."""
        ...
