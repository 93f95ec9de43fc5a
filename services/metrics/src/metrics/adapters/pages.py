"""Facts as documents, and back: many facts of one hour of a brand lie in one document, a page.

A store takes documents far more slowly than bytes, so a batch of facts becomes few documents. A page has what is asked for by
index beside one JSON text of all its facts, which people can still read. Whose a fact is stands apart, at the same place in
`people`: an erasure replaces it there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from antiphon.mongo import Document
from metrics.domain.facts import (
    ActionFact,
    DecisionFact,
    DeliveryFact,
    EntryFact,
    EventFact,
    Fact,
    Referral,
    RuleFact,
    Said,
)
from metrics.domain.periods import floor

COLLECTIONS: Final[Mapping[type[Fact], str]] = {
    EventFact: "kpi_event_pages",
    DecisionFact: "kpi_decision_pages",
    DeliveryFact: "kpi_delivery_pages",
    EntryFact: "kpi_entry_pages",
}

PERSONAL: Final[tuple[type[Fact], ...]] = (DecisionFact, DeliveryFact, EntryFact)
"""Facts that are about a person: their pages have `people`. Erasures and exports look here."""

PAGE_MOST: Final = 1_000
"""Facts in a page. Twice as many would save little: the work on a document is shared by enough of them."""

PAGE_BYTES: Final = 2**20
"""Of the text of a page, except where one fact alone is larger: a document must stay below 16 MB, and a report holds some."""

_KEY_BYTES: Final = 16
"""Of a fact's key in its page. Among a thousand million facts the chance that two share one is 1 in 10^21."""


class Row(NamedTuple):
    """A fact on its way into a page; `told` is one JSON object."""

    key: bytes
    brand: str
    event_time: datetime
    person: int | None
    told: bytes


def key_of(fact_id: str) -> bytes:
    """Return what a fact is found by in its page."""
    return blake2b(fact_id.encode(), digest_size=_KEY_BYTES).digest()


def row_of(fact: Fact) -> Row:
    """Return the form in which a fact is kept."""
    told = _stated(fact, _TOLD[type(fact)])
    person: int | None = None
    if isinstance(fact, DecisionFact):
        told["said"] = _stated(fact.said, _SAID)
        person = fact.said.person
    elif not isinstance(fact, EventFact):
        person = fact.person
    return Row(key_of(fact.fact_id), fact.brand, fact.event_time, person, orjson.dumps(told, option=orjson.OPT_NAIVE_UTC))


def _stated(of: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(of, name)) is not None and value not in ((), "")}


def pages(kind: type[Fact], rows: Iterable[Row]) -> list[Document]:
    """Return the pages that hold rows of one type, each of one hour of a brand."""
    hours: dict[tuple[str, datetime], list[Row]] = {}
    for row in rows:
        hours.setdefault((row.brand, floor(row.event_time)), []).append(row)
    return [_page(kind, hour, part) for (_, hour), group in hours.items() for part in _parts(group)]


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    size = 0
    for row in rows:
        if part and (len(part) >= PAGE_MOST or size + len(row.told) > PAGE_BYTES):
            yield part
            part, size = [], 0
        part.append(row)
        size += len(row.told)
    yield part


def _page(kind: type[Fact], hour: datetime, rows: list[Row]) -> Document:
    page: Document = {"_id": rows[0].key, "brand": rows[0].brand, "hour": hour, "keys": [row.key for row in rows]}
    if kind in PERSONAL:
        page["people"] = [row.person for row in rows]
    return page | {"told": (b"[" + b",".join(row.told for row in rows) + b"]").decode()}


def facts_of(kind: type[Fact], page: Document) -> list[Fact]:
    """Return the facts that a page holds."""
    make, brand = _MAKERS[kind], page["brand"]
    found: list[Fact] = []
    for told, person in told_of(page):
        for name in _TIMES & told.keys():
            told[name] = datetime.fromisoformat(told[name])
        told["brand"] = brand
        found.append(make(told, person))
    return found


def told_of(page: Document) -> Iterator[tuple[dict[str, Any], int | None]]:
    """Return what a page tells: each fact's fields as they are kept, and whose it is."""
    told: list[dict[str, Any]] = orjson.loads(page["told"])
    return zip(told, page.get("people", [None] * len(told)), strict=True)


def _decision(told: dict[str, Any], person: int | None) -> DecisionFact:
    said = told.pop("said")
    for name in ("topics", "campaigns", "flags"):
        if name in said:
            said[name] = tuple(said[name])
    if "referral" in said:
        said["referral"] = Referral(**said["referral"])
    told["rules"] = tuple(RuleFact(**rule) for rule in told.get("rules", ()))
    told["actions"] = tuple(ActionFact(**action) for action in told.get("actions", ()))
    return DecisionFact(**{**_NOTHING[DecisionFact], **told}, said=Said(person=person, **said))


def _delivery(told: dict[str, Any], person: int | None) -> DeliveryFact:
    return DeliveryFact(**{**_NOTHING[DeliveryFact], **told}, person=person)


def _entry(told: dict[str, Any], person: int | None) -> EntryFact:
    told["flags"] = tuple(told.get("flags", ()))
    return EntryFact(**{**_NOTHING[EntryFact], **told}, person=person)


def _event(told: dict[str, Any], _person: int | None) -> EventFact:
    return EventFact(**{**_NOTHING[EventFact], **told})


_MAKERS: Final[Mapping[type[Fact], Callable[[dict[str, Any], int | None], Fact]]] = {
    EventFact: _event,
    DecisionFact: _decision,
    DeliveryFact: _delivery,
    EntryFact: _entry,
}

_APART: Final = frozenset({"brand", "person", "said"})
"""Fields that are not told as they are: the page's own, and what stands in other places."""

_TOLD: Final = {kind: [part.name for part in fields(kind) if part.name not in _APART] for kind in COLLECTIONS}
_SAID: Final = [part.name for part in fields(Said) if part.name != "person"]
_TIMES: Final = frozenset({"event_time", "received_time", "decided_time", "delivered_time", "changed_time"})


def _nothing(kind: type[Fact]) -> dict[str, Any]:
    """What a field is that was left out of a page."""
    return {name: None if name in _TIMES else "" for name in _TOLD[kind] if name not in {"rules", "actions", "flags"}}


_NOTHING: Final[Mapping[type[Fact], dict[str, Any]]] = {kind: _nothing(kind) for kind in COLLECTIONS}
