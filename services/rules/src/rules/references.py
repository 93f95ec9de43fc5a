"""What names what: rules name campaigns and links, links and campaigns name campaigns and channels of the same brand."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from antiphon.problems import Problem
from rules.configuration import existing, unknown_names
from rules.domain.checking.findings import Finding, error, warning
from rules.domain.model import Answer, Enter, RequestRights, Rule
from rules.domain.templates import LINK_PREFIX, placeholders
from rules.entities import Campaign, Channel, Deletable, Link
from rules.ports import ConfigStore, Configuration
from rules.vetting import Draft, active_rules

Named = tuple[str, str]
"""A name, and where it stands: a JSON pointer into the document."""


@dataclass(frozen=True, slots=True)
class Coming:
    """Ids of campaigns and links that are to be saved before rules that name them."""

    campaigns: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()


NOTHING_COMING = Coming()


class References:
    """Looks names up in the store, so that what was saved a moment ago counts already."""

    def __init__(self, *, store: ConfigStore, in_force: Configuration) -> None:
        self._store = store
        self._in_force = in_force

    async def findings(self, brand: str, drafts: Sequence[Draft], coming: Coming = NOTHING_COMING) -> list[tuple[Finding, ...]]:
        """Return, for each rule, what is to be said of campaigns and links that it names and the brand does not have.

        That is an error of a rule that acts once it is saved, and a warning of any other: it may be ahead of what it names.
        """
        campaigns = {name for draft in drafts for name, _ in campaigns_of(draft.rule)} - coming.campaigns
        links = {name for draft in drafts for name, _ in links_of(draft.rule)} - coming.links
        absent = await self._absent(Campaign, brand, campaigns), await self._absent(Link, brand, links)
        return [tuple(_unknown_findings(draft, *absent)) for draft in drafts]

    async def check_campaign(self, brand: str, campaign: str, place: str) -> None:
        """Raise 422 for a campaign that the brand does not have."""
        if campaign and not await self._has(Campaign, brand, campaign):
            raise unknown_names({place: f"the brand has no campaign {campaign!r}; create it first"})

    async def check_channels(self, brand: str, channels: Sequence[str], place: str) -> None:
        """Raise 422 for a channel that the brand does not have."""
        for number, channel in enumerate(channels):
            if not await self._has(Channel, brand, channel):
                raise unknown_names(
                    {f"{place}/{number}": f"the brand has no channel {channel!r}; connect it first, or leave it out"}
                )

    async def check_unused(self, brand: str, *, campaign: str = "", link: str = "") -> None:
        """Raise 409 for a campaign or link that an active rule names."""
        for rule in active_rules(self._in_force.snapshot, brand):
            names = [name for name, _ in (campaigns_of(rule) if campaign else links_of(rule))]
            if (campaign or link) in names:
                raise Problem(409, "in_use", f"The active rule {rule.rule_id!r} names it; change or pause that rule first.")

    async def _absent(self, kind: type[Deletable], brand: str, names: Collection[str]) -> set[str]:
        return {name for name in names if not await self._has(kind, brand, name)}

    async def _has(self, kind: type[Deletable], brand: str, name: str) -> bool:
        return await existing(self._store, kind, brand, name) is not None


def campaigns_of(rule: Rule) -> Iterator[Named]:
    """Yield the campaigns that a rule's actions are for."""
    for place, action in enumerate(rule.then):
        if isinstance(action, Enter | RequestRights):
            yield action.campaign, f"/then/{place}/{action.kind}/campaign"


def links_of(rule: Rule) -> Iterator[Named]:
    """Yield the tracked links that stand in a rule's texts."""
    for place, action in enumerate(rule.then):
        for language, variants in action.texts.items() if isinstance(action, Answer) else ():
            for number, template in enumerate(variants):
                for name in sorted(placeholders(template)):
                    if name.startswith(LINK_PREFIX):
                        yield name.removeprefix(LINK_PREFIX), f"/then/{place}/{action.kind}/text/{language}/{number}"


def _unknown_findings(draft: Draft, campaigns: Collection[str], links: Collection[str]) -> Iterator[Finding]:
    found = error if draft.active else warning
    for name, place in campaigns_of(draft.rule):
        if name in campaigns:
            yield found("unknown_campaign", place, f"the brand has no campaign {name!r}; create it first")
    for name, place in links_of(draft.rule):
        if name in links:
            yield found("unknown_link", place, f"the brand has no link {name!r}; create it first")
