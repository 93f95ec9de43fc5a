"""Moving an entry of a campaign, however many others try at the same time."""

from collections.abc import Callable

from antiphon.clock import Clock
from antiphon.errors import Transient
from publisher.domain.entries.changes import EntryChange
from publisher.domain.entries.machine import step
from publisher.domain.entries.model import CampaignEntry
from publisher.entry_ports import Entries

_TRIES = 8
"""Lost races in a row; each means that somebody else moved this one entry, which has few moves."""


class EntryMoves:
    """Applies changes by compare-and-set. `saved` is called after each, so that it is announced soon."""

    def __init__(self, entries: Entries, clock: Clock, saved: Callable[[], None] = lambda: None) -> None:
        self._entries, self._clock, self._saved = entries, clock, saved

    async def apply(self, entry: CampaignEntry, change: EntryChange) -> CampaignEntry | None:
        """Save the change, from the stored entry if the given one is old; None when it has no meaning there. Raises Transient."""
        for _ in range(_TRIES):
            moved = step(entry, change, self._clock.now().timestamp())
            if moved is None:
                return None
            if await self._entries.save(entry, moved):
                self._saved()
                return moved
            found = await self._entries.get([entry.entry_id])
            if not found:
                return None
            entry = found[0]
        raise Transient("an entry is contended")
