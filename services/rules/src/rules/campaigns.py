"""The use cases of campaigns: each save makes an immutable version; a state changes with a reason, and both are audited."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from antiphon.auth import Principal, Role
from antiphon.problems import Problem
from rules.configuration import Changes, ConfigurationService, Detail, Match, Saved, not_found, precondition_required
from rules.entities import MAX_CAMPAIGNS, Campaign, CampaignState
from rules.ports import ConfigStore, TakenError
from rules.references import References
from rules.trail import RuleVersion

Move = Literal["activate", "pause", "close", "archive"]

MOVES: Mapping[Move, tuple[frozenset[CampaignState], CampaignState]] = {
    "activate": (frozenset({"draft", "paused"}), "active"),
    "pause": (frozenset({"active"}), "paused"),
    "close": (frozenset({"active", "paused"}), "closed"),
    "archive": (frozenset({"draft", "closed"}), "archived"),
}
"""Move → from which states, and to which. A closed campaign stays closed: its winners may have been drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDraft:
    """A validated document; `document` is its canonical JSON, the rest is read from it.

    `end`: unix seconds, 0: none. `terms_sha256`: of the terms of its rights, "" without any. `channels` as it names them.
    """

    campaign: str
    name: str
    document: bytes
    end: float
    terms_sha256: str
    channels: tuple[str, ...]


