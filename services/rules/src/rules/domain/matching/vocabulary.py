"""All terms of a brand's rules, found in a text in one pass.

Every distinct (form of a term, way of looking) has a number, its key; conditions are then comparisons of small sets.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from rules.domain.leaves import TextMode
from rules.domain.matching.expressions import prepared, translate
from rules.domain.matching.text import (
    MATCHED_CHARACTERS,
    exact_form,
    exact_patterns,
    fold,
    patterns,
    squeezed,
    squeezed_term,
    stands_alone,
    starts_alone,
    words_form,
)

KeywordMatcher = Callable[[str], Sequence[tuple[int, int, int]]]
"""Text → (number of the keyword, start, end) of all occurrences, overlapping ones too."""

ExpressionMatcher = Callable[[str], Collection[int]]
"""Prepared text (see `rules.domain.matching.expressions`) → numbers of the expressions that are found in it."""


class Matchers(NamedTuple):
    """Native finders; None where there is nothing to find."""

    keywords: KeywordMatcher | None
    expressions: ExpressionMatcher | None


MatcherFactory = Callable[[Sequence[str], Sequence[str]], Matchers]
"""Distinct, non-empty keywords and distinct translated expressions → their finders."""

_NO_KEY = -1


Forms = tuple[str, str]
"""A text as terms are looked for in it: folded, and with links and handles masked besides."""


def forms_of(text: str) -> Forms:
    """Return the forms of a text as people wrote it."""
    folded = fold(text[:MATCHED_CHARACTERS])
    return folded, words_form(folded)


class VocabularyBuilder:
    """Numbers terms."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[TextMode, bool, str], int] = {}
        self._weights: list[float] = []

    def keys(self, term: str, mode: TextMode, *, squeeze: bool) -> frozenset[int]:
        """Return the keys of which at least one is found in a text exactly if the term is. Raises ExpressionError."""
        if mode is TextMode.REGEX:
            return frozenset({self._key(mode, False, translate(term))})
        forms = exact_patterns(term) if mode is TextMode.EXACT else patterns(term)
        keys = [self._key(mode, False, form) for form in forms]
        if squeeze:
            keys += [self._key(mode, True, squeezed_term(form)) for form in forms]
        return frozenset(keys)

    def _key(self, mode: TextMode, squeeze: bool, form: str) -> int:
        key = self._numbers.setdefault((mode, squeeze, form), len(self._numbers))
        if key == len(self._weights):
            self._weights.append(_weight(mode, form))
        return key

    def weight(self, keys: Iterable[int]) -> float:
        """Return a guess of how often texts hold one of the keys: short and loose terms often, whole texts seldom."""
        return sum(self._weights[key] for key in keys)

    def build(self, factory: MatcherFactory) -> "Vocabulary":
        """Return the finder of everything numbered so far."""
        plain = {(mode, form): number for (mode, squeeze, form), number in self._numbers.items() if not squeeze}
        squashed = {(mode, form): number for (mode, squeeze, form), number in self._numbers.items() if squeeze}
        return Vocabulary(_Finder(plain, factory), _Finder(squashed, factory) if squashed else None)


def _weight(mode: TextMode, form: str) -> float:
    match mode:
        case TextMode.EXACT:
            return 0.001
        case TextMode.REGEX:
            return 0.5
        case _:
            return _LOOSENESS[mode] / len(form)


_LOOSENESS = {TextMode.WORDS: 1.0, TextMode.PREFIX: 2.0, TextMode.CONTAINS: 4.0}
"""How much more often texts hold a term looked for in this way than the same one as a word."""


class _Finder:
    """Finds keys in one form of a text."""

    __slots__ = ("_expressions", "_keywords", "_loose", "_words", "exact", "expression_matcher")

    def __init__(self, numbers: dict[tuple[TextMode, str], int], factory: MatcherFactory) -> None:
        keywords = sorted({form for mode, form in numbers if mode not in {TextMode.EXACT, TextMode.REGEX}})
        expressions = sorted(form for mode, form in numbers if mode is TextMode.REGEX)
        self._words = [numbers.get((TextMode.WORDS, form), _NO_KEY) for form in keywords]
        loose = [(numbers.get((TextMode.CONTAINS, form)), numbers.get((TextMode.PREFIX, form))) for form in keywords]
        self._loose = loose if any(keys != (None, None) for keys in loose) else None
        self._expressions = [numbers[TextMode.REGEX, form] for form in expressions]
        self._keywords, self.expression_matcher = factory(keywords, expressions)
        self.exact = {form: key for (mode, form), key in numbers.items() if mode is TextMode.EXACT}

    def find(self, text: str, found: set[int]) -> None:
        """Add the keys of the keywords that stand in the text."""
        if self._keywords is None:
            return
        words, loose, length = self._words, self._loose, len(text)
        for number, start, end in self._keywords(text):
            key = words[number]
            if key >= 0 and key not in found:
                clear = (end == length or text[end] == " ") and (start == 0 or text[start - 1] == " ")
                if clear or stands_alone(text, start, end):
                    found.add(key)
            if loose is not None:
                contained, prefix = loose[number]
                if contained is not None:
                    found.add(contained)
                if prefix is not None and starts_alone(text, start):
                    found.add(prefix)

    def find_expressions(self, find: ExpressionMatcher, folded: str, found: set[int]) -> None:
        """Add the keys of the expressions that are found in folded text."""
        found.update(self._expressions[number] for number in find(prepared(folded)))


class Vocabulary:
    """Finds the terms of a brand's rules."""

    __slots__ = ("_plain", "_squeezed")

    def __init__(self, plain: _Finder, squashed: _Finder | None) -> None:
        self._plain = plain
        self._squeezed = squashed

    def find(self, forms: Forms) -> Collection[int]:
        """Return the keys of all terms in a text."""
        folded, words = forms
        plain = self._plain
        found: set[int] = set()
        plain.find(words, found)
        if plain.expression_matcher is not None:
            plain.find_expressions(plain.expression_matcher, folded, found)
        if plain.exact:
            key = plain.exact.get(exact_form(folded))
            if key is not None:
                found.add(key)
        if self._squeezed is not None:
            self._find_squeezed(self._squeezed, forms, found)
        return found

    @staticmethod
    def _find_squeezed(finder: _Finder, forms: Forms, found: set[int]) -> None:
        folded, words = forms
        short = squeezed(words)
        if short is not None:
            finder.find(short, found)
        whole = squeezed(exact_form(folded)) if finder.exact else None
        if whole in finder.exact:
            found.add(finder.exact[whole])
