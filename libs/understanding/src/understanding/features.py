"""What is counted in a text beside its words: polarity with negation and emphasis, emoji, punctuation, length.

Training and the shipped model call the same functions, so a weight always meets the number it was fitted to.
"""

from collections.abc import Sequence
from math import copysign, log1p

from understanding.pieces import NO_EMOJI, UNSCORED, Piece, Telling
from understanding.polarity import BUT, INTENSIFY, NEGATE, SOFTEN, Followers, PolarityLexicon
from understanding.words import STOP

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


class _Clause:
    """What the reading of a text remembers from word to word; places are positions of words."""

    __slots__ = ("factor", "flipped", "last", "places", "reach")

    def __init__(self) -> None:
        self.reach = -1
        self.factor = 1.0
        self.last = -9
        self.flipped = False
        self.places: list[int] = []

    def end(self) -> None:
        self.reach, self.last = -1, -9


class Reading:
    """One text read.

    `spoken` are its folded words, `values` the strengths of those after negation and emphasis. `silenced` are the places of words
    whose n-grams do not count, because they mean something else here: "good" in "not good", "not bad" whole. `scores` are the
    model's, of the other words. `before` is how many of the values stand before the last "but", -1 without one.
    """

    __slots__ = ("before", "counted", "emoji", "marks", "negators", "scores", "silenced", "spoken", "turned", "values")

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.scores = UNSCORED
        self.counted = 0
        self.values: list[float] = []
        self.turned = [0.0, 0.0]
        self.emoji = [0.0, 0.0]
        self.marks: dict[int, int] = {}
        self.negators = 0
        self.before = -1
        self.silenced: list[int] = []

    def see(self, happy: float, unhappy: float, uncounted: int) -> None:
        """Count emoji by their strengths for and against; `uncounted` of them have no n-grams."""
        self.emoji[POSITIVE] += happy
        self.emoji[NEGATIVE] += unhappy
        self.counted -= uncounted


def read(pieces: Sequence[Piece], lexicon: PolarityLexicon) -> Reading:
    """Return the reading of a text's pieces."""
    reading = Reading()
    spoken, counts = reading.spoken, reading.marks
    telling: list[tuple[int, Sequence[Telling]]] = []
    negative = positive = squares = 0.0
    for word, one, other, square, special in pieces:
        negative += one
        positive += other
        squares += square
        if special is None:
            spoken.append(word)
            continue
        words, _, tell, marks, emoji = special
        if tell:
            telling.append((len(spoken), tell))
        spoken += words
        for mark in marks:
            counts[mark] = counts.get(mark, 0) + 1
        if emoji is not NO_EMOJI:
            reading.see(*emoji)
    reading.scores = negative, positive, squares
    reading.counted += len(spoken)
    if telling:
        _follow(reading, telling, lexicon)
    if reading.silenced:
        _silence(reading, pieces)
    return reading


def _silence(reading: Reading, pieces: Sequence[Piece]) -> None:
    each = [
        scores
        for _, one, other, square, special in pieces
        for scores in (special[1] if special is not None else ((one, other, square),))
    ]
    negative, positive, squares = reading.scores
    for place in sorted(set(reading.silenced)):
        one, other, square = each[place]
        negative, positive, squares = negative - one, positive - other, squares - square
    reading.scores = negative, positive, squares


def _follow(reading: Reading, telling: Sequence[tuple[int, Sequence[Telling]]], lexicon: PolarityLexicon) -> None:
    clause = _Clause()
    backward = BACKWARD_REACH.get(lexicon.language, 0)
    skip = 0
    for begin, words in telling:
        for offset, strength, role, followers in words:
            place = begin + offset
            if role == STOP:
                clause.end()
            elif place >= skip:
                if followers and (length := _phrase(reading, clause, place, followers)):
                    skip = place + length
                    continue
                if strength:
                    _count(reading, clause, place, strength)
                if role:
                    _change(reading, clause, place, role, backward)


def _phrase(reading: Reading, clause: _Clause, place: int, followers: Followers) -> int:
    """Count the longest phrase that begins at a place, if one does, and return how many words it has."""
    spoken = reading.spoken
    if place + 1 < len(spoken) and spoken[place + 1] in followers:
        for others, strength in followers[spoken[place + 1]]:
            if spoken[place + 2 : place + 2 + len(others)] == others:
                clause.reach, length = -1, 2 + len(others)
                reading.silenced += range(place, place + length)
                _count(reading, clause, place, strength)
                return length
    return 0


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


_STRENGTHS, _EMOJI, _AFTER, _BEFORE, _NEGATORS, _MARKS, _LENGTH, _TOTAL = (
    NAMES.index(name) for name in ("positive", "emoji_positive", "after_but", "before_but", "negators", "url", "length", "total")
)


def numbers(reading: Reading) -> list[tuple[int, float]]:
    """Return the features of a text, each about -2 to 2, as places in `NAMES` with values; those left out are 0."""
    values, (happy, unhappy) = reading.values, reading.emoji
    found = [(_LENGTH, log1p(reading.counted) / 2)]
    for mark, count in reading.marks.items():
        found.append((_MARKS + mark, log1p(min(count, _MOST))))
    if reading.negators:
        found.append((_NEGATORS, log1p(reading.negators)))
    if happy or unhappy:
        found += enumerate((log1p(happy), log1p(unhappy), (happy - unhappy) / (happy + unhappy + 1.0)), _EMOJI)
    if values:
        found += enumerate(_strengths(values, reading.turned), _STRENGTHS)
        if reading.before >= 0:
            found.append((_BEFORE, _clamped(sum(values[: reading.before]))))
            found.append((_AFTER, _clamped(sum(values[reading.before :]))))
    if values or happy or unhappy:
        total = sum(values) + happy - unhappy
        found.append((_TOTAL, total / (sum(map(abs, values)) + happy + unhappy + 1.0)))
    return found


def _strengths(values: Sequence[float], turned: Sequence[float]) -> Sequence[float]:
    positive = negative = 0.0
    very_positive = very_negative = 0
    for value in values:
        if value > 0:
            positive += value
            very_positive += value >= _STRONG
        else:
            negative -= value
            very_negative += value <= -_STRONG
    return (
        log1p(positive), log1p(negative), float(positive > 0), float(negative > 0),
        (positive - negative) / (positive + negative + 1.0), log1p(very_positive), log1p(very_negative),
        _clamped(values[-1]), _clamped(values[0]), log1p(turned[POSITIVE]), log1p(turned[NEGATIVE]),
    )  # fmt: skip


def _clamped(value: float) -> float:
    return value if -2.0 <= value <= 2.0 else copysign(2.0, value)


_STRONG = 1.9
"""From where a word counts as strong: the lexicon's 2, not a 1 with emphasis."""
_MOST = 63
"""From how many on one more of a mark changes nothing."""
