"""One hour of a brand in compact form: everything that reports need of its records, and nothing else.

Hours add up: a report over a period reads its hours and never the records behind them. All numbers are whole, so that a sum
is the
same in whatever order it is made.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from hashlib import blake2b
from operator import add as sum_of

Key = tuple[str | int, ...]
Table = dict[Key, list[int]]
"""Words of closed sets (and names that the brand gave) → sums."""

Columns = dict[str, "array[int]"]
"""Name → whole numbers of 64 bits; columns whose names share a beginning belong row by row together."""

Rows = list[list[str | int | None]]

NO_NUMBER = -1
"""In a column: not known."""


def ident(text: str) -> int:
    """Return 63 bits that stand for an object's id on its platform."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1


@dataclass(slots=True)
class Hour:
    """The parts of an hour; each report loads those it needs.

    | part | key or row → values |
    |---|---|
    | counts | family, words … → number |
    | undecided | received time in ms, of each event without a decision |
    | latency | family → milliseconds, of each measurement |
    | levels | platform, level → number |
    | speech | platform, polarity, kind → the values of `SPEECH` |
    | topics | platform, polarity, topic → the values of `SPEECH`, statements alone |
    | campaigns | platform, polarity, campaign → the values of `SPEECH`, statements alone |
    | reach | platform → the known reach of each statement |
    | people | `platform level` → persons, each once, at the highest level of this hour |
    | reviews | object, time in ms, verb, rating, platform |
    | influence | `platform persons`, `… objects`, `… reaches`, `… signs` (1, -1); `drawn` → what was answered or reacted to |
    | service | `answer …` rows, `voice …` rows, `echo …` rows; `needed`: objects about which a person was asked, each once |
    | posts | `engaged` → root of each engagement; `own objects`, `own reaches`: the brand's own posts |
    | entries | campaign, platform, state, reason → number; campaign, `reached`, state → number |
    | entrants | campaign → persons |
    | referrals | kind, event, time in ms, person, link, action, click, value in millionths, currency, campaigns |
    | nodes | root, platform, object, parent, 1 for a deletion, time in ms |
    """

    counts: Table = field(default_factory=dict)
    undecided: Columns = field(default_factory=dict)
    latency: Columns = field(default_factory=dict)
    levels: Table = field(default_factory=dict)
    speech: Table = field(default_factory=dict)
    topics: Table = field(default_factory=dict)
    campaigns: Table = field(default_factory=dict)
    reach: Columns = field(default_factory=dict)
    people: Columns = field(default_factory=dict)
    reviews: Rows = field(default_factory=list)
    influence: Columns = field(default_factory=dict)
    service: Columns = field(default_factory=dict)
    posts: Columns = field(default_factory=dict)
    entries: Table = field(default_factory=dict)
    entrants: Columns = field(default_factory=dict)
    referrals: Rows = field(default_factory=list)
    nodes: Rows = field(default_factory=list)


PARTS = tuple(part.name for part in fields(Hour))

SPEECH = (
    "events",
    "scored",
    "sentiment",
    "reach",
    "reach_scored",
    "reach_sentiment",
    "unknown",
    "unknown_scored",
    "unknown_sentiment",
)
"""Sums kept for each sort of event: how many; how many with a sentiment, and its sum; of those with a known reach: its sum,
its sum
over the scored ones, its sum times sentiment; of those with an unknown one: how many, how many scored, and the sum of their
sentiment."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What happened in [start, end) of one brand; at most an hour, and an hour as a rule."""

    brand: str
    start: datetime
    end: datetime
    hour: Hour


def add(table: Table, key: Key, *values: int) -> None:
    """Add values to a row of a table."""
    row = table.get(key)
    table[key] = list(values) if row is None else list(map(sum_of, row, values))


def append(columns: Columns, name: str, value: int) -> None:
    """Append a value to a column."""
    column = columns.get(name)
    if column is None:
        column = columns[name] = array("q")
    column.append(value)


def together(hours: Iterable[Hour], part: str, name: str) -> "array[int]":
    """Return a column of all hours, one after the other."""
    whole = array("q")
    for hour in hours:
        if found := getattr(hour, part).get(name):
            whole.extend(found)
    return whole


def each(hours: Iterable[Hour], part: str) -> Iterator[tuple[Key, list[int]]]:
    """Yield the rows of a table of all hours."""
    for hour in hours:
        yield from getattr(hour, part).items()
