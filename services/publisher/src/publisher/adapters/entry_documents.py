"""Entries of campaigns ↔ documents of the store."""

from dataclasses import asdict, fields
from typing import Any

from antiphon.mongo import Document
from publisher.domain.entries.campaign import By, UseKind
from publisher.domain.entries.model import (
    Asked,
    CampaignEntry,
    Capture,
    EntryState,
    Evidence,
    Flag,
    Flagged,
    MediaRef,
    Medium,
    Standing,
    Use,
    attention_at,
)

_CAPTURE = tuple(one.name for one in fields(Capture) if one.name not in {"entry_id", "media"})


def document_of(entry: CampaignEntry) -> Document:
    """Return a new entry's document; everything that it has done so far is still to be told."""
    capture = entry.capture
    document: Document = {"_id": capture.entry_id, **{name: _plain(getattr(capture, name)) for name in _CAPTURE}}
    document["refs"] = [asdict(one) for one in capture.media]
    document |= _standing(entry) | {"evidence": [_line(one) for one in entry.evidence], "told": 0, "untold_at": _untold(entry)}
    return document


def update_of(before: CampaignEntry, after: CampaignEntry) -> Document:
    """Return the update that turns one stored entry into the next."""
    update: Document = {"$set": _standing(after)}
    if new := after.evidence[len(before.evidence) :]:
        update["$push"] = {"evidence": {"$each": [_line(one) for one in new]}}
    if after.sequence > before.sequence:
        update["$set"]["untold_at"] = _untold(after)
    return update


def _untold(entry: CampaignEntry) -> float:
    return entry.evidence[-1].at


def _standing(entry: CampaignEntry) -> Document:
    standing = entry.standing
    document = asdict(standing) | {"attention_at": attention_at(standing), "actions": list(entry.actions)}
    document["sequence"] = entry.sequence
    return {name: _plain(value) for name, value in document.items()}


def _plain(value: Any) -> Any:
    """Tuples and words of enumerations as the store knows them."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, EntryState | Flag | By | UseKind) else value


def _line(line: Evidence) -> Document:
    document: Document = _plain(asdict(line))
    return document


def entry_of(document: Document) -> CampaignEntry:
    """Return the entry that a document holds."""
    capture: dict[str, Any] = {name: document[name] for name in _CAPTURE}
    capture |= {name: tuple(capture[name]) for name in ("hashtags", "friends")}
    media = tuple(MediaRef(**one) for one in document["refs"])
    evidence = tuple(Evidence(**{**line, "state": EntryState(line["state"])}) for line in document["evidence"])
    return CampaignEntry(Capture(entry_id=document["_id"], media=media, **capture), _standing_of(document), evidence)


def _standing_of(document: Document) -> Standing:
    return Standing(
        state=EntryState(document["state"]),
        captured_at=document["captured_at"],
        revision=document["revision"],
        flags=tuple(Flagged(Flag(one["flag"]), one["detail"]) for one in document["flags"]),
        media=tuple(Medium(**one) for one in document["media"]),
        media_tries=document["media_tries"],
        media_at=document["media_at"],
        ask_at=document["ask_at"],
        asked=_asked(document["asked"]) if document["asked"] else None,
        waiting=document["waiting"],
        granted_until=document["granted_until"],
        uses=tuple(Use(**{**one, "use": UseKind(one["use"])}) for one in document["uses"]),
    )


def _asked(stored: Document) -> Asked:
    return Asked(**{**stored, "by": By(stored["by"]), "uses": tuple(UseKind(one) for one in stored["uses"])})
