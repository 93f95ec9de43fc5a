"""Counts of facts, as a store gives them; what reports are made from."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

Totals = dict[str, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report covers: event times in [start, end); `brands` None: every brand."""

    brands: frozenset[str] | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class EventCount:
    """So many events of one sort."""

    platform: str
    kind: str
    verb: str
    echo: bool
    count: int


@dataclass(frozen=True, slots=True)
class PairCount:
    """So many of two words together: outcome and reason, kind and mode."""

    first: str
    second: str
    count: int


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """Counts of decisions: by outcome and reason, of rules' reasons, of actions by kind and mode."""

    outcomes: Sequence[PairCount]
    rule_reasons: Totals
    actions: Sequence[PairCount]


@dataclass(frozen=True, slots=True)
class DeliveryCount:
    """So many actions by what their latest delivery says; `approved`: a person's approval was part of it."""

    state: str
    reason: str
    kind: str
    approved: bool
    count: int


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """Counts of actions by their latest delivery, and of the events that a posted reply answered."""

    latest: Sequence[DeliveryCount]
    answered: int


class Histogram:
    """Exact distribution of whole numbers: sixteen bytes for each different value."""

    def __init__(self, counts: Iterable[tuple[int, int]] = ()) -> None:
        self._values = array("q")
        self._counts = array("q")
        self.total = 0
        for value, count in counts:
            self.add(value, count)

    def add(self, value: int, count: int) -> None:
        """Note that `value` occurs `count` times. Values come in ascending order; raises ValueError otherwise."""
        if self._values and value <= self._values[-1]:
            raise ValueError("values must ascend")
        self._values.append(value)
        self._counts.append(count)
        self.total += count

    def percentile(self, percent: int) -> int | None:
        """Return the smallest value that at least `percent` of 100 do not exceed (nearest rank); None without values."""
        rank = -(-self.total * percent // 100)
        seen = 0
        for value, count in zip(self._values, self._counts, strict=True):
            seen += count
            if seen >= rank:
                return value
        return None
