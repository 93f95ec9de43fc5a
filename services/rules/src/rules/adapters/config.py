"""The configuration in force: records from the topic in, one immutable snapshot out, built off the hot path."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from antiphon import process
from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import (
    BrandConfig,
    CampaignConfig,
    ChannelConfig,
    ConfigRecord,
    HoldConfig,
    LinkConfig,
    RuleConfig,
    SegmentConfig,
    TopicConfig,
)
from antiphon.v1.decision_pb2 import Mode as ModeNumber
from antiphon.v1.event_pb2 import Platform
from rules.adapters.matching import build_matcher
from rules.adapters.programmes import to_campaign, to_link, to_topic
from rules.adapters.schema.document import to_rule
from rules.domain.campaign import Campaign, Topic
from rules.domain.decision import Mode
from rules.domain.holding import Hold
from rules.domain.matching.index import Snapshot, build_snapshot, merge_snapshot
from rules.domain.model import BrandSettings, FlagTerms, RemoteModel, Rule
from rules.domain.programme import Link, Programme, Source, Tracked, build_programme

log = logging.getLogger(__name__)

T = TypeVar("T")

QUIET_SECONDS = 30.0
"""Without a change for so long, what has changed becomes one with the rest: a second's work at 10,000 rules, which slows what
goes on beside it."""

_KEPT_AFTER = 2_000
"""New rules after which the collector is told to leave them alone: walking through 10,000 again and again stops everything for
half a second each time, and they have no cycles that it could free."""


class ConfigurationInForce:
    """Applies configuration changes and swaps in a new snapshot for each burst of them.

    `refused` is called for each record that this release cannot read; `tracked` makes the URLs of tracked links (None: they
    are posted as they lead).
    """

    def __init__(self, refused: Callable[[], None], tracked: Tracked | None = None) -> None:
        self._refused = refused
        self._tracked = tracked
        self._generations: dict[str, int] = {}
        self._brands: dict[str, BrandConfig] = {}
        self._rules: dict[str, Rule] = {}
        self._channels: dict[str, ChannelConfig] = {}
        self._segments: dict[str, SegmentConfig] = {}
        self._topics: dict[str, tuple[str, Topic]] = {}
        self._campaigns: dict[str, tuple[str, Campaign]] = {}
        self._links: dict[str, tuple[str, Link]] = {}
        """By record key: the brand, and what is in force of it."""
        self._holds: dict[str, HoldConfig] = {}
        self._revision = -1
        self._changed = asyncio.Event()
        self._built = asyncio.Event()
        self._swapped = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._kept = 0
        self._snapshot = build_snapshot(-1, [], [], [], build_matcher)

    @property
    def snapshot(self) -> Snapshot:
        """Return the newest complete configuration."""
        return self._snapshot

    def apply(self, changes: Sequence[Change]) -> None:
        """Take changes in the order of their revisions; they are in force once the next snapshot is built."""
        for change in changes:
            self._revision = change.revision
            try:
                self._apply(change)
            except Exception as error:  # noqa: BLE001 (one rule that this release cannot read must not stop the others)
                log.error("configuration record %s refused: %s", change.key, error)  # noqa: TRY400
                self._refused()
        self._built.clear()
        self._changed.set()

    def _apply(self, change: Change) -> None:
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
                self._brands[key] = record.brand
            case "channel":
                self._channels[key] = record.channel
            case "segment":
                self._segments[key] = record.segment
            case "hold":
                self._take_hold(key, record.hold)
            case "rule":
                self._take_rule(key, record.rule)
            case "topic":
                self._take_topic(key, record.topic)
            case "link":
                self._take_link(key, record.link)
            case "campaign":
                self._take_campaign(key, record.campaign)
            case _:
                pass

    def _take_rule(self, key: str, rule: RuleConfig) -> None:
        if rule.active:
            self._rules[key] = to_rule(rule.brand, rule.version, rule.document)
        else:
            self._rules.pop(key, None)

    def _take_topic(self, key: str, topic: TopicConfig) -> None:
        if topic.deleted:
            self._topics.pop(key, None)
        else:
            self._topics[key] = topic.brand, to_topic(topic)

    def _take_link(self, key: str, link: LinkConfig) -> None:
        if link.deleted:
            self._links.pop(key, None)
        else:
            self._links[key] = link.brand, to_link(link)

    def _take_campaign(self, key: str, campaign: CampaignConfig) -> None:
        if campaign.deleted:
            self._campaigns.pop(key, None)
        else:
            self._campaigns[key] = campaign.brand, to_campaign(campaign)

    def _take_hold(self, key: str, hold: HoldConfig) -> None:
        if hold.active and not hold.notice_only:
            self._holds[key] = hold
        else:
            self._holds.pop(key, None)

    async def wait_built(self) -> None:
        """Return once a snapshot holds everything applied so far."""
        await self._built.wait()

    async def newer(self, known: Snapshot) -> Snapshot:
        """Return the newest configuration once it is another one than `known`."""
        while self._snapshot is known:
            await self._swapped.wait()
        return self._snapshot

    async def run(self) -> None:
        """Rebuild after each burst of changes, in a thread, and swap; merge beside that; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._merge())

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            await self._rebuild()
            log.info("configuration in force", extra={"count": len(self._rules), "offset": self._snapshot.revision})

    async def _merge(self) -> None:
        """Make one tier of two when a brand has changed much, or nothing changes for a while; changes do not wait for it."""
        while True:
            snapshot = self._snapshot
            if snapshot.is_overgrown or not await self._changes_from(snapshot):
                merged = await asyncio.to_thread(merge_snapshot, snapshot, build_matcher)
                if merged is not snapshot:
                    await self._rebuild(merged)
                else:
                    await self.newer(snapshot)

    async def _changes_from(self, snapshot: Snapshot) -> bool:
        try:
            async with asyncio.timeout(QUIET_SECONDS):  # `wait_for` may swallow a cancellation that comes with a change
                await self.newer(snapshot)
        except TimeoutError:
            return False
        return True

    async def _rebuild(self, previous: Snapshot | None = None) -> None:
        """Swap in what is in force now, built on `previous` (None: on the snapshot before)."""
        async with self._one_at_a_time:
            self._changed.clear()
            self._snapshot = await asyncio.to_thread(
                self._build,
                self._revision,
                self._brand_settings(),
                list(self._rules.values()),
                [_account(channel) for channel in self._channels.values() if not channel.deleted],
                self._sources(),
                previous or self._snapshot,
            )
            if len(self._rules) - self._kept > _KEPT_AFTER:
                process.keep_what_exists()
                self._kept = len(self._rules)
            if not self._changed.is_set():
                self._built.set()
            self._swapped.set()
            self._swapped = asyncio.Event()

    def _build(
        self,
        revision: int,
        brands: Sequence[BrandSettings],
        rules: Sequence[Rule],
        accounts: Sequence[tuple[str, str]],
        sources: Mapping[str, Source],
        previous: Snapshot,
    ) -> Snapshot:
        def programme(brand: str) -> Programme:
            before = previous.brands.get(brand)
            source = sources.get(brand, _NO_SOURCE)
            return build_programme(
                source, build_matcher, tracked=self._tracked, previous=before.programme if before is not None else None
            )

        programmes = {settings.brand: programme(settings.brand) for settings in brands}
        return build_snapshot(revision, brands, rules, accounts, build_matcher, previous, programmes)

    def _sources(self) -> Mapping[str, Source]:
        """Return what each brand runs beside its rules, in the order of ids, so that what has not changed is equal."""
        topics, campaigns, links = _by_brand(self._topics), _by_brand(self._campaigns), _by_brand(self._links)
        return {
            brand: Source(tuple(topics.get(brand, ())), tuple(campaigns.get(brand, ())), tuple(links.get(brand, ())))
            for brand in {*topics, *campaigns, *links}
        }

    def _brand_settings(self) -> list[BrandSettings]:
        segments: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        for segment in self._segments.values():
            if not segment.deleted:
                segments[segment.brand][segment.segment] = frozenset(segment.authors)
        holds: defaultdict[str, list[Hold]] = defaultdict(list)
        for hold in self._holds.values():
            holds[hold.brand].append(_hold(hold))
        return [
            _settings(brand, segments[brand.brand], tuple(holds[brand.brand]))
            for brand in self._brands.values()
            if not brand.deleted
        ]


_NO_SOURCE = Source()


def _by_brand(found: Mapping[str, tuple[str, T]]) -> Mapping[str, list[T]]:
    grouped: defaultdict[str, list[T]] = defaultdict(list)
    for _, (brand, value) in sorted(found.items(), key=itemgetter(0)):
        grouped[brand].append(value)
    return grouped


def _hold(hold: HoldConfig) -> Hold:
    return Hold(
        hold=hold.hold,
        mode=Mode.SHADOW if hold.mode == ModeNumber.MODE_SHADOW else Mode.APPROVAL,
        platform=Platform.Name(hold.platform).removeprefix("PLATFORM_").lower() if hold.platform else "",
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


def _account(channel: ChannelConfig) -> tuple[str, str]:
    return Platform.Name(channel.platform).removeprefix("PLATFORM_").lower(), channel.account
