"""The configuration in force: records from the topic in, one immutable snapshot out, built off the hot path."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig, ChannelConfig, ConfigRecord, HoldConfig, RuleConfig, SegmentConfig
from antiphon.v1.decision_pb2 import Mode as ModeNumber
from antiphon.v1.event_pb2 import Platform
from rules.adapters.matching import build_matcher
from rules.adapters.schema.document import to_rule
from rules.domain.decision import Mode
from rules.domain.holding import Hold
from rules.domain.matching.index import Snapshot, build_snapshot, merge_snapshot
from rules.domain.model import BrandSettings, FlagTerms, RemoteModel, Rule

log = logging.getLogger(__name__)

QUIET_SECONDS = 30.0
"""Without a change for so long, what has changed becomes one with the rest: half a second's work at 10,000 rules, during which
a change would wait."""


class ConfigurationInForce:
    """Applies configuration changes and swaps in a new snapshot for each burst of them.

    `refused` is called for each record that this release cannot read.
    """

    def __init__(self, refused: Callable[[], None]) -> None:
        self._refused = refused
        self._generations: dict[str, int] = {}
        self._brands: dict[str, BrandConfig] = {}
        self._rules: dict[str, Rule] = {}
        self._channels: dict[str, ChannelConfig] = {}
        self._segments: dict[str, SegmentConfig] = {}
        self._holds: dict[str, HoldConfig] = {}
        self._revision = -1
        self._changed = asyncio.Event()
        self._built = asyncio.Event()
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
            for entities in (self._brands, self._rules, self._channels, self._segments, self._holds):
                entities.pop(change.key, None)
            return
        if record.generation < self._generations.get(change.key, 0):
            return  # two replicas of the API published out of order
        self._generations[change.key] = record.generation
        self._take(change.key, record)

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
            case _:
                pass

    def _take_rule(self, key: str, rule: RuleConfig) -> None:
        if rule.active:
            self._rules[key] = to_rule(rule.brand, rule.version, rule.document)
        else:
            self._rules.pop(key, None)

    def _take_hold(self, key: str, hold: HoldConfig) -> None:
        if hold.active and not hold.notice_only:
            self._holds[key] = hold
        else:
            self._holds.pop(key, None)

    async def wait_built(self) -> None:
        """Return once a snapshot holds everything applied so far."""
        await self._built.wait()

    async def run(self) -> None:
        """Rebuild after each burst of changes and tidy up when none came for a while, in a thread, and swap; until cancelled."""
        while True:
            if not await self._changes_came():
                self._snapshot = await asyncio.to_thread(merge_snapshot, self._snapshot, build_matcher)
                await self._changed.wait()
            self._changed.clear()
            revision = self._revision
            self._snapshot = await asyncio.to_thread(
                build_snapshot,
                revision,
                self._brand_settings(),
                list(self._rules.values()),
                [_account(channel) for channel in self._channels.values() if not channel.deleted],
                build_matcher,
                self._snapshot,
            )
            if not self._changed.is_set():
                self._built.set()
            log.info("configuration in force", extra={"count": len(self._rules), "offset": revision})

    async def _changes_came(self) -> bool:
        try:
            await asyncio.wait_for(self._changed.wait(), QUIET_SECONDS)
        except TimeoutError:
            return False
        return True

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
