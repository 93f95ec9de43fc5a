"""Media of entries that count, fetched into the store before platforms' addresses run out."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from antiphon.errors import Invalid, Transient
from publisher.domain.entries.changes import Fetched
from publisher.domain.entries.flags import copied_media
from publisher.domain.entries.model import CampaignEntry, Flagged, MediaRef, Medium
from publisher.entry_ports import Entries, MediaSource, MediaStore
from publisher.service.entries.moves import EntryMoves

log = logging.getLogger(__name__)

KINDS = frozenset({"image", "video", "reel", "story_mention"})
"""Types of media that are pictures or films; links, files and stickers are not shown by anybody."""

MOST = 10
"""Media of one entry: as many as a carousel has."""

WAITS = (30.0, 300.0, 1_800.0, 7_200.0)
"""Seconds before each further try: addresses of platforms live for hours to days."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches what is due, one file at a time: a file is held in memory as a whole."""

    entries: Entries
    source: MediaSource
    store: MediaStore
    moves: EntryMoves

    async def fetch(self, entry: CampaignEntry) -> None:
        """Fetch what is missing of an entry's media. Raises Transient when the store of entries fails."""
        wanted = [one for one in entry.capture.media if one.type in KINDS][:MOST]
        known = {medium.url: medium for medium in entry.standing.media}
        media: list[Medium] = []
        flags: list[Flagged] = []
        again = False
        for ref in wanted:
            medium, retry = await self._one(ref, known.get(ref.url))
            again |= retry
            media.append(medium)
            if flag := await self._copied(entry, medium):
                flags.append(flag)
        tries = entry.standing.media_tries
        wait = WAITS[tries] if again and tries < len(WAITS) else None
        if await self.moves.apply(entry, Fetched(tuple(media), wait, tuple(flags[:1]))) is None:
            await self._drop(media)

    async def _one(self, ref: MediaRef, known: Medium | None) -> tuple[Medium, bool]:
        if known is not None and known.sha256:
            return known, False
        missing = Medium(ref.url)
        try:
            file = await self.source.fetch(ref.url)
            await self.store.put(file)
        except Invalid as error:
            return replace(missing, reason=f"{error.reason}: {error}"), False
        except (Transient, OSError) as error:
            log.info("a medium could not be fetched: %s", error)
            return replace(missing, reason=str(error)), True
        return Medium(ref.url, file.sha256, file.mime, len(file.content)), False

    async def _drop(self, media: Sequence[Medium]) -> None:
        """Remove what came for an entry that had ended meanwhile, unless another entry has it."""
        for sha256 in {medium.sha256 for medium in media if medium.sha256}:
            if not await self.entries.with_media(sha256):
                await self.store.remove(sha256)

    async def _copied(self, entry: CampaignEntry, medium: Medium) -> Flagged | None:
        if not medium.sha256:
            return None
        others = await self.entries.with_media(medium.sha256)
        own = (entry.capture.brand, entry.capture.campaign)
        same = [other for other in others if (other.capture.brand, other.capture.campaign) == own]
        return copied_media(entry, medium.sha256, same)
