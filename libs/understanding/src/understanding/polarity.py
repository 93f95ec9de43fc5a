"""The polarity lexicons: readable files of words per language, and how a word finds its entry."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from understanding.text import fold, squeeze

_STRENGTHS = {"+2": 2.0, "+1": 1.0, "-1": -1.0, "-2": -2.0, "0": 0.0}
NEGATE, INTENSIFY, SOFTEN, BUT = "negate", "intensify", "soften", "but"
_ROLES = (NEGATE, INTENSIFY, SOFTEN, BUT)
_SHORTEST_STEM = 2

_CLITICS = ("وال", "بال", "فال", "كال", "لل", "ال", "و", "ب", "ل", "ف", "ي", "ه")
"""Arabic prefixes that are written with the word: and, with, so, like, to, the."""
_ELISIONS = ("fr", "it")
"""Languages that write an elided article or pronoun with the word: l'amour, n'aime, dell'anno."""

Followers: TypeAlias = dict[str, list[tuple[list[str], float]]]
"""The phrases that begin with one word: second word → the others and the strength, longest first."""


@dataclass(slots=True)
class PolarityLexicon:
    """One language's words: strengths from -2 to 2, whole, by stem and as phrases, and the words that change others."""

    language: str
    words: dict[str, float] = field(default_factory=dict)
    stems: dict[str, float] = field(default_factory=dict)
    phrases: dict[str, Followers] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    longest_stem: int = 0

    def add(self, section: str, term: str) -> None:
        """Put one term of a section in; `*` at its end makes it a stem, `_` a phrase."""
        folded = fold(term)
        if section in _ROLES:
            self.roles.setdefault(folded.replace("_", " "), section)
        elif "_" in folded.strip("_*"):
            first, second, *others = folded.strip("_*").split("_")
            held = self.phrases.setdefault(first, {}).setdefault(second, [])
            held.append((others, _STRENGTHS[section]))
            held.sort(key=lambda phrase: -len(phrase[0]))
        else:
            table, bare = self.stems if folded.endswith("*") else self.words, folded.rstrip("*_")
            table.setdefault(bare, _STRENGTHS[section])
            if table is self.stems:
                self.longest_stem = max(self.longest_stem, len(bare))

    def strength(self, folded: str) -> float:
        """Return the strength of a folded word, 0 where it has none; elongation, elision and clitics are looked through."""
        for form in self._forms(folded):
            found = self._find(form)
            if found is not None:
                return found
        return 0.0

    def _forms(self, folded: str) -> Iterator[str]:
        yield folded
        squeezed = squeeze(folded)
        if squeezed != folded:
            yield squeezed
            yield _single(squeezed)
        if self.language in _ELISIONS and "'" in folded:
            yield folded.rpartition("'")[2]
        if self.language == "ar":
            yield from (
                folded[len(clitic) :] for clitic in _CLITICS if folded.startswith(clitic) and len(folded) > len(clitic) + 2
            )

    def _find(self, form: str) -> float | None:
        whole = self.words.get(form)
        if whole is not None:
            return whole
        for length in range(min(len(form), self.longest_stem), _SHORTEST_STEM - 1, -1):
            stem = self.stems.get(form[:length])
            if stem is not None:
                return stem
        return None


def _single(word: str) -> str:
    return "".join(character for place, character in enumerate(word) if place == 0 or character != word[place - 1])


def read_sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield (section, line) of a lexicon file: `[section]` lines, `#` comments, anything else is content."""
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line and not line.startswith("# "):
            yield section, line


def _terms(name: str) -> Iterator[tuple[str, str]]:
    path = files("understanding") / "data" / "polarity" / f"{name}.txt"
    for section, line in read_sections(path.read_text(encoding="utf-8")):
        for term in line.split():
            yield section, term


@cache
def polarity(language: str) -> PolarityLexicon:
    """Return a language's lexicon; empty for a language without a file."""
    lexicon = PolarityLexicon(language)
    if (files("understanding") / "data" / "polarity" / f"{language}.txt").is_file():
        terms = list(_terms(language))
        for section, term in sorted(terms, key=lambda pair: pair[0] != "0"):
            lexicon.add(section, term)
    return lexicon


@cache
def emoji_strengths() -> dict[str, float]:
    """Return the strengths of emoji and emoticons, without skin tones and presentation selectors."""
    found: dict[str, float] = {}
    for section, term in _terms("emoji"):
        found.setdefault(term.replace("\ufe0f", ""), _STRENGTHS[section])
    return found
