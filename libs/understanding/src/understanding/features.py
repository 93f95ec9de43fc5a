"""What is counted in a text beside its words: polarity with negation and emphasis, emoji, punctuation, length.

Training and the shipped model call the same functions, so a weight always meets the number it was fitted to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log1p
from typing import TypeAlias

from understanding.polarity import BUT, INTENSIFY, NEGATE, SOFTEN, PolarityLexicon
from understanding.words import MARKS, Word

NEGATION_REACH = 4
"""How many words a negator reaches forward; further ("not that I ever thought it was …") it is wrong as often as right."""
BACKWARD_REACH = {"de": 3, "fr": 2, "hi": 3}
"""Languages whose negator follows: "gefällt mir nicht", "j'aime pas", "accha nahi hai"."""
NEGATED = -0.7
"""What is left of a negated word: "not good" is bad, but less than "bad"."""
EMPHASIS, SOFTENING = 1.5, 0.6
CONCEDED = 0.4
"""What is left of a word that a "but" follows: "good but late" is a complaint."""

POSITIVE, NEGATIVE = 0, 1


Scores: TypeAlias = tuple[float, float, float]
"""What a model counts of a word: its pull to negative and to positive, and its part of the squared norm."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between two spaces, as it is counted; `scores` are the model's, `each` those of its words if several.

    `special` is what the reading must look at, words with their places, marks, emoji for and against; none for a plain word.
    """

    size: int
    each: tuple[Scores, ...]
    folded: str
    uncounted: int
    scores: Scores
    special: tuple[tuple[tuple[int, Word], ...], tuple[int, ...], float, float] | None


def _added(each: Sequence[Scores]) -> Scores:
    return sum(one[0] for one in each), sum(one[1] for one in each), sum(one[2] for one in each)


def piece_of(words: Sequence[Word], each: Sequence[Scores]) -> Piece:
    """Return the piece of these words; `each` are the model's scores of them, none where only the reading matters."""
    happy, unhappy = sum(one.emoji_positive for one in words), sum(one.emoji_negative for one in words)
    marks = tuple(one.mark for one in words if one.mark >= 0)
    telling = tuple((place, one) for place, one in enumerate(words) if one.strength or one.role or one.starts_phrase or one.stop)
    uncounted = sum(not one.counted for one in words)
    plain = len(words) == 1 and not (happy or unhappy or marks or telling or uncounted)
    return Piece(
        size=len(words),
        each=tuple(each) if len(words) > 1 else (),
        folded=" ".join([one.folded for one in words]),
        uncounted=uncounted,
        scores=each[0] if len(each) == 1 else _added(each),
        special=None if plain else (telling, marks, happy, unhappy),
    )


@dataclass(slots=True)
class _Clause:
    """What the reading of a text remembers from word to word; places are positions of words."""

    reach: int = -1
    factor: float = 1.0
    last: int = -9
    flipped: bool = False
    places: list[int] = field(default_factory=list)

    def end(self) -> None:
        self.reach, self.last = -1, -9


class Reading:
    """One text read.

    `values` are the strengths of its words after negation and emphasis, `spoken` its folded words between spaces. `silenced` are
    the places of words whose n-grams do not count, because they mean something else here: "good" in "not good", "not bad" whole.
    `before` is how many of the values stand before the last "but", -1 without one.
    """

    __slots__ = ("before", "counted", "emoji", "marks", "negators", "silenced", "spoken", "turned", "values")

    def __init__(self, spoken: str) -> None:
        self.spoken = spoken
        self.counted = 0
        self.values: list[float] = []
        self.turned = [0.0, 0.0]
        self.emoji = [0.0, 0.0]
        self.marks = [0] * MARKS
        self.negators = 0
        self.before = -1
        self.silenced: list[int] = []


def read(pieces: Sequence[Piece], lexicon: PolarityLexicon) -> Reading:
    """Return the reading of a text's pieces."""
    reading = Reading(" ".join([piece.folded for piece in pieces if piece.size]))
    telling: list[tuple[int, Word]] = []
    place = uncounted = 0
    for piece in pieces:
        if piece.special is None:
            place += 1
            continue
        words, marks, happy, unhappy = piece.special
        telling += [(place + offset, one) for offset, one in words]
        for mark in marks:
            reading.marks[mark] += 1
        if happy or unhappy:
            reading.emoji[POSITIVE] += happy
            reading.emoji[NEGATIVE] += unhappy
        place += piece.size
        uncounted += piece.uncounted
    reading.counted = place - uncounted
    if telling:
        _follow(reading, telling, lexicon)
    return reading


