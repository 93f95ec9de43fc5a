"""All that a brand runs beside its rules, ready to be asked about an event."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rules.domain.campaign import Campaign, Topic
from rules.domain.capture import CampaignIndex
from rules.domain.event import Event
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.topics import TopicIndex

Tracked = Callable[[str, str, str], str]
"""Brand, link id and action id (empty: published by hand) → the URL that leads over the brand's own address and tells which
answer carried it.
"""


@dataclass(frozen=True, slots=True)
class Link:
    """A tracked link, where it leads, and the campaign whose clicks and conversions it brings ("": none's)."""

    link: str
    url: str
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What a programme is built from."""

    topics: tuple[Topic, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Programme:
    """Topics, campaigns and links of one brand. `tracked` None: links are posted as they lead."""

    campaigns: CampaignIndex
    topics: TopicIndex | None = None
    links: Mapping[str, Link] = field(default_factory=dict)
    tracked: Tracked | None = None
    attends: bool = False
    """Whether anything of it can concern an event; where not, an event costs nothing more."""

    @property
    def source(self) -> Source:
        """Return what it was built from."""
        topics = self.topics.topics if self.topics is not None else ()
        return Source(topics, self.campaigns.campaigns, tuple(self.links.values()))

    def link_url(self, brand: str, link: str, action: str) -> str:
        """Return the URL to post for a link, "" when there is no such link."""
        if link not in self.links:
            return ""
        return self.tracked(brand, link, action) if self.tracked is not None else self.links[link].url

    def led_by(self, event: Event) -> tuple[str, ...]:
        """Return the campaign whose link led to the event, nothing for events that no link of a campaign led to."""
        link = self.links.get(event.referral.link) if event.referral is not None else None
        return (link.campaign,) if link is not None and link.campaign else ()


def build_programme(
    source: Source, factory: MatcherFactory, *, tracked: Tracked | None = None, previous: Programme | None = None
) -> Programme:
    """Return the programme; what `previous` prepared from the same topics or campaigns is taken over."""
    campaigns = previous.campaigns if previous is not None else None
    if campaigns is None or campaigns.campaigns != source.campaigns:
        campaigns = CampaignIndex(source.campaigns, factory)
    topics = previous.topics if previous is not None else None
    if not source.topics:
        topics = None
    elif topics is None or topics.topics != source.topics:
        topics = TopicIndex(source.topics, factory)
    return Programme(
        campaigns=campaigns,
        topics=topics,
        links={link.link: link for link in source.links},
        tracked=tracked,
        attends=topics is not None or campaigns.takes or campaigns.hears or any(link.campaign for link in source.links),
    )
