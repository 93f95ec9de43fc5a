"""Upper tails of over-dispersed counts, as evidence: −log10 of the probability of seeing at least so many.

Negative binomial: Hilbe 2011, *Negative Binomial Regression*, in the form with mean μ and variance μ + δμ². Beta-binomial:
Skellam 1948 (J. R. Stat. Soc. B 10). Logarithms throughout, because a crisis lies where the probabilities are no longer floats.
"""

from collections.abc import Callable
from math import lgamma, log, log1p, sqrt

POISSON_BELOW = 1e-9
"""Dispersions below this are none: the gamma functions of 1/δ would cancel out to noise."""

NEGLIGIBLE = 1e-12
"""A term below this share of the sum ends it; the terms fall faster than geometrically by then."""

_LN10 = log(10)


def count_evidence(count: int, mean: float, dispersion: float) -> float:
    """Return −log10 P(X ≥ count) for X negative binomial (Poisson without dispersion); 0 where nothing was to be explained.

    At and below the mean the answer is 0: what is usual is no evidence, and the sum from there would be long.
    """
    if count <= mean or count <= 0:
        return 0.0
    if mean <= 0:
        raise ValueError("a mean is above 0")
    first = _log_count(count, mean, dispersion)
    size = 1 / dispersion if dispersion > POISSON_BELOW else 0.0

    def ratio(k: int) -> float:
        """Return P(k + 1) / P(k)."""
        return (k + size) / (k + 1) * (mean / (mean + size)) if size else mean / (k + 1)

    return _evidence(first, ratio, count, None)


def share_evidence(count: int, total: int, alpha: float, beta: float) -> float:
    """Return −log10 P(X ≥ count) for X beta-binomial of `total` draws; 0 at and below the mean."""
    if count <= 0 or count <= total * alpha / (alpha + beta):
        return 0.0
    first = (
        lgamma(total + 1)
        - lgamma(count + 1)
        - lgamma(total - count + 1)
        + _log_beta(count + alpha, total - count + beta)
        - _log_beta(alpha, beta)
    )

    def ratio(k: int) -> float:
        return (total - k) / (k + 1) * (k + alpha) / (total - k - 1 + beta)

    return _evidence(first, ratio, count, total)


def _evidence(first: float, ratio: Callable[[int], float], count: int, last: int | None) -> float:
    term, total, k = 1.0, 1.0, count
    while last is None or k < last:
        term *= ratio(k)
        total += term
        k += 1
        if term < NEGLIGIBLE * total:
            break
    return max(0.0, -(first + log(total)) / _LN10)


def _log_count(count: int, mean: float, dispersion: float) -> float:
    if dispersion <= POISSON_BELOW:
        return count * log(mean) - mean - lgamma(count + 1)
    size = 1 / dispersion
    return (
        lgamma(count + size)
        - lgamma(size)
        - lgamma(count + 1)
        - size * log1p(mean * dispersion)
        + count * (log(mean) - log(mean + size))
    )


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def wilson_low(count: int, total: int) -> float:
    """Return the lower end of the 95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22)."""
    if not total:
        return 0.0
    z, p = 1.959964, count / total
    centre = p + z * z / (2 * total)
    spread = z * sqrt((p * (1 - p) + z * z / (4 * total)) / total)
    return max(0.0, (centre - spread) / (1 + z * z / total))
