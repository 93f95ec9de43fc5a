"""A rule's `when` over the keys found in a text.

Two questions are asked of it: does it hold, and would it hold if no term were excluded? A rule for which only the
second is true matched by text and is kept from acting by an excluded term. So that both have one meaning for every
nesting of `not`, negations are first pushed down to the terms: what remains is "found" and "absent" under and, or.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from rules.domain.model import All, Any, Condition, Not, TextLeaf
from rules.domain.vocabulary import VocabularyBuilder

Keys = Collection[int]


class Check(Protocol):
    """A condition ready to be asked; `found` are the keys found in the text."""

    def holds(self, found: Keys) -> bool:
        """Return whether the condition holds."""
        ...

    def matches(self, found: Keys) -> bool:
        """Return whether it would hold if no term were excluded."""
        ...

    def excluding(self, found: Keys) -> tuple[str, ...]:
        """Return the excluded terms that stand in the text; never empty when it matches and does not hold."""
        ...

    def access(self) -> frozenset[int] | None:
        """Return keys of which at least one is found whenever the condition matches; None if there is no such set."""
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    keys: frozenset[int]

    def holds(self, found: Keys) -> bool:
        return not self.keys.isdisjoint(found)

    def matches(self, found: Keys) -> bool:
        return not self.keys.isdisjoint(found)

    def excluding(self, found: Keys) -> tuple[str, ...]:
        return ()

    def access(self) -> frozenset[int] | None:
        return self.keys


@dataclass(frozen=True, slots=True)
class _Absent:
    terms: Mapping[int, str]

    def holds(self, found: Keys) -> bool:
        return self.terms.keys().isdisjoint(found)

    def matches(self, found: Keys) -> bool:
        return True

    def excluding(self, found: Keys) -> tuple[str, ...]:
        return tuple(sorted({self.terms[key] for key in found if key in self.terms}))

    def access(self) -> frozenset[int] | None:
        return None


@dataclass(frozen=True, slots=True)
class _And:
    of: tuple[Check, ...]
    keys: frozenset[int] | None

    def holds(self, found: Keys) -> bool:
        for check in self.of:  # noqa: SIM110 (twice as fast as all(), and asked for every candidate)
            if not check.holds(found):
                return False
        return True

    def matches(self, found: Keys) -> bool:
        return all(check.matches(found) for check in self.of)

    def excluding(self, found: Keys) -> tuple[str, ...]:
        return tuple(term for check in self.of for term in check.excluding(found))

    def access(self) -> frozenset[int] | None:
        return self.keys


@dataclass(frozen=True, slots=True)
class _Or:
    of: tuple[Check, ...]
    keys: frozenset[int] | None

    def holds(self, found: Keys) -> bool:
        return any(check.holds(found) for check in self.of)

    def matches(self, found: Keys) -> bool:
        return any(check.matches(found) for check in self.of)

    def excluding(self, found: Keys) -> tuple[str, ...]:
        return tuple(term for check in self.of for term in check.excluding(found))

    def access(self) -> frozenset[int] | None:
        return self.keys


def compile_condition(condition: Condition, vocabulary: VocabularyBuilder, *, negated: bool = False) -> Check:
    """Return the condition (or its negation) over the vocabulary's keys; terms it does not have yet are added."""
    match condition:
        case TextLeaf():
            return _leaf(condition, vocabulary, negated=negated)
        case Not():
            return compile_condition(condition.of, vocabulary, negated=not negated)
        case All() | Any():
            checks = tuple(compile_condition(part, vocabulary, negated=negated) for part in condition.of)
            return _and(checks, vocabulary) if isinstance(condition, All) is not negated else _or(checks)


def _leaf(leaf: TextLeaf, vocabulary: VocabularyBuilder, *, negated: bool) -> Check:
    wanted, unwanted = _terms(leaf, leaf.any, vocabulary), _terms(leaf, leaf.none, vocabulary)
    checks: list[Check] = []
    if leaf.any:
        checks.append(_Absent(wanted) if negated else _Found(frozenset(wanted)))
    if leaf.none:
        checks.append(_Found(frozenset(unwanted)) if negated else _Absent(unwanted))
    if len(checks) == 1:
        return checks[0]
    return _or(tuple(checks)) if negated else _and(tuple(checks), vocabulary)


def _terms(leaf: TextLeaf, terms: tuple[str, ...], vocabulary: VocabularyBuilder) -> dict[int, str]:
    return {key: term for term in terms for key in vocabulary.keys(term, leaf.mode, squeeze=leaf.squeeze)}


def _and(checks: tuple[Check, ...], vocabulary: VocabularyBuilder) -> Check:
    sets = [keys for check in checks if (keys := check.access()) is not None]
    return _And(checks, min(sets, key=vocabulary.weight, default=None))


def _or(checks: tuple[Check, ...]) -> Check:
    sets = [check.access() for check in checks]
    keys: frozenset[int] = frozenset()
    for part in sets:
        if part is None:
            return _Or(checks, None)
        keys |= part
    return _Or(checks, keys)
