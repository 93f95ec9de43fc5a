"""Whether conditions follow from each other or exclude each other.

Everything here errs on one side: True is certain, False means "not known". A claim that a rule never acts rests on it.
"""

from collections.abc import Sequence

from rules.domain.checking.terms import implies as term_implies
from rules.domain.checking.ways import Conjunction, Disjunction, Formula, Found, Literal, Way
from rules.domain.leaves import (
    AuthorLeaf,
    CobraLeaf,
    FactLeaf,
    HasLeaf,
    LanguageLeaf,
    RatingLeaf,
    SentimentLeaf,
    ThreadLeaf,
)
from rules.domain.matching.facts import COBRA_LEVELS, POLARITIES
from rules.domain.model import SILENT_KINDS, Where

_LOWEST, _HIGHEST = -1.0, 1.0
"""Of a sentiment's score."""

Bounds = tuple[float | None, float | None]
"""At least and at most, both included; None: no bound."""


def follows(way: Way, wanted: Formula) -> bool:
    """Return whether `wanted` holds whenever all literals of the way do."""
    match wanted:
        case Conjunction():
            return all(follows(way, part) for part in wanted.of)
        case Disjunction():
            return any(follows(way, part) for part in wanted.of)
        case Literal():
            return any(_literal_implies(given, wanted) for given in way)


def _literal_implies(given: Literal, wanted: Literal) -> bool:
    if given.negated:
        return wanted.negated and _implies(wanted.leaf, given.leaf)
    return _excludes(given.leaf, wanted.leaf) if wanted.negated else _implies(given.leaf, wanted.leaf)


def clash(way: Way) -> tuple[Literal, Literal] | None:
    """Return two literals of the way that can never hold together, or None."""
    absent = [literal for literal in way if literal.negated]
    present = [literal for literal in way if not literal.negated]
    for place, one in enumerate(present):
        for other in present[place:]:
            if _excludes(one.leaf, other.leaf):
                return one, other
        for other in absent:
            if _implies(one.leaf, other.leaf):
                return one, other
        if isinstance(one.leaf, Found) and (covering := _covering(one.leaf, absent)):
            return one, covering
    return None


def _covering(wanted: Found, absent: list[Literal]) -> Literal | None:
    """Return the last of the literals that together leave no wanted term, or None."""
    lists = [literal for literal in absent if isinstance(literal.leaf, Found)]
    unwanted = tuple(term for literal in lists if isinstance(literal.leaf, Found) for term in literal.leaf.terms)
    return lists[-1] if unwanted and _implies(wanted, Found(unwanted)) else None


def _implies(given: Found | FactLeaf, wanted: Found | FactLeaf) -> bool:
    if given == wanted:
        return True
    match given, wanted:
        case Found(), Found():
            return all(term_implies(term, *wanted.terms) for term in given.terms)
        case LanguageLeaf(), LanguageLeaf():
            return all(any(_takes_in(wide, narrow) for wide in wanted.any) for narrow in given.any)
        case AuthorLeaf(), AuthorLeaf():
            return _author_implies(given, wanted)
        case HasLeaf(), HasLeaf():
            return set(wanted.features) <= set(given.features)
        case SentimentLeaf(), SentimentLeaf():
            return _inside(_polarity(given), _polarity(wanted)) and _inside(_score(given), _score(wanted))
        case _:
            ranges = _ranges(given, wanted)
            return ranges is not None and _inside(*ranges)


def _takes_in(wide: str, narrow: str) -> bool:
    return narrow == wide or narrow.startswith(f"{wide}-")


def _author_implies(given: AuthorLeaf, wanted: AuthorLeaf) -> bool:
    return (
        _inside(_followers(given), _followers(wanted))
        and wanted.verified in {None, given.verified}
        and (not wanted.segments or (bool(given.segments) and given.segments <= wanted.segments))
        and wanted.not_in <= given.not_in
        and wanted.first_contact in {None, given.first_contact}
    )