def _follow(reading: Reading, telling: Sequence[tuple[int, Word]], lexicon: PolarityLexicon) -> None:
    clause = _Clause()
    backward = BACKWARD_REACH.get(lexicon.language, 0)
    folded: list[str] = []
    skip = 0
    for place, one in telling:
        if one.stop:
            clause.end()
        if place < skip:
            continue
        if one.starts_phrase:
            folded = folded or reading.spoken.split(" ")
            strength, length = lexicon.phrase(folded, place)
            if length:
                skip, clause.reach = place + length, -1
                reading.silenced += range(place, skip)
                _count(reading, clause, place, strength)
                continue
        if one.strength:
            _count(reading, clause, place, one.strength)
        if one.role:
            _change(reading, clause, place, one.role, backward)


def _change(reading: Reading, clause: _Clause, place: int, role: str, backward: int) -> None:
    if role == NEGATE:
        reading.negators += 1
        clause.reach = place + NEGATION_REACH
        if backward and place - clause.last <= backward and not clause.flipped:
            _turn_last(reading, clause)
    elif role == INTENSIFY:
        clause.factor = EMPHASIS
    elif role == SOFTEN:
        clause.factor = SOFTENING
    elif role == BUT:
        reading.before = len(reading.values)
        reading.values = [value * CONCEDED for value in reading.values]
        reading.silenced += clause.places
        clause.end()


def _count(reading: Reading, clause: _Clause, place: int, strength: float) -> None:
    value = strength * clause.factor
    negated = place <= clause.reach
    clause.factor, clause.last, clause.flipped, clause.reach = 1.0, place, negated, -1
    clause.places.append(place)
    if negated:
        reading.turned[POSITIVE if value > 0 else NEGATIVE] += abs(value)
        value *= NEGATED
        reading.silenced.append(place)
    reading.values.append(value)


def _turn_last(reading: Reading, clause: _Clause) -> None:
    value = reading.values[-1]
    reading.turned[POSITIVE if value > 0 else NEGATIVE] += abs(value)
    reading.values[-1] = value * NEGATED
    reading.silenced.append(clause.last)
    clause.flipped, clause.reach = True, -1


NAMES = (
    "positive", "negative", "any_positive", "any_negative", "balance", "strong_positive", "strong_negative", "last", "first",
    "turned_positive", "turned_negative",
    "emoji_positive", "emoji_negative", "emoji_balance", "after_but", "before_but", "negators", "url", "handle",
    "hashtag", "number", "shout", "long", "exclaim", "ask", "dots", "quote", "length", "total",
)  # fmt: skip


_LOGARITHMS = [log1p(count) for count in range(64)]


def numbers(reading: Reading) -> list[float]:
    """Return the features of `NAMES`, each about -2 to 2."""
    values, marks, counts = reading.values, reading.marks, _LOGARITHMS
    positive = negative = strong_positive = strong_negative = first = last = 0.0
    if values:
        first, last = max(-2.0, min(2.0, values[0])), max(-2.0, min(2.0, values[-1]))
        positive = sum([value for value in values if value > 0])
        negative = positive - sum(values)
        strong_positive = sum([value >= _STRONG for value in values])
        strong_negative = sum([value <= -_STRONG for value in values])
    happy, unhappy = reading.emoji
    after = sum(values[reading.before :]) if reading.before >= 0 else 0.0
    before = sum(values[: reading.before]) if reading.before >= 0 else 0.0
    return [
        log1p(positive), log1p(negative), float(positive > 0), float(negative > _NONE),
        (positive - negative) / (positive + negative + 1.0),
        log1p(strong_positive), log1p(strong_negative), last, first, log1p(reading.turned[0]), log1p(reading.turned[1]),
        log1p(happy), log1p(unhappy), (happy - unhappy) / (happy + unhappy + 1.0),
        max(-2.0, min(2.0, after)), max(-2.0, min(2.0, before)), log1p(reading.negators),
        *[counts[mark] if mark < _MOST else counts[_MOST] for mark in marks], log1p(reading.counted) / 2,
        (positive + happy - negative - unhappy) / (positive + happy + negative + unhappy + 1.0),
    ]  # fmt: skip


_STRONG = 1.9
"""From where a word counts as strong: the lexicon's 2, not a 1 with emphasis."""
_NONE = 1e-9
_MOST = 63