class CampaignService:
    """Campaigns. An editor writes drafts; whatever is in force, an approver changes.

    `read` gives the draft that a stored document is; it raises ValueError for one that this release cannot read.
    """

    def __init__(
        self,
        *,
        store: ConfigStore,
        changes: Changes,
        configuration: ConfigurationService,
        references: References,
        read: Callable[[bytes], CampaignDraft],
    ) -> None:
        self._store = store
        self._changes = changes
        self._configuration = configuration
        self._references = references
        self._read = read

    async def campaign(self, brand: str, campaign: str) -> Campaign:
        """Return a campaign. Raises 404."""
        found = await self._store.get(Campaign, brand, campaign)
        if found is None or found.deleted:
            raise not_found("campaign", campaign)
        return found

    async def campaigns(self, brand: str, after: str, limit: int) -> Sequence[Campaign]:
        """Return a brand's campaigns. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.listed(Campaign, brand, after, limit)

    async def versions(self, brand: str, campaign: str, before: int, limit: int) -> Sequence[RuleVersion]:
        """Return a campaign's versions below `before`, the newest first. Raises 404."""
        found = await self.campaign(brand, campaign)
        return await self._store.versions(brand, found.versions_id, before, limit)

    async def put(self, by: Principal, brand: str, match: Match | None, draft: CampaignDraft, comment: str) -> Saved[Campaign]:
        """Create a campaign as a draft, or save a new version of one.

        Raises 404, 403 when it is in force and the caller is no approver, 412, 428, 409 when the brand has as many as it can.
        """
        await self._configuration.brand(brand)
        await self._references.check_channels(brand, draft.channels, "/channels")
        found = await self._store.get(Campaign, brand, draft.campaign)
        if found is None or found.deleted:
            await self._check_room(brand)
        elif match is None:
            raise precondition_required()
        if found is None:
            return await self._create(by, brand, match, draft, comment)

        def update(before: Campaign) -> Campaign:
            state: CampaignState = "draft" if before.deleted else before.state
            if state != "draft" and by.role < Role.APPROVER:
                raise Problem(403, "forbidden", f"The campaign is {state}; changing what is in force needs the role approver.")
            return replace(_version_of(before, draft), state=state, deleted=False)

        return await self._changes.change(
            lambda: self._any(brand, draft.campaign),
            match or Match(found.generation),
            update,
            by=by,
            action="campaign.save",
            detail=lambda saved: _told(saved, comment),
            version=lambda saved: _version(saved, comment),
        )

    async def _create(
        self, by: Principal, brand: str, match: Match | None, draft: CampaignDraft, comment: str
    ) -> Saved[Campaign]:
        if match is not None:
            raise Problem(412, "changed_meanwhile", "There is nothing to replace; leave `If-Match` out to create it.")
        new = Campaign(
            brand=brand,
            campaign=draft.campaign,
            name=draft.name,
            state="draft",
            document=draft.document,
            rights_version=1 if draft.terms_sha256 else 0,
            terms_sha256=draft.terms_sha256,
            changed_time=self._changes.now(),
            actor=by.key_id,
        )
        try:
            return await self._changes.create(new, "campaign.save", _told(new, comment), version=_version(new, comment))
        except TakenError:
            raise precondition_required() from None  # somebody else made it at the same moment

    async def move(self, by: Principal, brand: str, campaign: str, match: Match, move: Move, reason: str) -> Saved[Campaign]:
        """Change a campaign's state. Raises 404, 412, 409 when it is in a state that does not allow it, or over."""
        allowed, state = MOVES[move]

        def update(found: Campaign) -> Campaign:
            if found.state not in allowed:
                told = " or ".join(sorted(allowed))
                raise Problem(409, "not_possible", f"Only a campaign that is {told} can be {state}; this one is {found.state}.")
            if state == "active":
                self._check_open(found)
            return replace(found, state=state)

        return await self._changes.change(
            lambda: self.campaign(brand, campaign),
            match,
            update,
            by=by,
            action=f"campaign.{move}",
            detail=lambda moved: {"state": moved.state, "version": moved.latest_version, "reason": reason},
        )

    async def delete(self, by: Principal, brand: str, campaign: str, match: Match) -> Saved[Campaign]:
        """Forget a campaign that takes nothing in. Raises 404, 412, 409 when it is in force or a rule is about it."""
        await self._references.check_unused(brand, campaign=campaign)

        def update(found: Campaign) -> Campaign:
            if found.state not in {"draft", "archived"}:
                raise Problem(409, "not_possible", f"Close and archive the campaign first; it is {found.state}.")
            return replace(found, deleted=True)

        return await self._changes.change(
            lambda: self.campaign(brand, campaign), match, update, by=by, action="campaign.delete", detail=lambda _: {}
        )

    async def _any(self, brand: str, campaign: str) -> Campaign:
        found = await self._store.get(Campaign, brand, campaign)
        if found is None:
            raise not_found("campaign", campaign)
        return found

    async def _check_room(self, brand: str) -> None:
        if len(await self._store.listed(Campaign, brand, "", MAX_CAMPAIGNS)) >= MAX_CAMPAIGNS:
            raise Problem(409, "too_many", f"The brand has {MAX_CAMPAIGNS} campaigns already; delete one first.")

    def _check_open(self, found: Campaign) -> None:
        try:
            end = self._read(found.document).end
        except ValueError as error:
            raise Problem(409, "unreadable_version", "This release cannot read the campaign; save it anew.") from error
        if end and end <= self._changes.now().timestamp():
            raise Problem(409, "not_possible", "The campaign's end is past; save a later one first.")


def _version_of(before: Campaign, draft: CampaignDraft) -> Campaign:
    """Return the campaign with a new document; terms in other words than the last ones are a new version of the terms."""
    reworded = draft.terms_sha256 not in {"", before.terms_sha256}
    return replace(
        before,
        name=draft.name,
        document=draft.document,
        latest_version=before.latest_version + 1,
        rights_version=before.rights_version + reworded,
        terms_sha256=draft.terms_sha256 or before.terms_sha256,
    )


def _told(saved: Campaign, comment: str) -> Detail:
    return {"version": saved.latest_version, "state": saved.state, "terms": saved.rights_version, "comment": comment}


def _version(saved: Campaign, comment: str) -> RuleVersion:
    return RuleVersion(
        brand=saved.brand,
        rule_id=saved.versions_id,
        version=saved.latest_version,
        document=saved.document,
        author=saved.actor,
        time=saved.changed_time,
        comment=comment,
    )
