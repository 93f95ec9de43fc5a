"""A rule's `when` over the keys found in a text and the facts of its event.

Two questions are asked of it: does it hold, and would it hold if no term were excluded and no fact asked for? A rule for
which only the second is true matched by text, and its first failing part is the reason why it does not act. So that both
have one meaning for every nesting of `not`, negations are first pushed down to the leaves: what remains is "found",
"absent" and facts with their sign, under and, or.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rules.domain.decision import Reason
from rules.domain.leaves import All, Any, Condition, FactLeaf, Not, TextLeaf
from rules.domain.matching import facts as asked
from rules.domain.matching.facts import Facts
from rules.domain.matching.vocabulary import VocabularyBuilder

Keys = Collection[int]

PRECEDENCE = (
    Reason.EXCLUDED_TERM,
    Reason.LANGUAGE,
    Reason.SENTIMENT,
    Reason.AUTHOR,
    Reason.RATING,
    Reason.COBRA,
    Reason.MEDIA,
    Reason.THREAD,
)
"""Of several parts that fail, the first of these is the reason."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a rule, or one action of it, does not act; `detail` names the values compared, for people."""

    reason: Reason
    detail: str


class Check(Protocol):
    """A condition ready to be asked; `found` are the keys found in the text."""

    def holds(self, found: Keys, facts: Facts) -> bool:
        """Return whether the condition holds."""
        ...

    def matches(self, found: Keys) -> bool:
        """Return whether it would hold if no term were excluded and no fact asked for."""
        ...

    def refusal(self, found: Keys, facts: Facts) -> Refusal:
        """Return why it does not hold; asked only where it matches and does not hold."""
        ...

    def access(self) -> frozenset[int] | None:
        """Return keys of which at least one is found whenever the condition matches; None if there is no such set."""
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    keys: frozenset[int]

    def holds(self, found: Keys, facts: Facts) -> bool:
        return not self.keys.isdisjoint(found)

    def matches(self, found: Keys) -> bool:
        return not self.keys.isdisjoint(found)

    def refusal(self, found: Keys, facts: Facts) -> Refusal:
        raise AssertionError("it holds whenever it matches")

    def access(self) -> frozenset[int] | None:
        return self.keys


@dataclass(frozen=True, slots=True)
class _Absent:
    terms: Mapping[int, str]

    def holds(self, found: Keys, facts: Facts) -> bool:
        return self.terms.keys().isdisjoint(found)

    def matches(self, found: Keys) -> bool:
        return True

    def refusal(self, found: Keys, facts: Facts) -> Refusal:
        return Refusal(Reason.EXCLUDED_TERM, ", ".join(sorted({self.terms[key] for key in found if key in self.terms})))

    def access(self) -> frozenset[int] | None:
        return None


@dataclass(frozen=True, slots=True)
class _Fact:
    leaf: FactLeaf
    negated: bool

    def holds(self, found: Keys, facts: Facts) -> bool:
        return asked.holds(self.leaf, facts) is not self.negated

    def matches(self, found: Keys) -> bool:
        return True

    def refusal(self, found: Keys, facts: Facts) -> Refusal:
        return Refusal(asked.reason_of(self.leaf), asked.compared(self.leaf, facts, negated=self.negated))

    def access(self) -> frozenset[int] | None:
        return None


@dataclass(frozen=True, slots=True)
class _And:
    of: tuple[Check, ...]
    keys: frozenset[int] | None

    def holds(self, found: Keys, facts: Facts) -> bool:
        for check in self.of:  # noqa: SIM110 (twice as fast as all(), and asked for every candidate)
            if not check.holds(found, facts):
                return False
        return True

    def matches(self, found: Keys) -> bool:
        return all(check.matches(found) for check in self.of)

    def refusal(self, found: Keys, facts: Facts) -> Refusal:
        refusals = [check.refusal(found, facts) for check in self.of if not check.holds(found, facts)]
        first = _first(refusals)
        return _together(first, [refusal for refusal in refusals if refusal.reason is first])

    def access(self) -> frozenset[int] | None:
        return self.keys


@dataclass(frozen=True, slots=True)
class _Or:
    of: tuple[Check, ...]
    keys: frozenset[int] | None

    def holds(self, found: Keys, facts: Facts) -> bool:
        return any(check.holds(found, facts) for check in self.of)

    def matches(self, found: Keys) -> bool:
        return any(check.matches(found) for check in self.of)

    def refusal(self, found: Keys, facts: Facts) -> Refusal:
        """Name every alternative: any one of them would have been enough."""
        refusals = [check.refusal(found, facts) for check in self.of if check.matches(found)]
        return _together(_first(refusals), refusals)

    def access(self) -> frozenset[int] | None:
        return self.keys


def _first(refusals: Sequence[Refusal]) -> Reason:
    return min((refusal.reason for refusal in refusals), key=PRECEDENCE.index)


def _together(reason: Reason, refusals: Sequence[Refusal]) -> Refusal:
    return Refusal(reason, "; ".join(dict.fromkeys(refusal.detail for refusal in refusals)))


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
        case _:
            return _Fact(condition, negated)


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
