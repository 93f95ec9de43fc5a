"""What was understood of a text, as every route that shows it answers."""

from rules.adapters.http.bodies import Out
from rules.domain.event import Understanding


class UnderstandingOut(Out):
    """What was understood of the text.

    `sentiment` is a word, `score` goes from -1 to 1 (null: not determined), confidences from 0 to 1.
    """

    language: str
    language_confidence: float
    sentiment: str
    score: float | None
    confidence: float
    flags: list[str]


def understanding_out(understood: Understanding) -> UnderstandingOut:
    """Return what was understood as it is answered."""
    return UnderstandingOut(
        language=understood.language,
        language_confidence=understood.language_confidence,
        sentiment=understood.polarity,
        score=understood.sentiment,
        confidence=understood.sentiment_confidence,
        flags=sorted(understood.flags),
    )
