"""When media may be used: the one place that says so.

What sends or serves media demands a `Cleared`, and only `clear` makes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from publisher.domain.entries.campaign import By, UseKind
from publisher.domain.entries.model import Asked, CampaignEntry, EntryState
from publisher.domain.model import PRIVATE

_PROOF = object()
"""Known to this module alone."""

_HELD = frozenset({EntryState.GRANTED, EntryState.FEATURED})


@dataclass(frozen=True, slots=True)
class Cleared:
    """A stored medium whose rights were checked for one use a moment ago. Raises TypeError when made elsewhere."""

    entry_id: str
    sha256: str
    mime: str
    use: UseKind
    terms_version: int
    proof: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what did not come from the check."""
        if self.proof is not _PROOF:
            raise TypeError("only a check of the rights makes cleared media")


@dataclass(frozen=True, slots=True)
class NotCleared:
    """Why media may not be used."""

    detail: str


def clear(entry: CampaignEntry, use: UseKind, now: float) -> Sequence[Cleared] | NotCleared:
    """Return the entry's stored media, cleared for one use at this moment, or why there are none."""
    standing, asked = entry.standing, entry.standing.asked
    if standing.state not in _HELD or asked is None:
        return NotCleared(f"the entry is {standing.state}")
    if standing.granted_until is not None and now >= standing.granted_until:
        return NotCleared("the granted time is over")
    if use not in asked.uses:
        return NotCleared(f"the terms, version {asked.terms_version}, do not allow the use {use}")
    stored = [medium for medium in standing.media if medium.sha256]
    if not stored:
        return NotCleared("no medium of the entry is stored")
    return [Cleared(entry.entry_id, one.sha256, one.mime, use, asked.terms_version, _PROOF) for one in stored]


@dataclass(frozen=True, slots=True)
class Saying:
    """Words of a person that may answer a request: where they stand, and in what kind of event."""

    platform: str
    author: str
    event_kind: str
    object: str
    parent: str
    root: str


def concerns(entry: CampaignEntry, saying: Saying) -> bool:
    """Tell whether the words can be the author's answer to this entry's request: same person, same thread."""
    capture, asked = entry.capture, entry.standing.asked
    if asked is None or not saying.author or (saying.platform, saying.author) != (capture.platform, capture.author):
        return False
    if saying.event_kind in PRIVATE:
        return asked_privately(asked) or capture.event_kind in PRIVATE
    here = {capture.object, capture.parent, asked.posted_as} - {""}
    return saying.parent in here or saying.root == capture.object


def asked_privately(asked: Asked) -> bool:
    """Tell whether the request went into a private conversation."""
    return asked.by is not By.REPLY
