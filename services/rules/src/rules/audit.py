"""The audit log as a hash chain: each entry's hash covers the one before it, so that none can be altered unseen."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC

import orjson

from rules.trail import AuditNote

GENESIS = "0" * 64
"""What the first entry of a brand follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A note in its place: `sequence` counts from 1 in each brand; the hashes are SHA-256 in hex."""

    sequence: int
    note: AuditNote
    previous: str
    hash: str


def append(last: AuditEntry | None, note: AuditNote) -> AuditEntry:
    """Return the entry that follows `last` (None: the brand's first)."""
    sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
    return AuditEntry(sequence=sequence, note=note, previous=previous, hash=entry_hash(sequence, note, previous))


def entry_hash(sequence: int, note: AuditNote, previous: str) -> str:
    """Return sha256(previous hash + canonical entry). Times count in milliseconds, as the store keeps them."""
    fields = asdict(note) | {"sequence": sequence, "time": note.time.astimezone(UTC).isoformat(timespec="milliseconds")}
    canonical = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(previous.encode() + canonical).hexdigest()


def first_broken(entries: Iterable[AuditEntry], *, after: AuditEntry | None = None) -> int | None:
    """Return the sequence number at which the chain breaks, or None. `after` is the entry before the first of `entries`."""
    sequence, previous = (after.sequence, after.hash) if after else (0, GENESIS)
    for entry in entries:
        sequence += 1
        if (entry.sequence, entry.previous) != (sequence, previous):
            return sequence
        if entry.hash != entry_hash(entry.sequence, entry.note, entry.previous):
            return sequence
        previous = entry.hash
    return None
