"""Media of entries that count, fetched into the store before platforms' addresses run out."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from antiphon.clock import Clock
from antiphon.errors import Invalid, Transient
from publisher.domain.entries.changes import Fetched
from publisher.domain.entries.flags import copied_media
from publisher.domain.entries.model import CampaignEntry, Flagged, MediaRef, Medium
from publisher.entry_ports import Entries, File, MediaSource, MediaStore
from publisher.service.entries.moves import EntryMoves

log = logging.getLogger(__name__)

KINDS = frozenset({"image", "video", "reel", "story_mention"})
"""Types of media that are pictures or films; links, files and stickers are not shown by anybody."""

MOST = 10
"""Media of one entry: as many as a carousel has."""

WAITS = (30.0, 300.0, 1_800.0, 7_200.0)
"""Seconds before each further try: addresses of platforms live for hours to days."""

STORE_RESTS = 30.0
"""Seconds without fetching after the store failed: it is one for all files, and what it does not take is fetched in vain."""

PROBE = File(hashlib.sha256(b"antiphon").hexdigest(), "text/plain", b"antiphon")
"""What a start puts into the store and takes out again."""


async def probe(store: MediaStore) -> None:
    """Write and remove a file, so that the log tells at the start of a store that refuses, and not with the first picture."""
    try:
        await store.put(PROBE)
        await store.remove(PROBE.sha256)
    except Transient as error:
        log.warning("media wait: %s", error)


class _Then(Enum):
    """What follows for a medium."""

    NOTHING = auto()
    ANOTHER_TRY = auto()
    WAITING = auto()
    """For the store, which says nothing about the medium."""


@dataclass(slots=True)
class Fetching:
    """Fetches what is due, one file at a time: a file is held in memory as a whole."""

    entries: Entries
    source: MediaSource
    store: MediaStore
    moves: EntryMoves
    clock: Clock
    _rests_until: float = field(default=0.0, init=False)

    async def fetch(self, entry: CampaignEntry) -> None:
        """Fetch what is missing of an entry's media; while the store is away no try is used up.

        Raises Transient when the store of entries fails, or when that of media does not remove what may not be kept.
        """
        wanted = [one for one in entry.capture.media if one.type in KINDS][:MOST]
        known = {medium.url: medium for medium in entry.standing.media}
        media: list[Medium] = []
        flags: list[Flagged] = []
        then: set[_Then] = set()
        for ref in wanted:
            medium, what = await self._one(ref, known.get(ref.url))
            then.add(what)
            media.append(medium)
            if flag := await self._copied(entry, medium):
                flags.append(flag)
        counts = _Then.WAITING not in then
        again = _wait(entry.standing.media_tries, then) if counts else STORE_RESTS
        if await self.moves.apply(entry, Fetched(tuple(media), again, tuple(flags[:1]), counts)) is None:
            await self._drop(media)

    async def _one(self, ref: MediaRef, known: Medium | None) -> tuple[Medium, _Then]:
        missing, now = Medium(ref.url), self.clock.now().timestamp()
        if known is not None and known.sha256:
            return known, _Then.NOTHING
        if now < self._rests_until:
            return known or missing, _Then.WAITING
        try:
            file = await self.source.fetch(ref.url)
        except Invalid as error:
            return replace(missing, reason=f"{error.reason}: {error}"), _Then.NOTHING
        except (Transient, OSError) as error:
            log.info("a medium could not be fetched: %s", error)
            return replace(missing, reason=str(error)), _Then.ANOTHER_TRY
        try:
            await self.store.put(file)
        except Transient as error:
            log.warning("media wait: %s", error)
            self._rests_until = self.clock.now().timestamp() + STORE_RESTS
            return replace(missing, reason=str(error)), _Then.WAITING
        return Medium(ref.url, file.sha256, file.mime, len(file.content)), _Then.NOTHING

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


def _wait(tries: int, then: set[_Then]) -> float | None:
    return WAITS[tries] if _Then.ANOTHER_TRY in then and tries < len(WAITS) else None
