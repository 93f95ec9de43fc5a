"""The ways in which a condition can hold: alternatives of literals, each with its place in the rule document.

A condition is first freed of `not` (what remains is "this leaf holds" and "this leaf does not"), then spread out. Spread
out, it can grow without bound; beyond a bound it is not spread out and nothing is claimed of it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product

from rules.domain.checking.terms import Term, terms_of
from rules.domain.leaves import All, Any, Condition, FactLeaf, Not, TextLeaf

MAX_WAYS = 256
"""More alternatives than this are not looked into: a save must not take seconds, and people do not write such rules."""


@dataclass(frozen=True, slots=True)
class Found:
    """At least one of the terms is in the text."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A leaf that holds, or (`negated`) does not; `pointer` is its place, a JSON pointer into the rule document."""

    leaf: Found | FactLeaf
    negated: bool
    pointer: str


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Every part holds."""

    of: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """At least one part holds."""

    of: tuple["Formula", ...]


Formula = Conjunction | Disjunction | Literal
Way = tuple[Literal, ...]
"""Literals that hold together."""

ALWAYS = Conjunction(())
"""What a rule without conditions asks for."""


def children(condition: Condition, pointer: str) -> Iterator[tuple[Condition, str]]:
    """Yield what is directly below a condition at `pointer`, each with its own pointer."""
    match condition:
        case All() | Any():
            name = "all" if isinstance(condition, All) else "any"
            for place, part in enumerate(condition.of):
                yield part, f"{pointer}/{name}/{place}"
        case Not():
            yield condition.of, f"{pointer}/not"
        case _:
            return


def formula(condition: Condition | None, pointer: str = "/when", *, negated: bool = False) -> Formula:
    """Return the condition (or its negation) with negations only at its leaves."""
    match condition:
        case None:
            return ALWAYS
        case Not():
            return formula(condition.of, f"{pointer}/not", negated=not negated)
        case All() | Any():
            parts = tuple(formula(part, place, negated=negated) for part, place in children(condition, pointer))
            return Conjunction(parts) if isinstance(condition, All) is not negated else Disjunction(parts)
        case TextLeaf():
            return _text(condition, f"{pointer}/text", negated=negated)
        case _:
            return Literal(condition, negated, f"{pointer}/{leaf_name(condition)}")


def leaf_name(leaf: TextLeaf | FactLeaf) -> str:
    """Return the leaf's name in a rule document."""
    return type(leaf).__name__.removesuffix("Leaf").lower()


def _text(leaf: TextLeaf, pointer: str, *, negated: bool) -> Formula:
    parts: list[Formula] = []
    if leaf.any:
        parts.append(Literal(Found(terms_of(leaf, leaf.any)), negated, f"{pointer}/any"))
    if leaf.none:
        parts.append(Literal(Found(terms_of(leaf, leaf.none)), not negated, f"{pointer}/none"))
    if len(parts) == 1:
        return parts[0]
    return Disjunction(tuple(parts)) if negated else Conjunction(tuple(parts))


def ways(spread: Formula) -> tuple[Way, ...] | None:
    """Return all alternatives; None when there are more than MAX_WAYS."""
    match spread:
        case Literal():
            return ((spread,),)
        case Disjunction():
            return _either(spread)
        case Conjunction():
            return _together(spread)


def _either(spread: Disjunction) -> tuple[Way, ...] | None:
    found: list[Way] = []
    for part in spread.of:
        inner = ways(part)
        if inner is None or len(found) + len(inner) > MAX_WAYS:
            return None
        found.extend(inner)
    return tuple(found)


def _together(spread: Conjunction) -> tuple[Way, ...] | None:
    found: tuple[Way, ...] = ((),)
    for part in spread.of:
        inner = ways(part)
        if inner is None or len(found) * len(inner) > MAX_WAYS:
            return None
        found = tuple((*left, *right) for left, right in product(found, inner))
    return found


def needed(spread: Formula) -> Collection[Term] | None:
    """Return terms of which at least one is in every text for which the formula holds; None: there are no such terms."""
    match spread:
        case Literal():
            return spread.leaf.terms if isinstance(spread.leaf, Found) and not spread.negated else None
        case Conjunction():
            return min((terms for part in spread.of if (terms := needed(part)) is not None), key=len, default=None)
        case Disjunction():
            parts = [needed(part) for part in spread.of]
            known = [terms for terms in parts if terms is not None]
            return [term for terms in known for term in terms] if len(known) == len(parts) else None
