"""Ledger entries ↔ documents of the store."""

from dataclasses import asdict, fields
from typing import Any

from antiphon.mongo import Document
from publisher.domain.model import (
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

_ORDER = tuple(field.name for field in fields(Order) if field.name not in {"action_id", "limits", "tags"})
_POSITION = tuple(field.name for field in fields(Position))

HISTORY = 50
"""Happenings kept of one action; more than any real one has, few enough that a document stays small."""


def slot_of(entry: Entry) -> str:
    """Return the last part of the unique key: the kind while the entry holds its slot, else something of its own."""
    order = entry.order
    return order.kind.value if holds_slot(order, entry.position) else f"{order.kind.value}#{order.action_id}"


def document_of(entry: Entry, adopted: float) -> Document:
    """Return a new entry's document."""
    order, position = entry.order, entry.position
    told = position.sequence > 0
    document: Document = {"_id": order.action_id, **{name: getattr(order, name) for name in _ORDER}}
    document["limits"] = [asdict(limit) for limit in order.limits]
    document["tags"] = list(order.tags)
    document |= {name: getattr(position, name) for name in _POSITION}
    document["slot"] = slot_of(entry)
    attention = attention_at(order, position, untold=told)
    document["attention_at"] = attention + adopted if attention is not None and position.state is State.NEW else attention
    document["outbox"] = [outbox_of(entry)] if told else []
    document["history"] = [happening(entry)]
    return document


def entry_of(document: Document) -> Entry:
    """Return the entry a document holds."""
    order: dict[str, Any] = {name: document[name] for name in _ORDER}
    order["kind"], order["mode"] = Kind(order["kind"]), Mode(order["mode"])
    limits = tuple(Limit(Scope(limit["scope"]), limit["at_most"], limit["within"]) for limit in document["limits"])
    position: dict[str, Any] = {name: document[name] for name in _POSITION}
    position["state"], position["reason"] = State(position["state"]), Reason(position["reason"])
    return Entry(
        Order(action_id=document["_id"], limits=limits, tags=tuple(document["tags"]), **order),
        Position(**position),
    )


def update_of(before: Entry, after: Entry) -> Document:
    """Return the update that turns one stored position into the next, with its announcement and its history."""
    old, new = before.position, after.position
    changed = {name: getattr(new, name) for name in _POSITION if getattr(new, name) != getattr(old, name)}
    told = new.sequence > old.sequence
    # Whether older announcements still wait is not known here; looking once too often costs nothing.
    changed["attention_at"] = attention_at(after.order, new, untold=told)
    if slot_of(after) != slot_of(before):
        changed["slot"] = slot_of(after)
    update: Document = {"$set": changed}
    if told or (new.state is not old.state and new.state is not State.SENDING):
        update["$push"] = {"history": {"$each": [happening(after)], "$slice": -HISTORY}}
    if told:
        update["$push"]["outbox"] = outbox_of(after)
    return update


def happening(entry: Entry) -> Document:
    """Return the line that an entry's history gets for its position."""
    at = entry.position
    return {"at": at.changed_at, "state": at.state, "reason": at.reason, "actor": at.actor, "epoch": at.epoch}


def outbox_of(entry: Entry) -> Document:
    """Return what is stored of an announcement; the rest is in the entry itself."""
    told = told_of(entry)
    names = ("sequence", "state", "reason", "detail", "platform_id", "attempts", "at", "actor")
    return {name: getattr(told, name) for name in names}


def told_from(document: Document) -> list[Told]:
    """Return the announcements stored with an entry and not cleared."""
    order = entry_of(document).order
    return [
        Told(order, **{**stored, "state": State(stored["state"]), "reason": Reason(stored["reason"])})
        for stored in document["outbox"]
    ]
