"""Which terms are found wherever another one is: the arithmetic of keywords, for checks that must never cry wolf.

Everything here errs on one side: True is certain, False means "not known".
"""

from dataclasses import dataclass
from functools import lru_cache

from rules.domain.leaves import TextLeaf, TextMode
from rules.domain.matching.text import exact_patterns, patterns, squeezed_term, stands_alone, starts_alone

_INSIDE: dict[TextMode, frozenset[TextMode]] = {
    TextMode.WORDS: frozenset({TextMode.WORDS, TextMode.PREFIX, TextMode.CONTAINS}),
    TextMode.PREFIX: frozenset({TextMode.PREFIX, TextMode.CONTAINS}),
    TextMode.CONTAINS: frozenset({TextMode.CONTAINS}),
}
"""How a term is found → the ways in which a shorter term inside it is then found as well."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term and how it is found in a text."""

    text: str
    mode: TextMode
    squeeze: bool = False


@lru_cache(maxsize=8192)
def forms(term: Term) -> tuple[str, ...]:
    """Return the spellings of a term that are looked for."""
    return exact_patterns(term.text) if term.mode is TextMode.EXACT else patterns(term.text)


def terms_of(leaf: TextLeaf, texts: tuple[str, ...]) -> tuple[Term, ...]:
    """Return texts of a leaf as terms."""
    return tuple(Term(text, leaf.mode, leaf.squeeze) for text in texts)


def implies(term: Term, *others: Term) -> bool:
    """Return whether every text in which `term` is found holds one of the others too."""
    return term in others or (term.mode is not TextMode.REGEX and all(_is_in_any(form, term, others) for form in forms(term)))


def _is_in_any(form: str, term: Term, others: tuple[Term, ...]) -> bool:
    comparable = (other for other in others if other.mode is not TextMode.REGEX and (other.squeeze or not term.squeeze))
    return any(_is_in_one(form, term, other) for other in comparable)


def _is_in_one(form: str, term: Term, other: Term) -> bool:
    spellings = forms(other)
    if not any(_is_inside(inner, form, term.mode, other.mode) for inner in spellings):
        return False
    if not term.squeeze:
        return True
    squeezed = squeezed_term(form)  # such a term is also found in the squeezed text, and there the other must be as well
    return any(_is_inside(squeezed_term(inner), squeezed, term.mode, other.mode) for inner in spellings)


def _is_inside(inner: str, outer: str, how: TextMode, inner_how: TextMode) -> bool:
    if how is TextMode.EXACT or inner_how is TextMode.EXACT:
        return how is inner_how and inner == outer
    if inner_how not in _INSIDE[how] or inner not in outer:
        return False
    if inner_how is TextMode.CONTAINS:
        return True
    return any(_is_word(outer, start, len(inner), inner_how) for start in _occurrences(inner, outer))


def _is_word(outer: str, start: int, length: int, how: TextMode) -> bool:
    return stands_alone(outer, start, start + length) if how is TextMode.WORDS else starts_alone(outer, start)


def _occurrences(inner: str, outer: str) -> list[int]:
    return [start for start in range(len(outer) - len(inner) + 1) if outer.startswith(inner, start)]
