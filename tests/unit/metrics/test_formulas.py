"""Formulas against closed forms and published values."""

from fractions import Fraction
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.domain.formulas import entropy, half_life, median, position_based, variance, wilson


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(part: int, whole: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    found = wilson(part, whole)
    assert found is not None
    assert [found.low, found.high] == pytest.approx([low, high], abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_wilson_stays_in_bounds_and_is_symmetric(pair: tuple[int, int]) -> None:
    part, whole = pair
    found, mirrored = wilson(part, whole), wilson(whole - part, whole)
    assert found
    assert mirrored
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-12)


def test_of_nothing_there_is_no_figure() -> None:
    assert (wilson(0, 0), entropy([]), entropy([0]), variance({}), median({})) == (None,) * 5


@pytest.mark.parametrize("platforms", [1, 2, 3, 8])
def test_entropy_of_an_even_spread(platforms: int) -> None:
    assert entropy([7] * platforms) == pytest.approx(log2(platforms))


def test_variance_and_median_by_counts() -> None:
    assert variance({1: 1, 2: 1, 3: 1, 4: 1}) == 1.25
    assert (median({10: 1, 20: 1}), median({10: 1, 20: 1, 30: 1}), median({5: 9, 1_000: 1})) == (10, 20, 5)


def test_half_life() -> None:
    assert [half_life(age, 14) for age in (-3, 0, 14, 28)] == [1, 1, 0.5, 0.25]


@given(st.integers(1, 40))
def test_position_based_shares_sum_to_one(touches: int) -> None:
    shares = [Fraction(*share) for share in position_based(touches)]
    assert sum(shares) == 1
    if touches >= 3:
        assert shares[0] == shares[-1] == Fraction(2, 5)
