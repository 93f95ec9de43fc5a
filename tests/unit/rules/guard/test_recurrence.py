"""How often peaks come back: the model where nothing is known, the scope's own past where it is."""

import random
from math import log10

import pytest

from rules.domain.guard.recurrence import HOURS_A_WEEK, LOOKS, PEAK, recurrence

WEEKS = 8
HOURS = WEEKS * HOURS_A_WEEK


def past(seed: int, *, peaks: int, times: float) -> list[float]:
    """Return hours of which so many are peaks, apart from each other and so many times as high as chance makes them."""
    chance, hours = random.Random(seed), [0.0] * HOURS
    for place in range(peaks):
        hours[place * (HOURS // peaks)] = PEAK + times * -log10(1 - chance.random())
    return hours


def test_without_a_past_the_model_is_believed() -> None:
    nothing = recurrence([])
    assert nothing.rarity(PEAK) == pytest.approx(-log10(LOOKS / 10**PEAK))
    assert nothing.rarity(PEAK + 1) - nothing.rarity(PEAK) == pytest.approx(1.0)


def test_a_past_as_the_model_says_changes_little() -> None:
    as_modelled = recurrence(past(1, peaks=round(LOOKS / 10**PEAK * WEEKS), times=1.0))
    assert as_modelled.rarity(3.5) == pytest.approx(recurrence([]).rarity(3.5), abs=0.3)


def test_what_comes_back_often_is_less_rare_and_what_never_came_is_rarer() -> None:
    rarity = [recurrence(past(2, peaks=peaks, times=1.0)).rarity(3.0) for peaks in (1, 10, 100)]
    assert rarity == sorted(rarity, reverse=True)
    assert rarity[0] > recurrence([]).rarity(3.0) > rarity[2]


def test_higher_peaks_ask_for_more_evidence() -> None:
    low, high = (recurrence(past(3, peaks=40, times=times)).rarity(4.0) for times in (0.5, 2.0))
    assert low > high + 0.5


def test_a_past_crisis_does_not_hide_the_next() -> None:
    calm = past(4, peaks=20, times=1.0)
    with_crisis = calm.copy()
    with_crisis[10:14] = [30.0, 60.0, 60.0, 20.0]
    assert recurrence(calm).rarity(4.0) - recurrence(with_crisis).rarity(4.0) < 0.6


def test_hours_side_by_side_are_one_peak() -> None:
    long, short = [0.0] * HOURS, [0.0] * HOURS
    short[100] = 3.0
    long[100:106] = [2.5, 3.0, 2.8, 2.6, 2.2, 2.1]
    assert recurrence(long) == recurrence(short)
