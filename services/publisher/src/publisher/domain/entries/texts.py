"""Texts as they are compared: what people copy, without what a campaign makes everybody write. Pure."""

import re
import unicodedata
from collections.abc import Set as AbstractSet

SHINGLE = 4
"""Characters of a shingle: shorter ones are shared by any two texts of a language, longer ones miss small changes."""

SHORTEST = 24
"""Characters that a text must have left to be compared: below, "what a great summer!" is everybody's own idea."""

_NOISE = re.compile(r"https?://\S+|[#@][\w.]+")
_SPACES = re.compile(r"[^\w]+")


def normalised(text: str) -> str:
    """Return the text in lower case without links, hashtags, handles and punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SPACES.sub(" ", _NOISE.sub(" ", folded)).strip()


def shingles(text: str) -> AbstractSet[str]:
    """Return the shingles of a normalised text; none when it is too short to be compared."""
    if len(text) < SHORTEST:
        return frozenset()
    return frozenset(text[place : place + SHINGLE] for place in range(len(text) - SHINGLE + 1))


def similarity(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    """Return what two sets share, 0 to 1 (Jaccard)."""
    together = len(one | other)
    return len(one & other) / together if together else 0.0
