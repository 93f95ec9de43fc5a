"""The one thing others call: a text in, what was understood out."""

from collections.abc import Sequence
from typing import NamedTuple

from understanding import flags
from understanding.language import detect
from understanding.model import CLASSES, FALLBACK, Model, model
from understanding.text import chunks

_WORLDLY = "de"
"""Whose lexicon has most of the words of every language: "super", "top", "wow", "lol"; elsewhere some of them only strengthen."""


class Understood(NamedTuple):
    """What a text says.

    `language` is a BCP-47 primary tag in lower case, "" when not determined, with a confidence of 0 to 1. `sentiment` is one of
    negative, neutral, positive, or "" when it could not be told; `score` runs from -1 to 1 (probability of positive minus that of
    negative) and `confidence` is the calibrated probability of `sentiment`. `flags` are a sorted subset of `flags.FLAGS`.
    """

    language: str
    language_confidence: float
    sentiment: str
    score: float
    confidence: float
    flags: tuple[str, ...]


class Understander:
    """Understands texts, in any number of threads. A model is loaded at its language's first text and shared by all instances."""

    def __init__(self, lexicon: flags.Terms | None = None) -> None:
        """Take a brand's own terms, flag → language or "*" → terms, which are added to the shipped ones.

        Raises ValueError for a flag that does not exist.
        """
        self._lexicon: flags.Terms = lexicon or {}
        unknown = sorted({flag.removeprefix("not ") for flag in self._lexicon} - set(flags.FLAGS))
        if unknown:
            raise ValueError(f"unknown flags {', '.join(unknown)}; there are {', '.join(flags.FLAGS)}")
        self._flaggers: dict[str, flags.Flagger] = {}

    def understand(self, text: str, *, language: str = "", languages: Sequence[str] = ()) -> Understood:
        """Return what a text of any length and content says; never raises.

        `language` fixes the language. `languages` are the ones the brand expects: when unsure, the answer is one of them.
        """
        found = chunks(text)
        spoken, sure = (_primary(language), 1.0) if language else detect(found, languages)
        own = model(spoken)
        used = own or _shipped(FALLBACK)
        reading = used.read(found)
        if not spoken and reading.spoken:
            heard = _likely(languages)
            guessed = heard.read(found)
            if guessed.values:
                own, used, reading = heard, heard, guessed
        flagger = self._flaggers.get(spoken) or self._flagger(spoken)
        named = flagger.flags(reading)
        if own is None and not any(reading.emoji):
            return Understood(spoken, sure, "", 0.0, 0.0, named)
        chances = used.chances(reading)
        best = max(chances)
        return Understood(spoken, sure, CLASSES[chances.index(best)], chances[2] - chances[0], best, named)

    def _flagger(self, language: str) -> flags.Flagger:
        flagger = flags.extended(language, self._lexicon) if self._lexicon else flags.shipped(language)
        self._flaggers[language] = flagger
        return flagger


def _primary(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()


def _likely(languages: Sequence[str]) -> Model:
    """Return the model for words of every language, such as "super": of the first expected language that has one."""
    return next((found for language in languages if (found := model(_primary(language)))), None) or _shipped(_WORLDLY)


def _shipped(language: str) -> Model:
    shipped = model(language)
    if shipped is None:
        raise RuntimeError("the package was built without its models")
    return shipped
