"""What names what: rules name campaigns and links, links and campaigns name campaigns and channels of the same brand."""

from collections.abc import Iterator, Sequence

from antiphon.problems import Problem
from rules.domain.checking.findings import Finding, error
from rules.domain.model import Answer, Enter, RequestRights, Rule
from rules.domain.templates import LINK_PREFIX, placeholders
from rules.entities import Campaign, Channel, Deletable, Link
from rules.ports import ConfigStore, Configuration
from rules.vetting import active_rules

Named = tuple[str, str]
"""A name, and where it stands: a JSON pointer into the document."""


class References:
    """Looks names up in the store, so that what was saved a moment ago counts already."""

    def __init__(self, *, store: ConfigStore, in_force: Configuration) -> None:
        self._store = store
        self._in_force = in_force

    async def findings(self, brand: str, rule: Rule) -> tuple[Finding, ...]:
        """Return an error for each campaign and each link that a rule names and the brand does not have."""
        found = []
        for name, place in campaigns_of(rule):
            if not await self._has(Campaign, brand, name):
                found.append(error("unknown_campaign", place, f"the brand has no campaign {name!r}; create it first"))
        for name, place in links_of(rule):
            if not await self._has(Link, brand, name):
                found.append(error("unknown_link", place, f"the brand has no link {name!r}; create it first"))
        return tuple(found)

    async def check_campaign(self, brand: str, campaign: str, place: str) -> None:
        """Raise 422 for a campaign that the brand does not have."""
        if campaign and not await self._has(Campaign, brand, campaign):
            raise _unknown(place, f"the brand has no campaign {campaign!r}; create it first")

    async def check_channels(self, brand: str, channels: Sequence[str], place: str) -> None:
        """Raise 422 for a channel that the brand does not have."""
        for number, channel in enumerate(channels):
            if not await self._has(Channel, brand, channel):
                raise _unknown(f"{place}/{number}", f"the brand has no channel {channel!r}; connect it first, or leave it out")

    async def check_unused(self, brand: str, *, campaign: str = "", link: str = "") -> None:
        """Raise 409 for a campaign or link that an active rule names."""
        for rule in active_rules(self._in_force.snapshot, brand):
            names = [name for name, _ in (campaigns_of(rule) if campaign else links_of(rule))]
            if (campaign or link) in names:
                raise Problem(409, "in_use", f"The active rule {rule.rule_id!r} names it; change or pause that rule first.")

    async def _has(self, kind: type[Deletable], brand: str, name: str) -> bool:
        found = await self._store.get(kind, brand, name)
        return found is not None and not found.deleted


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


def _unknown(place: str, detail: str) -> Problem:
    errors = [{"pointer": place, "detail": detail}]
    return Problem(422, "invalid", "It names something that the brand does not have; see errors.", errors=errors)
