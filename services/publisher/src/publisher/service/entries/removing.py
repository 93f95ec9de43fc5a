"""Ending uses: posts of media whose rights are gone are deleted where the platform allows."""

from dataclasses import dataclass

from antiphon import ids
from publisher.domain.entries.changes import Removing
from publisher.domain.entries.model import CampaignEntry, EntryState, Use
from publisher.domain.model import Kind, Mode
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.ordering import Ordering

BY_RIGHTS = "rights"
"""Who approves a removal that nobody asked for by name: the terms do. Deleting otherwise waits for a person."""


@dataclass(frozen=True, slots=True)
class Removals:
    """Orders deletions; the gallery needs none, because it asks for the rights each time."""

    ordering: Ordering
    moves: EntryMoves

    async def after(self, entry: CampaignEntry, actor: str = BY_RIGHTS) -> CampaignEntry:
        """Remove every post of a revoked entry; repeating it orders nothing twice. Raises Transient."""
        if entry.state is EntryState.REVOKED:
            for use in entry.standing.uses:
                if use.platform_id:
                    entry = await self._remove(entry, use, actor)
        return entry

    async def _remove(self, entry: CampaignEntry, use: Use, actor: str) -> CampaignEntry:
        name = ids.action_id(entry.capture.brand, use.action_id, "campaign:removal", 0)
        if not use.removal:
            entry = await self.moves.apply(entry, Removing(use.action_id, name)) or entry
        order = self.ordering.order(entry, name, Kind.DELETE, use.platform_id, 0, Mode.AUTO)
        await self.ordering.place(order, "", approved_by=actor)
        return entry
