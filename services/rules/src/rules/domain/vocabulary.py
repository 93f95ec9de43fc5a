"""All terms of a brand's rules, found in a text in one pass.

Every distinct (form of a term, way of looking) has a number, its key; conditions are then comparisons of small sets.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from rules.domain.model import TextMode
from rules.domain.text import exact_form, exact_patterns, fold, patterns, squeezed, squeezed_term, stands_alone, words_form

Matcher = Callable[[str], Sequence[tuple[int, int, int]]]
"""Text → (number of the keyword, start, end) of all occurrences, overlapping ones too."""

MatcherFactory = Callable[[Sequence[str]], Matcher]
"""Distinct, non-empty keywords → their matcher."""

MATCHED_CHARACTERS = 10_000
"""Of a longer text only the beginning is searched, so that no text can hold up its partition; comments are shorter."""

_NO_KEY = -1


class VocabularyBuilder:
    """Numbers terms."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[TextMode, bool, str], int] = {}
        self._weights: list[float] = []

    def keys(self, term: str, mode: TextMode, *, squeeze: bool) -> frozenset[int]:
        """Return the keys of which at least one is found in a text exactly if the term is."""
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
    if mode is TextMode.EXACT:
        return 0.001
    return (4.0 if mode is TextMode.CONTAINS else 1.0) / len(form)


class _Finder:
    """Finds keys in one form of a text."""

    __slots__ = ("_contains", "_matcher", "_words", "exact")

    def __init__(self, numbers: dict[tuple[TextMode, str], int], factory: MatcherFactory) -> None:
        keywords = sorted({form for mode, form in numbers if mode is not TextMode.EXACT})
        self._words = [numbers.get((TextMode.WORDS, form), _NO_KEY) for form in keywords]
        self._contains = [numbers.get((TextMode.CONTAINS, form), _NO_KEY) for form in keywords]
        self._matcher = factory(keywords) if keywords else None
        self.exact = {form: key for (mode, form), key in numbers.items() if mode is TextMode.EXACT}

    def find(self, text: str, found: set[int]) -> None:
        """Add the keys of what stands in the text."""
        if self._matcher is None:
            return
        words, contains, length = self._words, self._contains, len(text)
        for number, start, end in self._matcher(text):
            key = words[number]
            if key >= 0 and key not in found:
                clear = (end == length or text[end] == " ") and (start == 0 or text[start - 1] == " ")
                if clear or stands_alone(text, start, end):
                    found.add(key)
            key = contains[number]
            if key >= 0:
                found.add(key)


class Vocabulary:
    """Finds the terms of a brand's rules."""

    __slots__ = ("_plain", "_squeezed")

    def __init__(self, plain: _Finder, squashed: _Finder | None) -> None:
        self._plain = plain
        self._squeezed = squashed

    def find(self, text: str) -> Collection[int]:
        """Return the keys of all terms in a text as people wrote it."""
        folded = fold(text[:MATCHED_CHARACTERS])
        form = words_form(folded)
        found: set[int] = set()
        self._plain.find(form, found)
        if self._plain.exact:
            key = self._plain.exact.get(exact_form(folded))
            if key is not None:
                found.add(key)
        if self._squeezed is not None:
            self._find_squeezed(self._squeezed, folded, form, found)
        return found

    @staticmethod
    def _find_squeezed(finder: _Finder, folded: str, form: str, found: set[int]) -> None:
        short = squeezed(form)
        if short is not None:
            finder.find(short, found)
        whole = squeezed(exact_form(folded)) if finder.exact else None
        if whole in finder.exact:
            found.add(finder.exact[whole])
