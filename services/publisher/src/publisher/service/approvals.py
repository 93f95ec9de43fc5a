"""What people decide about single actions."""

from dataclasses import dataclass

from antiphon.errors import Invalid
from publisher.domain.changes import Approve, Change, Reject, Resolve, SendAgain
from publisher.domain.model import Entry
from publisher.ports import Filter, Happening, Ledger, Page
from publisher.service.moves import Moves


class NotPossible(Exception):
    """The action is in a state where this makes no sense; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """The outbox as people see it."""

    ledger: Ledger
    moves: Moves

    async def browse(self, brand: str, wanted: Filter, after: str, limit: int) -> Page:
        """Return a page of one brand's actions."""
        return await self.ledger.browse(brand, wanted, after=after, limit=limit)

    async def get(self, action_id: str) -> Entry | None:
        """Return the action, whoever's it is."""
        found = await self.ledger.get([action_id])
        return found[0] if found else None

    async def history(self, action_id: str) -> list[Happening]:
        """Return what happened to the action, oldest first."""
        return list(await self.ledger.history(action_id))

    async def approve(self, entry: Entry, actor: str, text: str | None) -> Entry:
        """Let it be sent, perhaps with another text. Raises NotPossible."""
        return await self._decide(entry, Approve(actor, text))

    async def reject(self, entry: Entry, actor: str) -> Entry:
        """Let it never be sent. Raises NotPossible."""
        return await self._decide(entry, Reject(actor))

    async def resolve(self, entry: Entry, actor: str, *, posted: bool) -> Entry:
        """Say what a look at the platform showed. Raises NotPossible."""
        return await self._decide(entry, Resolve(actor, posted))

    async def send_again(self, entry: Entry, actor: str) -> Entry:
        """Send once more. Raises NotPossible, also when another action has taken the target meanwhile."""
        return await self._decide(entry, SendAgain(actor))

    async def _decide(self, entry: Entry, change: Change) -> Entry:
        try:
            moved = await self.moves.apply(entry, change)
        except Invalid as error:
            raise NotPossible("another action of this kind has taken the target meanwhile") from error
        if moved is None:
            raise NotPossible(f"the action is {entry.position.state}; this is not possible there")
        return moved
