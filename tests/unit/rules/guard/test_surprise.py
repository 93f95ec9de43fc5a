"""What other statements do to the evidence of negative ones."""

import pytest

from rules.domain.guard.surprise import THREAD_LIFT, lifted, surprise
from rules.domain.guard.tails import count_evidence

USUAL = {"usual": 5.0, "usual_other": 20.0, "dispersion": 0.1}


@pytest.mark.parametrize("other", [0, 10, 20])
def test_where_no_more_than_usual_is_said_only_the_negative_count(other: int) -> None:
    assert surprise(15, other, **USUAL) == (5.0, 0.1, count_evidence(15, 5.0, 0.1))


def test_where_more_is_said_more_negative_is_usual_and_less_sure() -> None:
    expected, dispersion, evidence = surprise(15, 45, **USUAL)
    assert expected == pytest.approx(10.0), "twice as much with the doubt of five on either side"
    assert dispersion == pytest.approx(0.1 + 0.25 / 50), "of what the surge adds, half of it all"
    assert 0 < evidence < count_evidence(15, 5.0, 0.1)


def test_a_breath_more_said_is_a_breath_less_evidence() -> None:
    """One statement above the usual must not bring the doubt of a whole surge."""
    still, breath = (surprise(25, other, usual=5.0, usual_other=1.0, dispersion=0.1)[2] for other in (1, 1.1))
    assert still * 0.95 < breath < still


def test_a_thread_lifts_evidence_and_makes_none() -> None:
    assert lifted(0.0, 5.0) == 0.0
    assert lifted(3.0, 5.0) == 3.0 + THREAD_LIFT
    assert lifted(3.0, 3.4) == 3.4
    assert lifted(3.0, 1.0) == 3.0
