"""What people write in answer to a request for rights, where a campaign says nothing of it: a table kept as data."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

import orjson

KINDS: Final = ("granted", "refused", "withdrawn")

_OF_BRAND: Final = "{brand}"
"""In a phrase of the table: the brand's id without hyphens, so that a hashtag is nobody else's."""

Phrases = Mapping[str, Mapping[str, Sequence[str]]]
"""Language → granted, refused, withdrawn → phrases."""


def default_phrases(brand: str) -> Phrases:
    """Return the phrases of all languages for a brand."""
    own = brand.replace("-", "")
    return {
        language: {kind: [phrase.replace(_OF_BRAND, own) for phrase in phrases[kind]] for kind in KINDS}
        for language, phrases in _table().items()
    }


@lru_cache(maxsize=1)
def _table() -> Phrases:
    table: Phrases = orjson.loads(files("rules").joinpath("data/consent_phrases.json").read_bytes())
    return table