def _excludes(one: Found | FactLeaf, other: Found | FactLeaf) -> bool:
    match one, other:
        case LanguageLeaf(), LanguageLeaf():
            return not any(_takes_in(a, b) or _takes_in(b, a) for a in one.any for b in other.any)
        case AuthorLeaf(), AuthorLeaf():
            return _authors_exclude(one, other)
        case SentimentLeaf(), SentimentLeaf():
            return _apart(_polarity(one), _polarity(other)) or _scores_exclude(_score(one), _score(other))
        case _:
            ranges = _ranges(one, other)
            return ranges is not None and _apart(*ranges)


def _authors_exclude(one: AuthorLeaf, other: AuthorLeaf) -> bool:
    return (
        _apart(_followers(one), _followers(other))
        or {one.verified, other.verified} == {True, False}
        or {one.first_contact, other.first_contact} == {True, False}
        or any(part.segments and part.segments <= one.not_in | other.not_in for part in (one, other))
    )


def _ranges(one: Found | FactLeaf, other: Found | FactLeaf) -> tuple[Bounds, Bounds] | None:
    """Return the bounds of two leaves that bound the same number, else None."""
    first, second = _bounds(one), _bounds(other)
    return (first, second) if type(one) is type(other) and first is not None and second is not None else None


def _bounds(leaf: Found | FactLeaf) -> Bounds | None:
    match leaf:
        case RatingLeaf():
            return leaf.at_least, leaf.at_most
        case ThreadLeaf():
            return leaf.depth_at_least, leaf.depth_at_most
        case CobraLeaf():
            return _place(leaf.at_least, COBRA_LEVELS), _place(leaf.at_most, COBRA_LEVELS)
        case _:
            return None


def _place(value: str, order: Sequence[str]) -> int | None:
    return order.index(value) if value in order else None


def _polarity(leaf: SentimentLeaf) -> Bounds:
    return _place(leaf.at_least, POLARITIES), _place(leaf.at_most, POLARITIES)


def _score(leaf: SentimentLeaf) -> Bounds:
    return leaf.above, leaf.below


def _followers(leaf: AuthorLeaf) -> Bounds:
    return leaf.followers_at_least, leaf.followers_at_most


def _inside(inner: Bounds, outer: Bounds) -> bool:
    low = outer[0] is None or (inner[0] is not None and inner[0] >= outer[0])
    return low and (outer[1] is None or (inner[1] is not None and inner[1] <= outer[1]))


def _apart(one: Bounds, other: Bounds) -> bool:
    lowest, highest = _tightest(one, other)
    return lowest is not None and highest is not None and lowest > highest


def _scores_exclude(one: Bounds, other: Bounds) -> bool:
    """Return whether no score lies between the bounds, which are themselves excluded."""
    lowest, highest = _tightest(one, other)
    lowest = _LOWEST - 1 if lowest is None else lowest
    highest = _HIGHEST + 1 if highest is None else highest
    return lowest >= highest or lowest >= _HIGHEST or highest <= _LOWEST


def _tightest(one: Bounds, other: Bounds) -> Bounds:
    lows = [low for low, _ in (one, other) if low is not None]
    highs = [high for _, high in (one, other) if high is not None]
    return max(lows, default=None), min(highs, default=None)


def takes_in(wide: Where, narrow: Where) -> bool:
    """Return whether every event that stands where `narrow` looks also stands where `wide` does."""
    return (
        _set_takes_in(wide.platforms, narrow.platforms)
        and _set_takes_in(wide.channels, narrow.channels)
        and _kinds_take_in(wide.kinds, narrow.kinds)
        and _set_takes_in(wide.objects_only, narrow.objects_only)
        and wide.objects_except <= narrow.objects_except
        and (narrow.top_level_only or not wide.top_level_only)
        and wide.ads in {"include", narrow.ads}
    )


def _set_takes_in(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    return not wide or (bool(narrow) and narrow <= wide)


def _kinds_take_in(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    # A rule that names no kind is not asked about silent ones, a rule that names them is.
    return _set_takes_in(wide, narrow) and (bool(wide) or narrow.isdisjoint(SILENT_KINDS))


def meet(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two restrictions (empty: none) leave something in common."""
    return not one or not other or not one.isdisjoint(other)
