"""Figures that several reports share. The line under each field is its definition; the API's description shows it."""

from dataclasses import dataclass
from typing import ClassVar

from metrics.domain.counts import Histogram
from metrics.domain.formulas import wilson


class Described:
    """A part of a report whose fields are described by the lines under them."""

    __pydantic_config__: ClassVar[dict[str, bool]] = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class Part(Described):
    """`count` of a whole, with Wilson's 95 % interval of the share."""

    count: int
    """How many."""
    share: float | None
    """A part of 1; null when there is nothing to divide by."""
    low: float | None
    """Lower end of the 95 % interval (Wilson 1927)."""
    high: float | None
    """Upper end of the 95 % interval (Wilson 1927)."""


def part(count: int, whole: int) -> Part:
    """Return a count with its share of the whole."""
    found = wilson(count, whole)
    return Part(count, found.share, found.low, found.high) if found else Part(count, None, None, None)


@dataclass(frozen=True, slots=True)
class Latency(Described):
    """Exact percentiles by nearest rank; where a platform's clock runs ahead a measurement counts as 0."""

    count: int
    """Measurements."""
    p50: int | None
    """Milliseconds; null without measurements."""
    p90: int | None
    """Milliseconds; null without measurements."""
    p95: int | None
    """Milliseconds; null without measurements."""
    p99: int | None
    """Milliseconds; null without measurements."""


def latency(histogram: Histogram) -> Latency:
    """Return the percentiles of a distribution of milliseconds."""
    return Latency(histogram.total, *(histogram.percentile(percent) for percent in (50, 90, 95, 99)))


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole; None of nothing."""
    return part / whole if whole else None
