"""Whose statements weigh most: advocates and detractors by exposure, resonance and recency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from metrics.domain.formulas import half_life
from metrics.domain.hour import NO_NUMBER, Hour, Piece, together
from metrics.domain.reports.ewom import ASSUMED_REACH, usual_reach
from metrics.domain.reports.figures import Described

PARTS = ("influence", "reach")
"""What the report reads of each hour."""

HALF_LIFE_DAYS = 14.0
"""A statement of two weeks ago weighs half as much as one of now; public attention to brands' crises fades within about a
month.
"""

_DAY_S = 86_400.0

_Whole = NDArray[np.int64]
_Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Influencer(Described):
    """A person and what was said by them in the period."""

    brand: str
    person: int
    """A pseudonym; it cannot be turned back into the platform's id."""
    name: str | None
    """The name that the platform shows, where it told one and the person has not been erased."""
    platform: str
    score: float
    """Sum over the statements: exposure times (1 + resonance) times 2^(-age / half-life); age at the period's end, to the
    hour.
    """
    statements: int
    """Statements on that side."""
    exposure: int
    """Sum of their reach, estimated ones included."""
    estimated: int
    """Statements whose reach is the platform's median, because it is unknown."""
    resonance: int
    """Reactions, replies, shares and votes that the statements drew in the period."""


@dataclass(frozen=True, slots=True)
class Influencers(Described):
    """Advocates by their positive statements, detractors by their negative ones; one person can be both."""

    half_life_days: float
    advocates: list[Influencer]
    """The highest scores first."""
    detractors: list[Influencer]
    """The highest scores first."""
    advocates_total: int
    """People with a positive statement."""
    detractors_total: int
    """People with a negative statement."""


def influencers(pieces: Sequence[Piece], end_s: float, count: int) -> Influencers:
    """Return the report of a period that ends at `end_s` (seconds since 1970), with the first `count` of each side."""
    hours: list[Hour] = [piece.hour for piece in pieces]
    usual, drawn = usual_reach(hours), _counted(_column(hours, "drawn"))
    sides: dict[int, list[_Group]] = {1: [], -1: []}
    for brand in sorted({piece.brand for piece in pieces}):
        own = [piece for piece in pieces if piece.brand == brand]
        for platform in sorted({name.partition(" ")[0] for piece in own for name in piece.hour.influence if " " in name}):
            statements = _statements(own, platform, end_s, drawn, usual.get(platform, ASSUMED_REACH))
            for sign, groups in sides.items():
                groups.append(_Group(brand, platform, _people(statements, sign)))
    totals = [sum(len(group.people.persons) for group in sides[sign]) for sign in (1, -1)]
    return Influencers(HALF_LIFE_DAYS, _first(sides[1], count), _first(sides[-1], count), *totals)


def named(report: Influencers, names: Mapping[tuple[str, int], str]) -> Influencers:
    """Return the report with the names that are known."""
    sides = [
        [replace(one, name=names.get((one.brand, one.person))) for one in side] for side in (report.advocates, report.detractors)
    ]
    return replace(report, advocates=sides[0], detractors=sides[1])


@dataclass(frozen=True, slots=True)
class _Statements:
    """Statements of one brand on one platform, row by row."""

    persons: _Whole
    signs: _Whole
    exposure: _Whole
    estimated: _Whole
    resonance: _Whole
    weights: _Real


@dataclass(frozen=True, slots=True)
class _People:
    """The sums of each person, row by row, by rising pseudonym."""

    persons: _Whole
    statements: _Whole
    exposure: _Whole
    estimated: _Whole
    resonance: _Whole
    scores: _Real


@dataclass(frozen=True, slots=True)
class _Group:
    brand: str
    platform: str
    people: _People


def _column(hours: Sequence[Hour], name: str) -> _Whole:
    return np.asarray(together(hours, "influence", name), np.int64)


def _counted(drawn: _Whole) -> tuple[_Whole, _Whole]:
    """Return what was answered or reacted to, in order, and how often."""
    objects, counts = np.unique(drawn, return_counts=True)
    return objects, counts.astype(np.int64)


def _statements(pieces: Sequence[Piece], platform: str, end_s: float, drawn: tuple[_Whole, _Whole], usual: int) -> _Statements:
    persons, objects, reaches, signs = (
        _column([piece.hour for piece in pieces], f"{platform} {name}") for name in ("persons", "objects", "reaches", "signs")
    )
    fresh = [half_life((end_s - piece.end.timestamp()) / _DAY_S, HALF_LIFE_DAYS) for piece in pieces]
    rows = [len(piece.hour.influence.get(f"{platform} persons", ())) for piece in pieces]
    estimated = reaches == NO_NUMBER
    exposure, resonance = np.where(estimated, usual, reaches), _resonance(objects, *drawn)
    weights = exposure * (1.0 + resonance) * np.repeat(np.asarray(fresh), rows)
    return _Statements(persons, signs, exposure, estimated.astype(np.int64), resonance, weights)


def _resonance(objects: _Whole, drawn: _Whole, counts: _Whole) -> _Whole:
    if not len(drawn):
        return np.zeros(len(objects), np.int64)
    at = np.minimum(np.searchsorted(drawn, objects), len(drawn) - 1)
    return np.where(drawn[at] == objects, counts[at], 0)


def _people(said: _Statements, sign: int) -> _People:
    chosen = np.flatnonzero(said.signs == sign)
    # By weight within each person: floating point sums are then the same in whatever order the statements came.
    order = chosen[np.lexsort((said.weights[chosen], said.persons[chosen]))]
    persons, begins, counts = np.unique(said.persons[order], return_index=True, return_counts=True)
    if not len(persons):
        return _People(persons, counts, counts, counts, counts, np.empty(0))
    exposure, estimated, resonance = (
        np.add.reduceat(column[order], begins) for column in (said.exposure, said.estimated, said.resonance)
    )
    return _People(persons, counts, exposure, estimated, resonance, np.add.reduceat(said.weights[order], begins))


def _first(groups: Sequence[_Group], count: int) -> list[Influencer]:
    """Return the highest scores; equal ones by brand, platform and pseudonym, the last first."""
    found: list[Influencer] = []
    for group in groups:
        people = group.people
        for row in np.lexsort((people.persons, people.scores))[-count:]:
            numbers = (people.statements, people.exposure, people.estimated, people.resonance)
            sums = [int(column[row]) for column in numbers]
            found.append(
                Influencer(group.brand, int(people.persons[row]), None, group.platform, float(people.scores[row]), *sums)
            )
    return nlargest(count, found, key=lambda one: (one.score, one.brand, one.platform, one.person))
