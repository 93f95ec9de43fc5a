"""Decisions in: entries are captured, admitted or turned away, deletions and answers are taken up."""

import logging
from collections.abc import Sequence

from antiphon.clock import Clock
from publisher.domain.entries.campaign import Campaign
from publisher.domain.entries.changes import Admit, Gone, TurnAway
from publisher.domain.entries.machine import captured
from publisher.domain.entries.model import CampaignEntry, Capture, EntryState, Why
from publisher.domain.model import Mode
from publisher.entry_ports import Campaigns, Entries
from publisher.ports import Failpoint, Observation, Policies, Threads
from publisher.service.entries.admitting import Admitting
from publisher.service.entries.answers import Answers
from publisher.service.entries.asking import Asking
from publisher.service.entries.flagging import Flagging
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.removing import Removals
from publisher.service.entries.seen import Entering, Reported, Seen

log = logging.getLogger(__name__)


class Taking:
    """Makes a polled batch durable; repeating a batch changes nothing."""

    def __init__(
        self,
        *,
        entries: Entries,
        threads: Threads,
        campaigns: Campaigns,
        policies: Policies,
        admitting: Admitting,
        flagging: Flagging,
        asking: Asking,
        answers: Answers,
        removals: Removals,
        moves: EntryMoves,
        clock: Clock,
        failpoint: Failpoint,
    ) -> None:
        self._entries, self._threads, self._campaigns, self._policies = entries, threads, campaigns, policies
        self._admitting, self._flagging, self._asking, self._answers = admitting, flagging, asking, answers
        self._removals, self._moves, self._clock, self._failpoint = removals, moves, clock, failpoint

    async def take(self, batch: Sequence[Seen | Reported]) -> None:
        """Return once everything in the batch is durable. Raises Transient."""
        seen = [one for one in batch if isinstance(one, Seen)]
        # Before any entry is looked at: of a deletion and an entry that cross, the later one sees the other.
        await self._threads.record([_deleted(one) for one in seen if one.deleted])
        for one in batch:
            if isinstance(one, Reported):
                await self._answers.report(one)
            else:
                await self._take(one)

    async def _take(self, seen: Seen) -> None:
        if seen.deleted:
            await self._gone(seen)
        for entering in seen.entering:
            await self._enter(entering)
        for wanted in seen.wanted:
            await self._asking.by_rule(seen, wanted)
        if seen.consents:
            await self._answers.hear(seen)

    async def _gone(self, seen: Seen) -> None:
        for entry in await self._entries.on_object(seen.brand, seen.saying.platform, seen.saying.object):
            moved = await self._moves.apply(entry, Gone())
            await self._removals.after(moved or entry)

    async def _enter(self, entering: Entering) -> None:
        capture = entering.capture
        if Mode.SHADOW in {entering.mode, self._policies.policy(capture.brand).mode}:
            return  # the delivery says `shadowed`: decided and recorded, not done
        entry = await self._entries.insert(captured(capture, self._clock.now().timestamp()))
        if entry is None:
            log.debug("the object has an entry already", extra={"brand": capture.brand})
            return
        self._failpoint("publisher.after_captured")
        await self.advance(entry)

    async def advance(self, entry: CampaignEntry) -> None:
        """Take an entry on from `captured`, and ask for its rights if that is automatic. Raises Transient."""
        if entry.state is EntryState.CAPTURED:
            change = await self._verdict(entry)
            entry = await self._moves.apply(entry, change) or entry
            if isinstance(change, Gone):
                return
        if entry.standing.ask_at is not None:
            await self._asking.automatically(entry)

    async def _verdict(self, entry: CampaignEntry) -> Admit | TurnAway | Gone:
        capture = entry.capture
        campaign = self._campaigns.campaign(capture.brand, capture.campaign)
        facts = await self._threads.facts(capture.brand, capture.platform, [capture.object])
        if capture.object in facts and facts[capture.object].deleted:
            return Gone()
        if not capture.eligible:
            return TurnAway(capture.reason, capture.detail)
        if campaign is None:
            return TurnAway(Why.SCHEDULE, "the campaign was removed")
        if late := _outside(capture, campaign):
            return TurnAway(Why.SCHEDULE, late)
        if full := await self._admitting.full(capture, campaign):
            return TurnAway(Why.LIMIT, full)
        flags = await self._flagging.flags(capture)
        return Admit(tuple(flags), ask=campaign.terms is not None and campaign.terms.automatic)


def _outside(capture: Capture, campaign: Campaign) -> str:
    if capture.event_time < campaign.start:
        return "before the campaign's start"
    return "after the campaign's close" if campaign.end and capture.event_time >= campaign.end else ""


def _deleted(seen: Seen) -> Observation:
    return Observation(seen.brand, seen.saying.platform, seen.saying.object, deleted_at=seen.event_time)
