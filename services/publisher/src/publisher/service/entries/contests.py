"""Contests: a seed that is committed to before the close, and one draw after it, with its certificate."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import contest
from antiphon.clock import Clock
from publisher.domain.entries.campaign import Campaign, Contest
from publisher.domain.entries.drawing import TAKING_PART, participants
from publisher.entry_ports import Campaigns, ContestRecord, Contests, Entries

COMPACT = 1_000
"""Entries from which the certificate's list is compressed: below, people can read it as it is."""


class NotPossible(Exception):
    """The contest stands where this makes no sense; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Commits and draws. Every method raises NotPossible, or Transient when the store is away."""

    entries: Entries
    contests: Contests
    campaigns: Campaigns
    clock: Clock

    async def commit(self, brand: str, campaign: str, actor: str) -> ContestRecord:
        """Make the seed and store it sealed, once; what is published of it is its hash."""
        known, _ = self._contest(brand, campaign)
        record = await self.contests.get(brand, campaign)
        if record is not None:
            return record
        now = self.clock.now().timestamp()
        if known.end and now >= known.end:
            raise NotPossible("the campaign has closed, and a seed that is made now proves nothing")
        seed = secrets.token_bytes(contest.SEED_BYTES)
        return await self.contests.create(ContestRecord(brand, campaign, contest.commitment_of(seed), now, actor), seed)

    async def draw(self, brand: str, campaign: str, actor: str) -> ContestRecord:
        """Draw after the close; a second draw is the first one again."""
        record = await self.contests.get(brand, campaign)
        if record is not None and record.certificate is not None:
            return record
        known, terms = self._contest(brand, campaign)
        if record is None:
            raise NotPossible("no seed was committed to before the close; commit to one with `contest:commit`")
        now = self.clock.now().timestamp()
        if not known.end or now < known.end:
            raise NotPossible("the campaign has not closed; draw after its end")
        certificate = await self._certificate(record, known, terms, now)
        return await self.contests.drawn(record, certificate, actor)

    async def get(self, brand: str, campaign: str) -> ContestRecord | None:
        """Return what is known of a contest."""
        return await self.contests.get(brand, campaign)

    def _contest(self, brand: str, campaign: str) -> tuple[Campaign, Contest]:
        known = self.campaigns.campaign(brand, campaign)
        if known is None or known.contest is None:
            raise NotPossible("the campaign has no contest; give it one in its settings")
        return known, known.contest

    async def _certificate(self, record: ContestRecord, known: Campaign, terms: Contest, now: float) -> Mapping[str, Any]:
        found = await self.entries.in_states(record.brand, record.campaign, sorted(TAKING_PART))
        taking_part = participants(found, terms, known.end)
        if not taking_part:
            raise NotPossible("no entry takes part")
        fixed = contest.Contest(
            brand=record.brand,
            campaign=record.campaign,
            published=datetime.fromtimestamp(record.committed_at, UTC),
            closed=datetime.fromtimestamp(known.end, UTC).astimezone(known.zone),
            winners=max(terms.winners, 1),
            alternates=terms.alternates,
        )
        ids = [entry.entry_id for entry in taking_part]
        seed = await self.contests.seed(record)
        try:
            return contest.make_certificate(
                fixed, seed, ids, at=datetime.fromtimestamp(now, UTC).astimezone(known.zone), compact=len(ids) > COMPACT
            )
        except contest.Unusable as error:
            raise NotPossible(str(error)) from error
