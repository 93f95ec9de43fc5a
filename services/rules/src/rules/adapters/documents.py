"""Entities ↔ documents of the store. A document is its entity's fields, and beside them what is not yet delivered."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, TypeVar

from antiphon.mongo import Document
from rules.audit import AuditEntry
from rules.entities import (
    ApiKey,
    Brand,
    Campaign,
    Channel,
    Entity,
    FlagTerms,
    GuardSettings,
    Hold,
    Kind,
    Link,
    Person,
    RemoteUnderstanding,
    Rule,
    Segment,
    Topic,
)
from rules.trail import AuditNote, RuleVersion, Trail

T = TypeVar("T")

TYPES: Mapping[Kind, type[Entity]] = {
    "brand": Brand,
    "rule": Rule,
    "channel": Channel,
    "segment": Segment,
    "person": Person,
    "api_key": ApiKey,
    "topic": Topic,
    "link": Link,
    "campaign": Campaign,
    "hold": Hold,
}

_PARTS: Mapping[str, type[Any]] = {"flag_terms": FlagTerms, "understanding": RemoteUnderstanding, "guard": GuardSettings}
"""Fields that hold values with fields of their own."""

OUTBOX = "outbox"
"""True from a change's write until its record is on the topic."""
NOTES = "pending_notes"
VERSIONS = "pending_versions"
"""What a change leaves in other collections waits in the entity's own document, so that one write saves all of it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An entity with what its changes have not yet left elsewhere."""

    entity: Entity
    notes: tuple[AuditNote, ...]
    versions: tuple[RuleVersion, ...]


def identity(brand: str, name: str) -> str:
    """Return an entity's `_id`: `brand`, `brand/name`, or (API keys) `name`."""
    return "/".join(part for part in (brand, name) if part)


def to_fields(value: Any) -> Document:
    """Return a value's fields as the store keeps them."""
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return to_fields(value) if is_dataclass(value) else value


def from_fields(kind: type[T], document: Mapping[str, Any]) -> T:
    """Return the value; a field that an older document lacks takes its default."""
    names = [f.name for f in fields(kind) if f.name in document]  # type: ignore[arg-type]  # only dataclasses are asked for
    return kind(**{name: _frozen(document[name], _PARTS.get(name)) for name in names})


def _frozen(value: Any, part: type[Any] | None) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item, part) for item in value)
    return from_fields(part, value) if part and value is not None else value


def new_document(entity: Entity, trail: Trail) -> Document:
    """Return the first document of an entity."""
    return {"_id": identity(entity.brand, entity.name_in_brand), **to_fields(entity), OUTBOX: True, **trail_fields(trail)}


def trail_fields(trail: Trail) -> dict[str, list[Document]]:
    """Return what a change leaves behind, to be added to what already waits."""
    return {
        NOTES: [asdict(note) for note in trail.notes],
        VERSIONS: [version_document(trail.version)] if trail.version else [],
    }


def to_stored(kind: Kind, document: Document) -> Stored:
    """Return the entity with all that waits beside it."""
    return Stored(
        from_fields(TYPES[kind], document),
        tuple(from_fields(AuditNote, note) for note in document[NOTES]),
        tuple(from_fields(RuleVersion, version) for version in document[VERSIONS]),
    )


def version_id(brand: str, rule_id: str, version: int) -> str:
    """Return a version's `_id`, which makes saving it twice harmless."""
    return f"{brand}/{rule_id}/{version}"


def version_document(version: RuleVersion) -> Document:
    """Return a version's document."""
    return {"_id": version_id(version.brand, version.rule_id, version.version), **to_fields(version)}


def entry_document(entry: AuditEntry) -> Document:
    """Return an audit entry's document; `change` tells a note that was already appended."""
    chain = {"sequence": entry.sequence, "previous": entry.previous, "hash": entry.hash, "change": change_of(entry.note)}
    return {"_id": f"{entry.note.brand}/{entry.sequence}", **asdict(entry.note), **chain}


def change_of(note: AuditNote) -> str:
    """Return what names a change for ever: its target and the generation it made."""
    return f"{note.target}@{note.generation}"


def to_entry(document: Document) -> AuditEntry:
    """Return an audit entry as it is stored, true or tampered with."""
    note = from_fields(AuditNote, document)
    return AuditEntry(sequence=document["sequence"], note=note, previous=document["previous"], hash=document["hash"])
