"""Words as they are counted: their form, their strength in the lexicon, what they do to others, and their n-grams."""

from typing import NamedTuple

from understanding.polarity import NEGATE, Followers, PolarityLexicon, emoji_strengths
from understanding.text import MAX_WORD, fold, squeeze

SHOUTED, DRAWN_OUT = 1.3, 1.3
"""What "GOOD" and "goood" count beside "good"."""


STOP = "stop"
"""The role of what ends a clause, beside those of the polarity lexicon."""


class Word(NamedTuple):
    """A token as it is counted. `key` is the form that n-grams are made of; `strength` is the lexicon's, -2 to 2."""

    key: str
    folded: str
    strength: float = 0.0
    role: str = ""
    followers: Followers | None = None
    emoji_positive: float = 0.0
    emoji_negative: float = 0.0
    mark: int = -1

    @property
    def counted(self) -> bool:
        """Whether n-grams are made of it: not of strongly polar emoji, so that one more 😡 can only make a text more negative."""
        return self.emoji_positive < 2 and self.emoji_negative < 2


URL, HANDLE, HASHTAG, NUMBER, SHOUT, LONG, EXCLAIM, ASK, DOTS, QUOTE = range(10)
MARKS = 10

_SIGNS = ((ASK, "?؟？"), (EXCLAIM, "!！"), (DOTS, ("..", "…")), (QUOTE, '"“”«»'))
_MASKED = "http"
"""What the texts have in place of an address where their source has masked it."""
_STOPS = frozenset(".,;!?:؟،…।")
_SHORTEST, _LONGEST = 2, 5


def grams(key: str) -> list[str]:
    """Return the character n-grams of a word, its two ends marked by a space."""
    padded = f" {key} "
    size = len(padded) + 1
    return [padded[begin : begin + length] for length in range(_SHORTEST, _LONGEST + 1) for begin in range(size - length)]


def word(token: str, lexicon: PolarityLexicon) -> Word:
    """Return how a token of a text is counted in the lexicon's language."""
    if token == _MASKED or token.startswith(("http:", "https:", "www.")):
        return Word("http", "http", mark=URL)
    if token[0] == "@" and len(token) > 1:
        return Word("@user", "@user", mark=HANDLE)
    if not token[-1].isalnum() and not any(character.isalnum() for character in token):
        return _symbols(token)
    return _spoken(token, lexicon)


def _symbols(token: str) -> Word:
    table = emoji_strengths()
    whole = table.get(token)
    strengths = [whole] if whole is not None else [table.get(character, 0.0) for character in token[:MAX_WORD]]
    positive = sum(value for value in strengths if value > 0)
    negative = -sum(value for value in strengths if value < 0)
    mark = next((kind for kind, signs in _SIGNS if any(sign in token for sign in signs)), -1)
    role = STOP if whole is None and not _STOPS.isdisjoint(token) else ""
    return Word(squeeze(token)[:MAX_WORD], token, role=role, emoji_positive=positive, emoji_negative=negative, mark=mark)


def _spoken(token: str, lexicon: PolarityLexicon) -> Word:
    emoticon = emoji_strengths().get(token)
    if emoticon is not None:
        return Word(token, token, emoji_positive=max(0.0, emoticon), emoji_negative=max(0.0, -emoticon))
    bare = token.lstrip("#")[:MAX_WORD]
    folded = fold(bare).replace(" ", "") or bare
    squeezed = squeeze(folded)
    strength = lexicon.strength(folded)
    mark = -1
    if token[0] == "#":
        mark = HASHTAG
    elif bare[0].isdigit():
        mark = NUMBER
    elif len(bare) > 2 and bare.isupper():
        mark, strength = SHOUT, strength * SHOUTED
    elif squeezed != folded:
        mark, strength = LONG, strength * DRAWN_OUT
    role = lexicon.roles.get(folded) or lexicon.roles.get(squeezed, "")
    if not role and lexicon.language == "fr" and folded.startswith("n'"):
        role = NEGATE
    key = "0" * min(len(squeezed), 4) if squeezed.isdigit() else ("#" if mark == HASHTAG else "") + squeezed
    return Word(key, folded, strength, role, lexicon.phrases.get(folded), mark=mark)
