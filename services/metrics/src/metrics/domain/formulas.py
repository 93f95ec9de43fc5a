"""Formulas, each with its source. Exact where the inputs are whole numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp2, log2, sqrt

Z95 = 1.959963984540054
"""The standard normal distribution's quantile for 95 % on both sides."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of 1 with its 95 % interval."""

    share: float
    low: float
    high: float


def wilson(part: int, whole: int, z: float = Z95) -> Share | None:
    """Return the share with Wilson's score interval; None of nothing.

    Wilson 1927, Journal of the American Statistical Association 22(158), 209-212: it stays inside 0 and 1 and keeps its coverage
    for small numbers and for shares near the ends, where the textbook interval fails.
    """
    if not whole:
        return None
    rate, square = part / whole, z * z / whole
    middle = (rate + square / 2) / (1 + square)
    half = z * sqrt(rate * (1 - rate) / whole + square / (4 * whole)) / (1 + square)
    low = 0.0 if part == 0 else max(0.0, middle - half)
    high = 1.0 if part == whole else min(1.0, middle + half)
    return Share(rate, low, high)


def entropy(counts: Iterable[int]) -> float | None:
    """Return Shannon's entropy in bits (1948, Bell System Technical Journal 27); None of nothing.

    0: all on one platform; log2(n): evenly over n. The measure of dispersion of Godes & Mayzlin 2004, Marketing Science 23(4).
    """
    present = sorted(count for count in counts if count)
    whole = sum(present)
    return abs(sum(-count / whole * log2(count / whole) for count in present)) if whole else None


def variance(counts: Mapping[int, int]) -> float | None:
    """Return the population variance of whole values by their counts; None of nothing. Exact up to the last division."""
    whole = sum(counts.values())
    if not whole:
        return None
    first = sum(value * count for value, count in counts.items())
    second = sum(value * value * count for value, count in counts.items())
    return (whole * second - first * first) / (whole * whole)


def median(counts: Mapping[int, int]) -> int | None:
    """Return the lower median of whole values by their counts (nearest rank); None of nothing."""
    rank, seen = -(-sum(counts.values()) // 2), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return None


def half_life(age: float, half: float) -> float:
    """Return the weight of something of this age when it halves every `half`: 2^(-age / half)."""
    return exp2(-max(0.0, age) / half)


def position_based(touches: int) -> Sequence[tuple[int, int]]:
    """Return each touch's credit as a fraction (numerator, denominator), in order; they sum to 1.

    40 % to the first, 40 % to the last, the rest evenly to those between; two share evenly, one has all.
    """
    if touches <= 2:
        return [(1, touches)] * touches
    return [(2, 5), *[(1, 5 * (touches - 2))] * (touches - 2), (2, 5)]
