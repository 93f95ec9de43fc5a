"""What of a campaign may be shown to everybody: cleared media, asked anew each time, so that an end of rights shows at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.clock import Clock
from publisher.domain.entries.campaign import UseKind
from publisher.domain.entries.model import CampaignEntry, EntryState
from publisher.domain.entries.rights import Cleared, NotCleared, clear
from publisher.entry_ports import Entries, MediaStore

_STATES = (EntryState.GRANTED, EntryState.FEATURED)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with its media, cleared for the gallery."""

    entry: CampaignEntry
    media: Sequence[Cleared]


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """A page of a gallery; `next`, the entry to go on after, is None on the last one."""

    items: Sequence[Shown]
    next: str | None


@dataclass(frozen=True, slots=True)
class Showing:
    """The gallery and its files."""

    entries: Entries
    media: MediaStore
    clock: Clock

    async def gallery(self, brand: str, campaign: str, after: str, limit: int) -> GalleryPage:
        """Return a page of what is cleared, by the entries' ids; a page may hold less than asked. Raises Transient."""
        found = await self.entries.in_states(brand, campaign, _STATES, after=after, limit=limit + 1)
        now = self.clock.now().timestamp()
        shown: list[Shown] = []
        for entry in found[:limit]:
            cleared = clear(entry, UseKind.GALLERY, now)
            if not isinstance(cleared, NotCleared):
                shown.append(Shown(entry, cleared))
        return GalleryPage(shown, found[limit - 1].entry_id if len(found) > limit else None)

    async def file(self, sha256: str) -> tuple[Cleared, bytes] | None:
        """Return a file if some entry that brought it is cleared for the gallery or for a post now. Raises Transient."""
        now = self.clock.now().timestamp()
        for entry in await self.entries.with_media(sha256):
            for media in _all_cleared(entry, now):
                content = await self.media.read(media) if media.sha256 == sha256 else None
                if content is not None:
                    return media, content
        return None


def _all_cleared(entry: CampaignEntry, now: float) -> list[Cleared]:
    found: list[Cleared] = []
    for use in UseKind:
        cleared = clear(entry, use, now)
        found += [] if isinstance(cleared, NotCleared) else cleared
    return found
