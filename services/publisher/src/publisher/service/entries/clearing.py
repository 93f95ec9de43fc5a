"""The rights to what is about to be posted, read from the ledger of entries at that very moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from antiphon.clock import Clock
from publisher.domain.entries.campaign import UseKind
from publisher.domain.entries.rights import Cleared, NotCleared, clear
from publisher.domain.model import Order
from publisher.entry_ports import Entries
from publisher.ports import Rights


@dataclass(frozen=True, slots=True)
class Clearing(Rights):
    """Answers for one order: only the entry that ordered it, and only what its rights allow now."""

    entries: Entries
    clock: Clock

    @override
    async def cleared(self, order: Order) -> Sequence[Cleared] | NotCleared:
        """Return the media that an order may post at this moment, or why it may post none. Raises Transient."""
        entry = await self.entries.of_action(order.action_id)
        if entry is None:
            return NotCleared("no entry has ordered this")
        return clear(entry, UseKind.POST, self.clock.now().timestamp())
