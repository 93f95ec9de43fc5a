"""The ledger of entries in memory: for tests, held to the same contract as the store."""

from collections.abc import Callable, Sequence

from typing_extensions import override

from publisher.domain.entries.model import CampaignEntry, EntryState, attention_at
from publisher.domain.entries.rights import Cleared
from publisher.entry_ports import MOST, Announcement, Entries, EntryFilter, EntryPage, File, MediaStore, Places

_ANSWERABLE = {EntryState.RIGHTS_REQUESTED, EntryState.GRANTED, EntryState.FEATURED}


class MemoryEntries(Entries):
    """A dictionary with the store's manners."""

    def __init__(self) -> None:
        self.entries: dict[str, CampaignEntry] = {}
        self._told: dict[str, int] = {}

    def _where(self, wanted: Callable[[CampaignEntry], bool]) -> list[CampaignEntry]:
        return [entry for _, entry in sorted(self.entries.items()) if wanted(entry)]

    @override
    async def insert(self, entry: CampaignEntry) -> CampaignEntry | None:
        capture = entry.capture
        if entry.entry_id in self.entries:
            return self.entries[entry.entry_id]
        if any(one.capture.campaign == capture.campaign for one in await self.on_object(*_place(entry))):
            return None
        self.entries[entry.entry_id] = entry
        return entry

    @override
    async def save(self, before: CampaignEntry, after: CampaignEntry) -> bool:
        if self.entries.get(before.entry_id) != before:
            return False
        self.entries[before.entry_id] = after
        return True

    @override
    async def get(self, entry_ids: Sequence[str]) -> Sequence[CampaignEntry]:
        return [self.entries[name] for name in entry_ids if name in self.entries]

    @override
    async def on_object(self, brand: str, platform: str, name: str) -> Sequence[CampaignEntry]:
        return self._where(lambda entry: _place(entry) == (brand, platform, name))

    @override
    async def open_requests(self, brand: str, campaign: str, platform: str, author: str) -> Sequence[CampaignEntry]:
        def wanted(entry: CampaignEntry) -> bool:
            own = entry.capture
            return (own.brand, own.campaign, own.platform, own.author) == (brand, campaign, platform, author)

        return [entry for entry in self._where(wanted) if entry.state in _ANSWERABLE]

    @override
    async def of_action(self, action_id: str) -> CampaignEntry | None:
        return next(iter(self._where(lambda entry: action_id in entry.actions)), None)

    @override
    async def with_media(self, sha256: str) -> Sequence[CampaignEntry]:
        found = self._where(lambda entry: any(one.sha256 == sha256 for one in entry.standing.media))
        return sorted(found, key=lambda entry: entry.standing.captured_at)

    @override
    async def captured_since(self, brand: str, campaign: str, moment: float) -> Sequence[CampaignEntry]:
        found = self._where(lambda entry: _of(entry) == (brand, campaign) and entry.standing.captured_at >= moment)
        return sorted(found, key=lambda entry: entry.standing.captured_at)

    @override
    async def in_states(
        self, brand: str, campaign: str, states: Sequence[EntryState], *, after: str = "", limit: int = MOST
    ) -> Sequence[CampaignEntry]:
        mine = self._where(lambda entry: _of(entry) == (brand, campaign) and entry.entry_id > after)
        return [entry for entry in mine if entry.state in states][:limit]

    @override
    async def browse(self, brand: str, campaign: str, wanted: EntryFilter, *, after: str, limit: int) -> EntryPage:
        found = self._where(lambda entry: _of(entry) == (brand, campaign) and entry.entry_id > after and _fits(entry, wanted))
        return EntryPage(found[:limit], found[limit - 1].entry_id if len(found) > limit else None)

    @override
    async def due(self, now: float, limit: int) -> Sequence[CampaignEntry]:
        times = {name: at for name, one in self.entries.items() if (at := attention_at(one.standing)) is not None and at <= now}
        return [self.entries[name] for name in sorted(times, key=times.__getitem__)[:limit]]

    @override
    async def untold(self, limit: int) -> Sequence[Announcement]:
        waiting = self._where(lambda entry: entry.sequence > self._told.get(entry.entry_id, 0))[:limit]
        return [
            Announcement(entry, line)
            for entry in waiting
            for line in entry.evidence
            if line.sequence > self._told.get(entry.entry_id, 0)
        ]

    @override
    async def mark_told(self, announcements: Sequence[Announcement]) -> None:
        for one in announcements:
            name = one.entry.entry_id
            self._told[name] = max(self._told.get(name, 0), one.line.sequence)


def _place(entry: CampaignEntry) -> tuple[str, str, str]:
    return entry.capture.brand, entry.capture.platform, entry.capture.object


def _of(entry: CampaignEntry) -> tuple[str, str]:
    return entry.capture.brand, entry.capture.campaign


def _fits(entry: CampaignEntry, wanted: EntryFilter) -> bool:
    own, standing = entry.capture, entry.standing
    asked = (wanted.state, wanted.author, wanted.platform)
    if any(want and want != has for want, has in zip(asked, (standing.state, own.author, own.platform), strict=True)):
        return False
    if wanted.flag and wanted.flag not in {one.flag for one in standing.flags}:
        return False
    return not wanted.waiting or (standing.state is EntryState.RIGHTS_REQUESTED and bool(standing.waiting))


class MemoryPlaces(Places):
    """Places by campaign."""

    def __init__(self) -> None:
        self.taken: dict[str, list[str]] = {}

    @override
    async def take(self, key: str, entry_id: str, at_most: int) -> bool:
        taken = self.taken.setdefault(key, [])
        if entry_id in taken:
            return True
        if len(taken) >= at_most:
            return False
        taken.append(entry_id)
        return True


class MemoryMedia(MediaStore):
    """Files by their hash."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}

    @override
    async def put(self, file: File) -> None:
        self.files[file.sha256] = file

    @override
    async def remove(self, sha256: str) -> None:
        self.files.pop(sha256, None)

    @override
    async def read(self, media: Cleared) -> bytes | None:
        found = self.files.get(media.sha256)
        return found.content if found else None
