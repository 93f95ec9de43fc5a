"""Whose statements weigh most: advocates and detractors by exposure, resonance and recency."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from math import fsum

from metrics.domain.formulas import half_life
from metrics.domain.hour import NO_NUMBER, Hour, Piece
from metrics.domain.reports.ewom import ASSUMED_REACH, usual_reach
from metrics.domain.reports.figures import Described

PARTS = ("influence", "reach")
"""What the report reads of each hour."""

HALF_LIFE_DAYS = 14.0
"""A statement of two weeks ago weighs half as much as one of now; public attention to brands' crises fades within about a
month.
"""

_DAY_S = 86_400.0


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


@dataclass(slots=True)
class _Tally:
    weights: list[float]
    statements: int = 0
    exposure: int = 0
    estimated: int = 0
    resonance: int = 0


_Who = tuple[str, str, int]


def influencers(pieces: Sequence[Piece], end_s: float, count: int) -> Influencers:
    """Return the report of a period that ends at `end_s` (seconds since 1970), with the first `count` of each side."""
    hours: list[Hour] = [piece.hour for piece in pieces]
    usual = usual_reach(hours)
    drawn: Counter[int] = Counter()
    for hour in hours:
        drawn.update(hour.influence.get("drawn", ()))
    sides: dict[int, dict[_Who, _Tally]] = {1: {}, -1: {}}
    for piece in pieces:
        fresh = half_life((end_s - piece.end.timestamp()) / _DAY_S, HALF_LIFE_DAYS)
        for name in piece.hour.influence:
            platform, _, column = name.partition(" ")
            if column == "persons":
                _tally(sides, piece, platform, fresh, drawn, usual.get(platform, ASSUMED_REACH))
    return Influencers(HALF_LIFE_DAYS, _first(sides[1], count), _first(sides[-1], count), len(sides[1]), len(sides[-1]))


def named(report: Influencers, names: Mapping[tuple[str, int], str]) -> Influencers:
    """Return the report with the names that are known."""
    sides = [
        [replace(one, name=names.get((one.brand, one.person))) for one in side] for side in (report.advocates, report.detractors)
    ]
    return replace(report, advocates=sides[0], detractors=sides[1])


def _tally(
    sides: dict[int, dict[_Who, _Tally]], piece: Piece, platform: str, fresh: float, drawn: Mapping[int, int], usual: int
) -> None:
    columns = [piece.hour.influence[f"{platform} {name}"] for name in ("persons", "objects", "reaches", "signs")]
    for person, statement, reach, sign in zip(*columns, strict=True):
        who = (piece.brand, platform, person)
        tally = sides[sign].get(who)
        if tally is None:
            tally = sides[sign][who] = _Tally([])
        exposure, resonance = (usual if reach == NO_NUMBER else reach), drawn.get(statement, 0)
        tally.weights.append(exposure * (1 + resonance) * fresh)
        tally.statements += 1
        tally.exposure += exposure
        tally.estimated += reach == NO_NUMBER
        tally.resonance += resonance


def _first(side: Mapping[_Who, _Tally], count: int) -> list[Influencer]:
    scored = ((fsum(tally.weights), who, tally) for who, tally in side.items())  # fsum: the same in any order
    first = nlargest(count, scored, key=lambda one: (one[0], one[1]))
    return [
        Influencer(brand, person, None, platform, score, t.statements, t.exposure, t.estimated, t.resonance)
        for score, (brand, platform, person), t in first
    ]
