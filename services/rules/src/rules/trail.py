"""What a change of the configuration leaves behind: a version of its document, notes for the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """One saved document of a rule, or of a campaign (`rule_id` is then `campaign:<id>`); never changed.

    `document` is canonical JSON.
    """

    brand: str
    rule_id: str
    version: int
    document: bytes
    author: str
    time: datetime
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditNote:
    """What was done, before it has its place in the chain. `target` is a record key."""

    brand: str
    time: datetime
    actor: str
    action: str
    target: str
    generation: int
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What a change leaves behind; saved in the same write as the change itself."""

    notes: tuple[AuditNote, ...]
    version: RuleVersion | None = None
