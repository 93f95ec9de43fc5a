"""What is remembered of a chunk: all that the reading of a text needs of it.

Plain tuples of strings and numbers, because hundreds of thousands are held and the garbage collector does not visit those.
"""

from collections.abc import Sequence
from typing import TypeAlias

from understanding.polarity import Followers
from understanding.words import Word

Scores: TypeAlias = tuple[float, float, float]
"""What a model counts of a word: its pull to negative and to positive, and its part of the squared norm."""

Telling: TypeAlias = tuple[int, float, str, Followers | None]
"""What the reading must look at: a word's place in its piece, its strength, its role, and the phrases that begin with it."""

Emoji: TypeAlias = tuple[float, float, int]
"""The strength of emoji for and against, and of how many of them no n-grams are made."""

Special: TypeAlias = tuple[tuple[str, ...], tuple[Scores, ...], tuple[Telling, ...], tuple[int, ...], Emoji]
"""What is not one plain word: its folded words, the scores of each, those that tell, marks, emoji (`NO_EMOJI` where none are)."""

Piece: TypeAlias = tuple[str, float, float, float, Special | None]
"""A chunk: its folded word, "" where it is a `Special`, and its `Scores`, the sums of its words'."""

UNSCORED: Scores = (0.0, 0.0, 0.0)
NO_EMOJI: Emoji = (0.0, 0.0, 0)


def piece_of(word: Word, scores: Scores = UNSCORED) -> Piece:
    """Return the piece of one word; `scores` are the model's, none where only the reading matters."""
    tells = word.strength or word.role or word.followers
    telling = ((0, word.strength, word.role, word.followers),) if tells else ()
    marks = (word.mark,) if word.mark >= 0 else ()
    emoji = word.emoji_positive, word.emoji_negative, int(not word.counted)
    if not (telling or marks or any(emoji)):
        return word.folded, *scores, None
    return "", *scores, ((word.folded,), (scores,), telling, marks, emoji if any(emoji) else NO_EMOJI)


def joined(pieces: Sequence[Piece]) -> Piece:
    """Return the piece of a chunk that is made of these: of several words, or of none."""
    words: list[str] = []
    each: list[Scores] = []
    telling: list[Telling] = []
    marks: list[int] = []
    happy, unhappy, uncounted = NO_EMOJI
    for word, negative, positive, square, special in pieces:
        if special is None:
            words.append(word)
            each.append((negative, positive, square))
            continue
        folded, scores, tell, marked, emoji = special
        telling += [(len(words) + place, strength, role, followers) for place, strength, role, followers in tell]
        words += folded
        each += scores
        marks += marked
        happy, unhappy, uncounted = happy + emoji[0], unhappy + emoji[1], uncounted + emoji[2]
    seen = (happy, unhappy, uncounted) if happy or unhappy else NO_EMOJI
    sums = tuple(map(sum, zip(*each, strict=True))) or UNSCORED
    return "", *sums, (tuple(words), tuple(each), tuple(telling), tuple(marks), seen)
