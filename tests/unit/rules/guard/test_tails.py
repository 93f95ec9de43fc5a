"""The tails against scipy's, where scipy still has digits."""

from math import log10

import pytest
from scipy import stats

from rules.domain.guard.tails import count_evidence, share_evidence, wilson_low


@pytest.mark.parametrize("mean", [0.02, 1.0, 7.5, 120.0])
@pytest.mark.parametrize("dispersion", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("times", [1.5, 3.0, 8.0])
def test_the_negative_binomial_tail_is_scipys(mean: float, dispersion: float, times: float) -> None:
    count, size = int(mean * times) + 1, 1 / dispersion
    expected = -log10(stats.nbinom.sf(count - 1, size, size / (size + mean)))
    assert count_evidence(count, mean, dispersion) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("count", "mean"), [(3, 1.0), (40, 12.0), (300, 200.0)])
def test_without_dispersion_it_is_poissons(count: int, mean: float) -> None:
    assert count_evidence(count, mean, 0.0) == pytest.approx(-log10(stats.poisson.sf(count - 1, mean)), rel=1e-6)


@pytest.mark.parametrize(("count", "total"), [(8, 10), (60, 70), (900, 1_000)])
@pytest.mark.parametrize(("alpha", "beta"), [(2.0, 8.0), (30.0, 20.0)])
def test_the_beta_binomial_tail_is_scipys(count: int, total: int, alpha: float, beta: float) -> None:
    expected = -log10(stats.betabinom.sf(count - 1, total, alpha, beta))
    assert share_evidence(count, total, alpha, beta) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_what_is_usual_is_no_evidence() -> None:
    assert count_evidence(0, 3.0, 0.1) == count_evidence(3, 3.0, 0.1) == 0.0
    assert share_evidence(5, 10, 5.0, 5.0) == share_evidence(0, 0, 1.0, 1.0) == 0.0


def test_evidence_goes_on_where_floats_end() -> None:
    assert stats.poisson.sf(999, 10.0) == 0.0
    assert count_evidence(1_000, 10.0, 0.0) > 1_000


def test_a_mean_is_above_nothing() -> None:
    with pytest.raises(ValueError, match="above 0"):
        count_evidence(1, 0.0, 0.0)


@pytest.mark.parametrize(("count", "total"), [(0, 5), (7, 10), (90, 100)])
def test_wilsons_lower_end_is_scipys(count: int, total: int) -> None:
    expected = stats.binomtest(count, total).proportion_ci(0.95, "wilson").low
    assert wilson_low(count, total) == pytest.approx(expected, abs=1e-6)


def test_of_nothing_nothing_is_sure() -> None:
    assert wilson_low(0, 0) == 0.0
