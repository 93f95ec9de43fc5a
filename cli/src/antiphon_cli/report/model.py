"""What a report is made of, before anybody knows how it looks: sections of facts, figures and tables, all plain text."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fact:
    """One number with its name; `change` says what it was before, `definition` is an entry of the appendix."""

    label: str
    value: str
    change: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells as they are read; the first column names the row, the others are numbers."""

    caption: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with what it says in words, and the numbers that it is drawn from. `svg` is ready for a page."""

    title: str
    svg: str
    says: str
    table: Table
    definition: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One topic. One without facts, figures and tables says in `notes` why."""

    anchor: str
    title: str
    facts: Sequence[Fact] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """An entry of the appendix: what a word means, how it is computed, whose idea it is."""

    anchor: str
    term: str
    meaning: str
    formula: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole of it. `facts_about`: what the report is about (period, zone, comparison), name and value."""

    brand: str
    title: str
    about: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    definitions: Sequence[Definition] = field(default_factory=tuple)
