"""Facts and hours as documents, and back.

A fact's document has what is asked for by index and what an erasure replaces; the rest is one JSON text, which the store
takes twice as
fast as single fields and which people can still read.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

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
from metrics.domain.hour import Hour

COLLECTIONS: Final[Mapping[type[Fact], str]] = {
    EventFact: "kpi_events",
    DecisionFact: "kpi_decisions",
    DeliveryFact: "kpi_deliveries",
    EntryFact: "kpi_entries",
}

_APART: Final = frozenset({"brand", "event_time", "person", "said"})
"""Fields with a place of their own in the document."""


def document(fact: Fact) -> Document:
    """Return the form in which a fact is kept."""
    told = _stated(fact, _TOLD[type(fact)])
    kept: Document = {"_id": fact.fact_id, "brand": fact.brand, "event_time": fact.event_time}
    if isinstance(fact, DecisionFact):
        told["said"] = _stated(fact.said, _SAID)
        kept["person"] = fact.said.person
    elif not isinstance(fact, EventFact):
        kept["person"] = fact.person
    return kept | {"told": orjson.dumps(told, option=orjson.OPT_NAIVE_UTC).decode()}


def _stated(of: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(of, name)) is not None and value not in ((), "")}


def fact(kind: type[Fact], kept: Document) -> Fact:
    """Return the fact that a document holds."""
    told: dict[str, Any] = orjson.loads(kept["told"])
    for name in _TIMES & told.keys():
        told[name] = datetime.fromisoformat(told[name])
    told |= {"brand": kept["brand"], "event_time": kept["event_time"]}
    return _MAKERS[kind](told, kept)


def _decision(told: dict[str, Any], kept: Document) -> DecisionFact:
    said = told.pop("said")
    for name in ("topics", "campaigns", "flags"):
        if name in said:
            said[name] = tuple(said[name])
    if "referral" in said:
        said["referral"] = Referral(**said["referral"])
    told["rules"] = tuple(RuleFact(**rule) for rule in told.get("rules", ()))
    told["actions"] = tuple(ActionFact(**action) for action in told.get("actions", ()))
    return DecisionFact(**{**_NOTHING[DecisionFact], **told}, said=Said(person=kept["person"], **said))


def _delivery(told: dict[str, Any], kept: Document) -> DeliveryFact:
    return DeliveryFact(**{**_NOTHING[DeliveryFact], **told}, person=kept["person"])


def _entry(told: dict[str, Any], kept: Document) -> EntryFact:
    told["flags"] = tuple(told.get("flags", ()))
    return EntryFact(**{**_NOTHING[EntryFact], **told}, person=kept["person"])


def _event(told: dict[str, Any], _kept: Document) -> EventFact:
    return EventFact(**{**_NOTHING[EventFact], **told})


_MAKERS: Final[Mapping[type[Fact], Callable[[dict[str, Any], Document], Fact]]] = {
    EventFact: _event,
    DecisionFact: _decision,
    DeliveryFact: _delivery,
    EntryFact: _entry,
}

_TOLD: Final = {kind: [part.name for part in fields(kind) if part.name not in _APART] for kind in COLLECTIONS}
_SAID: Final = [part.name for part in fields(Said) if part.name != "person"]
_TIMES: Final = frozenset({"received_time", "decided_time", "delivered_time", "changed_time"})


def _nothing(kind: type[Fact]) -> dict[str, Any]:
    """What a field is that was left out of the document."""
    return {name: None if name in _TIMES else "" for name in _TOLD[kind] if name not in {"rules", "actions", "flags"}}


_NOTHING: Final[Mapping[type[Fact], dict[str, Any]]] = {kind: _nothing(kind) for kind in COLLECTIONS}

_TABLES: Final = frozenset({"counts", "levels", "speech", "topics", "campaigns", "entries"})
_COLUMNS: Final = frozenset({"undecided", "latency", "reach", "posts", "people", "influence", "service", "entrants"})


SHAPE: Final = 3
"""Grows with each change of what an hour's parts hold: hours of another shape are built again."""


def pack(hour: Hour) -> Document:
    """Return the parts of an hour as they are kept; empty ones are left out."""
    packed: Document = {"shape": SHAPE}
    for part in fields(Hour):
        value = getattr(hour, part.name)
        if value:
            packed[part.name] = _packed(part.name, value)
    return packed


def _packed(name: str, value: Any) -> Any:
    if name in _TABLES:
        return orjson.dumps([[*key, values] for key, values in sorted(value.items(), key=lambda row: str(row[0]))])
    if name in _COLUMNS:
        return {column.replace(".", _DOT).replace("$", _DOLLAR): numbers.tobytes() for column, numbers in value.items()}
    return orjson.dumps(value)


def unpack(packed: Document, parts: Iterable[str]) -> Hour:
    """Return an hour with these parts."""
    return Hour(**{name: _unpacked(name, packed[name]) for name in parts if name in packed})


def _unpacked(name: str, kept: Any) -> Any:
    if name in _TABLES:
        return {tuple(key): values for *key, values in orjson.loads(kept)}
    if name in _COLUMNS:
        return {column.replace(_DOT, ".").replace(_DOLLAR, "$"): array("q", numbers) for column, numbers in kept.items()}
    return orjson.loads(kept)


_DOT, _DOLLAR = "\uff0e", "\uff04"
"""In names of fields the store gives `.` and `$` a meaning; a campaign's id is the brand's choice."""
