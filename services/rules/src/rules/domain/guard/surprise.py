"""How unusual a count is beside everything else that is said: asked of the present, and of the past that it is measured by."""

from rules.domain.guard.tails import count_evidence

SURGE_DOUBT = 5.0
"""Other events that a surge starts from, so that two instead of one are none."""

THREAD_LIFT = 1.0
"""Powers of ten by which one racing thread may say more than the sum does."""

LEAST_SHARE_EVIDENCE = 0.7
"""The share must be as unusual as one hour in five: more cannot be asked of a scope where most is negative on any day."""


def surprise(negative: int, other: float, *, usual: float, usual_other: float, dispersion: float) -> tuple[float, float, float]:
    """Return how many negative events are usual beside so many others, with what dispersion, and the evidence of more.

    Where everything is said more, so much more negative is usual. What such a surge adds is only as sure as the others are many.
    """
    surge = max(1.0, (other + SURGE_DOUBT) / (usual_other + SURGE_DOUBT))
    expected = usual * surge
    dispersion += ((surge - 1) / surge) ** 2 / (other + SURGE_DOUBT)
    return expected, dispersion, count_evidence(negative, expected, dispersion)


def lifted(evidence: float, thread_evidence: float) -> float:
    """Return the evidence of a count, lifted by that of its fastest thread; where the count is usual nothing is lifted."""
    return max(evidence, min(thread_evidence, evidence + THREAD_LIFT)) if evidence else 0.0
