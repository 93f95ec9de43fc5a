"""What people do with entries: look, ask, judge answers, use, revoke."""

from dataclasses import dataclass

from antiphon import ids
from antiphon.clock import Clock
from publisher.domain.entries.campaign import By, UseKind
from publisher.domain.entries.changes import EntryChange, FormAnswered, Judge, Revoke, UseIt
from publisher.domain.entries.links import Invitation
from publisher.domain.entries.model import CampaignEntry, EntryState, Use, Why
from publisher.domain.entries.rights import NotCleared, clear
from publisher.domain.model import Kind, Mode
from publisher.entry_ports import Entries, EntryFilter, EntryPage
from publisher.service.entries.asking import Asking
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.ordering import Ordering
from publisher.service.entries.removing import Removals


class NotNow(Exception):
    """The entry stands where this makes no sense; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A post to be made of an entry: its words, and who wants it."""

    caption: str
    actor: str


@dataclass(frozen=True, slots=True)
class Desk:
    """The entries as people see them. Every method raises Transient when the store is away."""

    entries: Entries
    asking: Asking
    ordering: Ordering
    removals: Removals
    moves: EntryMoves
    clock: Clock

    async def browse(self, brand: str, campaign: str, wanted: EntryFilter, after: str, limit: int) -> EntryPage:
        """Return a page of a campaign's entries."""
        return await self.entries.browse(brand, campaign, wanted, after=after, limit=limit)

    async def get(self, brand: str, campaign: str, entry_id: str) -> CampaignEntry | None:
        """Return an entry of this campaign."""
        found = await self.entries.get([entry_id])
        mine = [one for one in found if (one.capture.brand, one.capture.campaign) == (brand, campaign)]
        return mine[0] if mine else None

    async def request(self, entry: CampaignEntry, by: By | None, actor: str) -> CampaignEntry:
        """Ask for the rights. Raises CannotAsk."""
        return await self.asking.chosen(entry, by, actor)

    async def judge(self, entry: CampaignEntry, judgement: Judge) -> CampaignEntry:
        """Say what an answer meant. Raises NotNow."""
        return await self._apply(entry, judgement)

    async def _apply(self, entry: CampaignEntry, change: EntryChange) -> CampaignEntry:
        moved = await self.moves.apply(entry, change)
        if moved is None:
            raise NotNow(f"the entry is {entry.state}; this is not possible there")
        return moved

    async def revoke(self, entry: CampaignEntry, actor: str, reason: str) -> CampaignEntry:
        """End the rights and every use of them; on a revoked entry, see to its uses again. Raises NotNow."""
        if entry.state is not EntryState.REVOKED:
            entry = await self._apply(entry, Revoke(actor, reason))
        return await self.removals.after(entry, actor)

    async def show(self, entry: CampaignEntry, actor: str) -> CampaignEntry:
        """Mark the entry as featured in the gallery. Raises NotNow without the rights to it."""
        self._check(entry, UseKind.GALLERY)
        if any(use.use is UseKind.GALLERY for use in entry.standing.uses):
            return entry
        return await self._apply(entry, UseIt(Use(UseKind.GALLERY, self.clock.now().timestamp(), actor)))

    async def post(self, entry: CampaignEntry, posting: Posting) -> CampaignEntry:
        """Order a post of the entry's media; one that is under way or done is not ordered again. Raises NotNow."""
        self._check(entry, UseKind.POST)
        use = next((use for use in entry.standing.uses if use.use is UseKind.POST), None)
        if use is None:
            use = Use(UseKind.POST, self.clock.now().timestamp(), posting.actor, _post_id(entry))
            entry = await self._apply(entry, UseIt(use))
        order = self.ordering.order(entry, use.action_id, Kind.FEATURE, entry.capture.object, 0, Mode.AUTO)
        await self.ordering.place(order, posting.caption, approved_by=posting.actor)
        return entry

    def _check(self, entry: CampaignEntry, use: UseKind) -> None:
        cleared = clear(entry, use, self.clock.now().timestamp())
        if isinstance(cleared, NotCleared):
            raise NotNow(f"{cleared.detail}; nothing may be shown or posted")

    async def invited(self, invitation: Invitation) -> CampaignEntry | None:
        """Return the entry that a form's link is about, if its request is still the one that the link was made for."""
        found = await self.entries.get([invitation.entry_id])
        asked = found[0].standing.asked if found else None
        return found[0] if asked is not None and asked.attempt == invitation.attempt else None

    async def answer_form(self, entry: CampaignEntry, invitation: Invitation, terms_sha256: str, *, granted: bool) -> bool:
        """Take a form's answer; False when there is nothing to answer any more."""
        moved = await self.moves.apply(entry, FormAnswered(invitation.attempt, granted, terms_sha256))
        await self.removals.after(moved or entry)
        return moved is not None


def _post_id(entry: CampaignEntry) -> str:
    """Each order of a post has an id of its own, counted by the evidence, so that one that failed can be ordered again."""
    before = sum(line.reason == Why.ORDERED for line in entry.evidence)
    return ids.action_id(entry.capture.brand, entry.entry_id, f"campaign:{entry.capture.campaign}:feature", before)
