"""What an export shows of the two ledgers: everything that is kept about a person, as it is kept. Times are unix seconds."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from antiphon.mongo import Document
from publisher.domain.entries.model import Asked, EntryState, Evidence, Flagged, MediaRef, Medium, Use
from publisher.domain.model import Kind, Limit, Mode, Reason, State
from publisher.ports import Happening

_HIDDEN = frozenset({"revision", "slot", "attention_at", "untold_at", "told", "older", "claimant"})
"""Fields of stored documents that say nothing about the person."""


class _Kept(BaseModel):
    """What another release keeps is shown too: an export leaves nothing out. What an older one did not keep has its default."""

    model_config = ConfigDict(extra="allow")


class KeptDelivery(_Kept):
    """An action on something that the person wrote: what was ordered, where it stands, what happened to it."""

    id: str
    event_id: str
    brand: str
    platform: str
    account: str
    channel: str
    target: str
    parent: str
    root: str
    author: str
    event_kind: str
    verb: str
    rule_id: str
    rule_version: int
    kind: Kind
    mode: Mode
    not_before: float
    expires: float
    event_time: float
    received_time: float
    limits: list[Limit] = []
    tags: list[str] = []
    queue: str = ""
    note: str = ""
    campaign: str = ""
    url: str = ""
    secret_ref: str = ""
    topics: list[str] = []
    campaigns: list[str] = []
    state: State
    text: str
    reason: Reason
    detail: str
    actor: str
    platform_id: str
    attempts: int
    epoch: int
    sequence: int
    next_at: float
    sending_at: float
    deadline: float
    verify_at: float | None
    reads: int
    failed_reads: int
    uncertain: bool
    approved_at: float
    changed_at: float
    history: list[Happening] = []


class KeptEntry(_Kept):
    """An entry of the person to a campaign: what was captured, where it stands, and the evidence."""

    id: str
    event_id: str
    brand: str
    campaign: str
    campaign_version: int
    platform: str
    account: str
    channel: str
    object: str
    parent: str
    root: str
    author: str
    handle: str
    event_kind: str
    language: str
    text: str
    hashtags: list[str]
    friends: list[str]
    trigger: str
    eligible: bool
    reason: str
    detail: str
    event_time: float
    received_time: float
    refs: list[MediaRef]
    state: EntryState
    captured_at: float
    flags: list[Flagged]
    media: list[Medium]
    media_tries: int
    media_at: float | None
    ask_at: float | None
    asked: Asked | None
    waiting: str
    granted_until: float | None
    uses: list[Use]
    actions: list[str]
    sequence: int
    evidence: list[Evidence]


class KeptDeliveries(BaseModel):
    """A page of deliveries."""

    items: list[KeptDelivery]
    next: str | None = Field(description="null on the last page")


class KeptEntries(BaseModel):
    """A page of entries."""

    items: list[KeptEntry]
    next: str | None = Field(description="null on the last page")


def shown(document: Document) -> dict[str, Any]:
    """Return a stored document as `KeptDelivery` or `KeptEntry` reads it."""
    told = {name: value for name, value in document.items() if name != "_id" and name not in _HIDDEN}
    return {"id": document["_id"], **told}
