"""What the ledger of entries needs from the outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from publisher.domain.entries.campaign import Campaign
from publisher.domain.entries.model import CampaignEntry, Capture, EntryState, Evidence, Flag
from publisher.domain.entries.rights import Cleared


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries of a campaign are asked for; empty and None: all. `waiting`: those whose answer a person must read."""

    state: EntryState | None = None
    flag: Flag | None = None
    author: str = ""
    platform: str = ""
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A page of entries; `next`, the id to go on after, is None on the last one."""

    entries: Sequence[CampaignEntry]
    next: str | None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change of state that leaves the service."""

    entry: CampaignEntry
    line: Evidence


MOST = 100_000
"""Entries of a campaign that are read at once, for its flags and its draw: some hundred megabytes."""


class Entries(Protocol):
    """The durable record of every entry. Writes return only after a majority has them; Transient when it cannot say."""

    async def insert(self, entry: CampaignEntry) -> CampaignEntry | None:
        """Store a new entry; return it as it stands if it is known, None if its object has another entry in the campaign."""
        ...

    async def save(self, before: CampaignEntry, after: CampaignEntry) -> bool:
        """Replace if nobody has changed the entry since; its evidence is appended in the same write."""
        ...

    async def get(self, entry_ids: Sequence[str]) -> Sequence[CampaignEntry]:
        """Return those that exist, in any order."""
        ...

    async def on_object(self, brand: str, platform: str, name: str) -> Sequence[CampaignEntry]:
        """Return the entries that one object has made, one a campaign at most."""
        ...

    async def open_requests(self, brand: str, campaign: str, platform: str, author: str) -> Sequence[CampaignEntry]:
        """Return the author's entries that can be answered for: asked for, granted or featured."""
        ...

    async def of_action(self, action_id: str) -> CampaignEntry | None:
        """Return the entry whose request or use an action carries out."""
        ...

    async def with_media(self, sha256: str) -> Sequence[CampaignEntry]:
        """Return entries, of any brand, that brought a file."""
        ...

    async def captured_since(self, brand: str, campaign: str, moment: float) -> Sequence[CampaignEntry]:
        """Return a campaign's entries captured at or after a moment, oldest first."""
        ...

    async def in_states(
        self, brand: str, campaign: str, states: Sequence[EntryState], *, after: str = "", limit: int = MOST
    ) -> Sequence[CampaignEntry]:
        """Return a campaign's entries in some states, by id, after one of them."""
        ...

    async def browse(self, brand: str, campaign: str, wanted: EntryFilter, *, after: str, limit: int) -> EntryPage:
        """Return a page of a campaign's entries, in the order of their ids."""
        ...

    async def due(self, now: float, limit: int) -> Sequence[CampaignEntry]:
        """Return entries that a sweep must look at, the longest waiting first."""
        ...

    async def untold(self, limit: int) -> Sequence[Announcement]:
        """Return changes that are saved and not known to be announced; of one entry in their order."""
        ...

    async def mark_told(self, announcements: Sequence[Announcement]) -> None:
        """Note what is announced."""
        ...


@dataclass(frozen=True, slots=True)
class ContestRecord:
    """What is known of a contest. `commitment`: the seed's hash; `certificate`: JSON once it was drawn."""

    brand: str
    campaign: str
    commitment: str
    committed_at: float
    committed_by: str
    certificate: bytes | None = None
    drawn_at: float | None = None
    drawn_by: str = ""


class Contests(Protocol):
    """Contests: their sealed seeds and their certificates, each written once. Transient when the store cannot say."""

    async def get(self, brand: str, campaign: str) -> ContestRecord | None:
        """Return a contest that was committed to."""
        ...

    async def create(self, record: ContestRecord, seed: bytes) -> ContestRecord:
        """Store a commitment with its sealed seed; return the one that stands, which is the first."""
        ...

    async def seed(self, record: ContestRecord) -> bytes:
        """Open the seed. Raises Invalid when it cannot be opened any more."""
        ...

    async def drawn(self, record: ContestRecord, certificate: Mapping[str, Any], actor: str) -> ContestRecord:
        """Store the certificate if there is none; return the contest as it stands, with the first."""
        ...


class Places(Protocol):
    """The numbered places of a campaign with a total."""

    async def take(self, key: str, entry_id: str, at_most: int) -> bool:
        """Give the entry the next place unless it has one; False when all are taken. Repeating it changes nothing."""
        ...


class Campaigns(Protocol):
    """The campaigns as they are configured now."""

    def campaign(self, brand: str, campaign: str) -> Campaign | None:
        """Return a campaign; None for one that was never made or was removed."""
        ...

    def disclosure(self, brand: str, language: str) -> str:
        """Return the words that the brand adds to what is sent automatically; may be empty."""
        ...


class EntryAnnouncer(Protocol):
    """Where changes of entries go."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Return once all are durable. Raises Transient."""
        ...


class Lookalikes(Protocol):
    """Finds texts that resemble one another, among those it was given. Kept in memory, rebuilt from the store."""

    def add(self, capture: Capture) -> None:
        """Take a text in; a known one changes nothing."""
        ...

    def candidates(self, capture: Capture) -> Sequence[Capture]:
        """Return entries of the same campaign whose texts may be alike."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """A fetched file whose type was found in its bytes."""

    sha256: str
    mime: str
    content: bytes


class MediaStore(Protocol):
    """Files by the hash of their content. Everything here raises Transient while the store is away."""

    async def put(self, file: File) -> None:
        """Keep a file; one that is there already is the same. Nobody sees a part of it, whatever ends the call."""
        ...

    async def remove(self, sha256: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...

    async def read(self, media: Cleared) -> bytes | None:
        """Return the bytes of cleared media; None when they are not there. Nothing else can be read."""
        ...


class MediaSource(Protocol):
    """Where media come from."""

    async def fetch(self, url: str) -> File:
        """Fetch and check a file. Raises Invalid (never again; the reason is its first word) or Transient."""
        ...
