"""Configuration records, the newest of each entity, as the domain reads them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig, ChannelConfig, ConfigRecord, HoldConfig, SegmentConfig
from antiphon.v1.decision_pb2 import Mode as ModeNumber
from antiphon.v1.event_pb2 import Platform
from rules.adapters.programmes import to_campaign, to_link, to_topic
from rules.adapters.schema.document import to_rule
from rules.domain.campaign import Campaign, Topic
from rules.domain.decision import Mode
from rules.domain.holding import Hold
from rules.domain.model import BrandSettings, FlagTerms, RemoteModel, Rule
from rules.domain.programme import Link, Source

T = TypeVar("T")


class ConfigRecords:
    """What is in force of each entity, by record key; deleted ones and rules that do not act are not among it."""

    def __init__(self) -> None:
        self._generations: dict[str, int] = {}
        self._brands: dict[str, BrandConfig] = {}
        self._rules: dict[str, Rule] = {}
        self._channels: dict[str, ChannelConfig] = {}
        self._segments: dict[str, SegmentConfig] = {}
        self._holds: dict[str, HoldConfig] = {}
        self._topics: dict[str, tuple[str, Topic]] = {}
        self._campaigns: dict[str, tuple[str, Campaign]] = {}
        self._links: dict[str, tuple[str, Link]] = {}
        """The last three with the brand, which what is in force of them does not name."""

    def take(self, change: Change) -> None:
        """Take a change. Raises ValueError, or whatever it fails with, for a record that this release cannot read."""
        record = change.record
        if record is None:
            for entities in self._all():
                entities.pop(change.key, None)
            return
        if record.generation < self._generations.get(change.key, 0):
            return  # two replicas of the API published out of order
        self._generations[change.key] = record.generation
        self._take(change.key, record)

    def _all(self) -> Sequence[dict[str, Any]]:
        return (
            self._brands,
            self._rules,
            self._channels,
            self._segments,
            self._holds,
            self._topics,
            self._campaigns,
            self._links,
        )

    def _take(self, key: str, record: ConfigRecord) -> None:
        match record.WhichOneof("entity"):
            case "brand":
                brand = record.brand
                _keep(self._brands, key, None if brand.deleted else brand)
            case "channel":
                channel = record.channel
                _keep(self._channels, key, None if channel.deleted else channel)
            case "segment":
                segment = record.segment
                _keep(self._segments, key, None if segment.deleted else segment)
            case "hold":
                hold = record.hold
                _keep(self._holds, key, hold if hold.active and not hold.notice_only else None)
            case "rule":
                rule = record.rule
                _keep(self._rules, key, to_rule(rule.brand, rule.version, rule.document) if rule.active else None)
            case "topic":
                topic = record.topic
                _keep(self._topics, key, None if topic.deleted else (topic.brand, to_topic(topic)))
            case "link":
                link = record.link
                _keep(self._links, key, None if link.deleted else (link.brand, to_link(link)))
            case "campaign":
                campaign = record.campaign
                _keep(self._campaigns, key, None if campaign.deleted else (campaign.brand, to_campaign(campaign)))
            case _:
                pass

    @property
    def rules(self) -> Sequence[Rule]:
        """Return the active rules."""
        return list(self._rules.values())

    @property
    def accounts(self) -> Sequence[tuple[str, str]]:
        """Return the brands' own accounts: platform, id."""
        return [(_platform(channel.platform), channel.account) for channel in self._channels.values()]

    def sources(self) -> Mapping[str, Source]:
        """Return what each brand runs beside its rules, in the order of ids, so that what has not changed is equal."""
        topics, campaigns, links = _by_brand(self._topics), _by_brand(self._campaigns), _by_brand(self._links)
        return {
            brand: Source(tuple(topics.get(brand, ())), tuple(campaigns.get(brand, ())), tuple(links.get(brand, ())))
            for brand in {*topics, *campaigns, *links}
        }

    def brand_settings(self) -> Sequence[BrandSettings]:
        """Return the brands' settings, with their segments and holds."""
        segments: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        for segment in self._segments.values():
            segments[segment.brand][segment.segment] = frozenset(segment.authors)
        holds: defaultdict[str, list[Hold]] = defaultdict(list)
        for hold in self._holds.values():
            holds[hold.brand].append(_hold(hold))
        return [_settings(brand, segments[brand.brand], tuple(holds[brand.brand])) for brand in self._brands.values()]


def _keep(entities: dict[str, T], key: str, value: T | None) -> None:
    """Keep what is in force now; None: nothing is."""
    if value is None:
        entities.pop(key, None)
    else:
        entities[key] = value


def _by_brand(found: Mapping[str, tuple[str, T]]) -> Mapping[str, list[T]]:
    grouped: defaultdict[str, list[T]] = defaultdict(list)
    for _, (brand, value) in sorted(found.items(), key=itemgetter(0)):
        grouped[brand].append(value)
    return grouped


def _hold(hold: HoldConfig) -> Hold:
    return Hold(
        hold=hold.hold,
        mode=Mode.SHADOW if hold.mode == ModeNumber.MODE_SHADOW else Mode.APPROVAL,
        platform=_platform(hold.platform) if hold.platform else "",
        campaign=hold.campaign,
        topic=hold.topic,
        rule_id=hold.rule_id,
    )


def _settings(brand: BrandConfig, segments: Mapping[str, frozenset[str]], holds: tuple[Hold, ...]) -> BrandSettings:
    remote = brand.understanding
    return BrandSettings(
        brand=brand.brand,
        mode=Mode[ModeNumber.Name(brand.mode).removeprefix("MODE_")],
        held=brand.held,
        blocked=frozenset(brand.blocked_authors),
        opted_out=frozenset(brand.opted_out_authors),
        held_reason=brand.held_reason,
        languages=tuple(brand.languages),
        disclosures=dict(brand.disclosures),
        segments=segments,
        flag_terms=tuple(FlagTerms(own.flag, own.language, tuple(own.terms)) for own in brand.flag_terms),
        holds=holds,
        remote=RemoteModel(remote.url, remote.timeout_ms / 1000, remote.sealed_token.decode()) if remote.url else None,
    )


def _platform(number: Platform.ValueType) -> str:
    return Platform.Name(number).removeprefix("PLATFORM_").lower()
