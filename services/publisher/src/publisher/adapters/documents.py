"""Ledger entries ↔ documents of the store."""

from dataclasses import asdict, fields
from typing import Any

from antiphon.mongo import Document
from publisher.domain.model import (
    TOLD,
    Entry,
    Kind,
    Limit,
    Mode,
    Order,
    Position,
    Reason,
    Scope,
    State,
    Told,
    attention_at,
    holds_slot,
    told_of,
)

_LISTS = ("tags", "topics", "campaigns")
_ORDER = tuple(field.name for field in fields(Order) if field.name not in {"action_id", "limits", *_LISTS})
_POSITION = tuple(field.name for field in fields(Position))

HISTORY = 50
"""Happenings kept of one action; more than any real one has, few enough that a document stays small."""


def due_by(now: float) -> Document:
    """Return the query for what a sweep must look at by a moment.

    Bounded below as well: a store may walk an index from its very beginning, where all that is settled stands as null.
    """
    return {"attention_at": {"$gte": 0, "$lte": now}}


def slot_of(entry: Entry) -> str:
    """Return the last part of the unique key: the kind while the entry holds its slot, else something of its own."""
    order = entry.order
    return order.kind.value if holds_slot(order, entry.position) else f"{order.kind.value}#{order.action_id}"


def document_of(entry: Entry, adopted: float) -> Document:
    """Return a new entry's document."""
    order, position = entry.order, entry.position
    document: Document = {"_id": order.action_id, **{name: getattr(order, name) for name in _ORDER}}
    document["limits"] = [asdict(limit) for limit in order.limits]
    document |= {name: list(getattr(order, name)) for name in _LISTS}
    document |= {name: getattr(position, name) for name in _POSITION}
    document["slot"] = slot_of(entry)
    attention = attention_at(order, position)
    document["attention_at"] = attention + adopted if attention is not None and position.state is State.NEW else attention
    document["older"] = []
    document["history"] = []
    return document


def entry_of(document: Document) -> Entry:
    """Return the entry a document holds."""
    # What an older release stored lacks what came later; the defaults say what was meant.
    order: dict[str, Any] = {name: document[name] for name in _ORDER if name in document}
    order["kind"], order["mode"] = Kind(order["kind"]), Mode(order["mode"])
    limits = tuple(Limit(Scope(limit["scope"]), limit["at_most"], limit["within"]) for limit in document["limits"])
    lists: dict[str, Any] = {name: tuple(document.get(name, ())) for name in _LISTS}
    position: dict[str, Any] = {name: document[name] for name in _POSITION}
    position["state"], position["reason"] = State(position["state"]), Reason(position["reason"])
    return Entry(
        Order(action_id=document["_id"], limits=limits, **lists, **order),
        Position(**position),
    )


def update_of(before: Entry, after: Entry) -> Document:
    """Return the update that turns one stored position into the next.

    The announcement and the history of the newest state are in the position itself; only what a further change would
    overwrite is put aside, so that the usual course writes nothing but a few plain values.
    """
    old, new = before.position, after.position
    changed = {name: getattr(new, name) for name in _POSITION if getattr(new, name) != getattr(old, name)}
    changed["attention_at"] = attention_at(after.order, new)
    if slot_of(after) != slot_of(before):
        changed["slot"] = slot_of(after)
    update: Document = {"$set": changed}
    aside: Document = {}
    if new.state is not old.state and old.state is not State.SENDING:
        aside["history"] = {"$each": [happening(before)], "$slice": -HISTORY}
    if new.state is not old.state and old.state in TOLD:
        aside["older"] = {"$each": [announcement(before)], "$slice": -HISTORY}
    if aside and not (new.state is State.SENDING and old.state is State.NEW):
        update["$push"] = aside
    return update


def happening(entry: Entry) -> Document:
    """Return the line of an entry's history for its position."""
    at = entry.position
    return {"at": at.changed_at, "state": at.state, "reason": at.reason, "actor": at.actor, "epoch": at.epoch}


def announcement(entry: Entry) -> Document:
    """Return what is put aside of an announcement; the rest is in the entry itself."""
    told = told_of(entry)
    names = ("sequence", "state", "reason", "detail", "platform_id", "attempts", "at", "actor")
    return {name: getattr(told, name) for name in names}


def told_from(document: Document) -> list[Told]:
    """Return every announcement of an entry, the newest last."""
    entry = entry_of(document)
    older = [
        Told(entry.order, **{**stored, "state": State(stored["state"]), "reason": Reason(stored["reason"])})
        for stored in document["older"]
    ]
    return [*older, told_of(entry)] if entry.position.state in TOLD else older
