"""Asking for rights: saved with the entry, then ordered from the one-effect ledger, so that it is posted once or not at all."""

from dataclasses import dataclass

from antiphon import ids
from antiphon.clock import Clock
from publisher.domain.entries.campaign import By, Campaign, Terms, in_language
from publisher.domain.entries.changes import Ask, LeaveToPeople, LookAgain, Remind, RequestFailed, RequestStands
from publisher.domain.entries.model import Asked, CampaignEntry, EntryState
from publisher.domain.model import PRIVATE, Entry, Kind, State
from publisher.entry_ports import Campaigns, Entries
from publisher.service.entries.inviting import Inviting
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.ordering import Ordering
from publisher.service.entries.seen import NOT_DONE, RightsWanted, Seen

CHECK_SECONDS = 60.0
"""From a request to the first look at its order, if no report came: a crash in between, or a report that came too early."""

CHECK_AGAIN_SECONDS = 600.0
"""Between further looks at an order that waits for a person or for its platform."""

NO_ADDRESS = "forms need PUBLISHER_PUBLIC_URL, the address under which people reach this installation"

_ASKABLE = {EntryState.ELIGIBLE, EntryState.EXPIRED}


class CannotAsk(Exception):
    """The entry cannot be asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks, reminds, and looks after requests."""

    entries: Entries
    campaigns: Campaigns
    ordering: Ordering
    inviting: Inviting
    moves: EntryMoves
    clock: Clock

    async def by_rule(self, seen: Seen, wanted: RightsWanted) -> None:
        """Ask for the entry that a rule names, if there is one and it was never asked for. Raises Transient."""
        for entry in await self.entries.on_object(seen.brand, seen.saying.platform, seen.saying.object):
            if entry.capture.campaign == wanted.campaign and entry.state is EntryState.ELIGIBLE:
                await self.automatically(entry)

    async def automatically(self, entry: CampaignEntry) -> None:
        """Ask as the campaign says; an entry that cannot be asked for stays for people. Raises Transient."""
        campaign = self.campaigns.campaign(entry.capture.brand, entry.capture.campaign)
        if campaign is None or campaign.terms is None:
            await self.moves.apply(entry, LeaveToPeople("the campaign has no terms to ask for"))
        elif campaign.terms.by is By.FORM and not self.inviting.possible:
            await self.moves.apply(entry, LeaveToPeople(NO_ADDRESS))
        else:
            await self._ask(entry, campaign, campaign.terms, campaign.terms.by, "")

    async def chosen(self, entry: CampaignEntry, by: By | None, actor: str) -> CampaignEntry:
        """Ask because a person chose the entry. Raises CannotAsk, Transient."""
        campaign = self.campaigns.campaign(entry.capture.brand, entry.capture.campaign)
        if campaign is None or campaign.terms is None:
            raise CannotAsk("the campaign has no terms to ask for")
        if entry.state not in _ASKABLE:
            raise CannotAsk(f"the entry is {entry.state}")
        wanted = by or campaign.terms.by
        if wanted is By.FORM and not self.inviting.possible:
            raise CannotAsk(NO_ADDRESS)
        moved = await self._ask(entry, campaign, campaign.terms, wanted, actor)
        if moved is None:
            raise CannotAsk("the entry has changed meanwhile")
        return moved

    async def _ask(self, entry: CampaignEntry, campaign: Campaign, terms: Terms, by: By, actor: str) -> CampaignEntry | None:
        asked = self._asked(entry, campaign, terms, by)
        moved = await self.moves.apply(entry, Ask(asked, actor))
        if moved is None or not asked.action_id:
            return moved
        return await self.look(moved) or moved

    def _asked(self, entry: CampaignEntry, campaign: Campaign, terms: Terms, by: By) -> Asked:
        capture, now = entry.capture, self.clock.now().timestamp()
        attempt = entry.standing.asked.attempt + 1 if entry.standing.asked else 1
        sent = by is not By.FORM or self._can_carry_a_link(entry)
        rule = f"campaign:{capture.campaign}:rights"
        return Asked(
            attempt=attempt,
            by=by,
            action_id=ids.action_id(capture.brand, capture.entry_id, rule, attempt) if sent else "",
            at=now,
            terms_version=terms.version,
            terms=in_language(terms.terms, capture.language),
            uses=terms.uses,
            answer_seconds=terms.answer_seconds,
            reminder_seconds=terms.reminder_seconds if by is By.REPLY and in_language(terms.reminder, capture.language) else 0.0,
            granted_seconds=terms.granted_seconds,
            answer_by=None if sent else now + terms.answer_seconds,
            check_at=now + CHECK_SECONDS if sent else None,
        )

    def _can_carry_a_link(self, entry: CampaignEntry) -> bool:
        """A comment gets one private reply, so a second link, like one for a platform without any, is handed over by people."""
        before = entry.standing.asked
        unused = before is None or before.by is By.REPLY
        return unused and self.ordering.can(entry.capture.platform, _kind(entry, By.FORM))

    async def look(self, entry: CampaignEntry) -> CampaignEntry | None:
        """Place the request's order if it is not placed yet, and take over what became of it. Raises Transient."""
        asked = entry.standing.asked
        campaign = self.campaigns.campaign(entry.capture.brand, entry.capture.campaign)
        if asked is None or not asked.action_id:
            return None
        placed = await self.ordering.state(asked.action_id)
        if placed is None:
            if campaign is None or campaign.terms is None:
                return await self.moves.apply(entry, RequestFailed(asked.action_id, "the campaign was removed"))
            placed = await self._place(entry, campaign, campaign.terms, asked)
        return await self._taken_over(entry, asked, placed)

    async def _place(self, entry: CampaignEntry, campaign: Campaign, terms: Terms, asked: Asked) -> Entry:
        capture, text = entry.capture, in_language(terms.request, entry.capture.language) or asked.terms
        if asked.by is By.FORM:
            link = self.inviting.link(entry)
            text = text.replace("{link}", link) if "{link}" in text else f"{text}\n{link}"
        if disclosure := self.campaigns.disclosure(capture.brand, capture.language):
            text = f"{text}\n{disclosure}"
        order = self.ordering.order(
            entry, asked.action_id, _kind(entry, asked.by), capture.object, campaign.version, campaign.mode
        )
        return await self.ordering.place(order, text)

    async def _taken_over(self, entry: CampaignEntry, asked: Asked, placed: Entry) -> CampaignEntry | None:
        position = placed.position
        if position.state is State.POSTED:
            return await self.moves.apply(entry, RequestStands(asked.action_id, position.platform_id))
        if position.state in NOT_DONE:
            return await self.moves.apply(entry, RequestFailed(asked.action_id, position.reason))
        if asked.check_at is not None and self.clock.now().timestamp() >= asked.check_at:
            return await self.moves.apply(entry, LookAgain(CHECK_AGAIN_SECONDS))
        return None

    async def remind(self, entry: CampaignEntry) -> None:
        """Remind once, under the request itself: its own slot is taken by it, for good. Raises Transient."""
        asked, capture = entry.standing.asked, entry.capture
        campaign = self.campaigns.campaign(capture.brand, capture.campaign)
        if asked is not None and asked.posted_as and campaign is not None and campaign.terms is not None:
            text = in_language(campaign.terms.reminder, capture.language)
            name = ids.action_id(capture.brand, capture.entry_id, f"campaign:{capture.campaign}:reminder", asked.attempt)
            order = self.ordering.order(entry, name, Kind.REPLY, asked.posted_as, campaign.version, campaign.mode)
            await self.ordering.place(order, text or asked.terms)
        await self.moves.apply(entry, Remind())


def _kind(entry: CampaignEntry, by: By) -> Kind:
    """A private conversation is answered in it; a form's link is for one person's eyes."""
    if by is By.REPLY or entry.capture.event_kind in PRIVATE:
        return Kind.REPLY
    return Kind.PRIVATE_REPLY
