"""Flags by transparent lexicons: files of terms per language, found at word boundaries, and a brand's own terms beside them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from understanding.features import Reading
from understanding.polarity import NEGATE, polarity, read_sections
from understanding.text import TOKEN, fold
from understanding.words import ASK

QUESTION = "question"
FLAGS = ("complaint", "praise", "purchase_intent", QUESTION, "spam")
_ASKED = (QUESTION,)
EVERY_LANGUAGE = "*"
NEGATABLE = frozenset(("praise", "purchase_intent"))
"""Flags that a negator right before the term takes back. A complaint is full of negators; it keeps them in its terms."""
NEGATION_REACH = 2
_NOT = "not "
_OPENERS = frozenset(("@user", "http"))
"""What may stand before the beginning of a sentence."""
_STOPS = frozenset(".!?…:;,؟،।¿¡")

Terms: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]
"""Flag → language, or `*` for every language → terms."""


class Flagger:
    """Finds the flags of one language's texts."""

    def __init__(self, language: str, terms: Sequence[tuple[str, str]]) -> None:
        """Take (flag, term) pairs; a flag may be written `not praise`. See the shipped files for the form of a term."""
        self._negators = {word for word, role in polarity(language).roles.items() if role == NEGATE}
        self._meanings: dict[str, list[tuple[str, bool]]] = {}
        for flag, term in terms:
            opens, pattern = term.startswith("^"), _pattern(term)
            if pattern.strip():
                self._meanings.setdefault(pattern, []).append((flag, opens))
        self._patterns = list(self._meanings)
        self._automaton = AhoCorasick(
            self._patterns, matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA, store_patterns=False
        )

    def flags(self, reading: Reading) -> tuple[str, ...]:
        """Return the sorted flags of a text, given its reading."""
        spaced = f" {' '.join(reading.spoken)} "
        matches = self._automaton.find_matches_as_indexes(spaced, overlapping=True)
        if not matches:
            return _ASKED if ASK in reading.marks else ()
        found = {QUESTION} if ASK in reading.marks else set()
        for number, begin, _ in matches:
            before: list[str] | None = None
            for flag, opens in self._meanings[self._patterns[number]]:
                if flag in found:
                    continue
                before = spaced[:begin].split() if before is None else before
                if self._holds(flag, opens, before):
                    found.add(flag)
        return tuple(flag for flag in FLAGS if flag in found and _NOT + flag not in found)

    def _holds(self, flag: str, opens: bool, before: Sequence[str]) -> bool:
        if opens and before and before[-1] not in _OPENERS and _STOPS.isdisjoint(before[-1]):
            return False
        return flag not in NEGATABLE or self._negators.isdisjoint(before[-NEGATION_REACH:])


def _pattern(term: str) -> str:
    words = " ".join(fold(token) for token in TOKEN.findall(term.removeprefix("^").removesuffix("*")))
    return f" {words}" if term.endswith("*") else f" {words} "


@cache
def shipped_terms(language: str) -> tuple[tuple[str, str], ...]:
    """Return the shipped (flag, term) pairs of a language, none for a language without a file."""
    path = files("understanding") / "data" / "flags" / f"{language}.txt"
    return tuple(_terms(path.read_text(encoding="utf-8"))) if language.isalpha() and path.is_file() else ()


def _terms(text: str) -> Iterator[tuple[str, str]]:
    for section, line in read_sections(text):
        for term in line.split(","):
            if term.strip():
                yield section, term.strip()


@cache
def shipped(language: str) -> Flagger:
    """Return the flagger of a language's shipped terms, shared by all."""
    return Flagger(language, shipped_terms(language))


def extended(language: str, own: Terms) -> Flagger:
    """Return a flagger of the shipped terms and a brand's own."""
    added = [(flag, term) for flag, by in own.items() for key in (language, EVERY_LANGUAGE) for term in by.get(key, ())]
    return Flagger(language, [*shipped_terms(language), *added]) if added else shipped(language)
