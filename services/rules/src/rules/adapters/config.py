"""The configuration in force: records from the topic in, one immutable snapshot out, built off the hot path."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from antiphon import process
from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig, ChannelConfig, ConfigRecord, RuleConfig, SegmentConfig
from antiphon.v1.decision_pb2 import Mode as ModeNumber
from antiphon.v1.event_pb2 import Platform
from rules.adapters.matching import build_matcher
from rules.adapters.schema.document import to_rule
from rules.domain.decision import Mode
from rules.domain.matching.index import Snapshot, build_snapshot, merge_snapshot
from rules.domain.model import BrandSettings, FlagTerms, RemoteModel, Rule

log = logging.getLogger(__name__)

QUIET_SECONDS = 30.0
"""Without a change for so long, what has changed becomes one with the rest: a second's work at 10,000 rules, which slows what
goes on beside it."""

_KEPT_AFTER = 2_000
"""New rules after which the collector is told to leave them alone: walking through 10,000 again and again stops everything for
half a second each time, and they have no cycles that it could free."""


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
            for entities in (self._brands, self._rules, self._channels, self._segments):
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
            case "rule":
                self._take_rule(key, record.rule)
            case _:
                pass

    def _take_rule(self, key: str, rule: RuleConfig) -> None:
        if rule.active:
            self._rules[key] = to_rule(rule.brand, rule.version, rule.document)
        else:
            self._rules.pop(key, None)

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
                build_snapshot,
                self._revision,
                self._brand_settings(),
                list(self._rules.values()),
                [_account(channel) for channel in self._channels.values() if not channel.deleted],
                build_matcher,
                previous or self._snapshot,
            )
            if len(self._rules) - self._kept > _KEPT_AFTER:
                process.keep_what_exists()
                self._kept = len(self._rules)
            if not self._changed.is_set():
                self._built.set()
            self._swapped.set()
            self._swapped = asyncio.Event()

    def _brand_settings(self) -> list[BrandSettings]:
        segments: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        for segment in self._segments.values():
            if not segment.deleted:
                segments[segment.brand][segment.segment] = frozenset(segment.authors)
        return [_settings(brand, segments[brand.brand]) for brand in self._brands.values() if not brand.deleted]


def _settings(brand: BrandConfig, segments: Mapping[str, frozenset[str]]) -> BrandSettings:
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
        remote=RemoteModel(remote.url, remote.timeout_ms / 1000, remote.sealed_token.decode()) if remote.url else None,
    )


def _account(channel: ChannelConfig) -> tuple[str, str]:
    return Platform.Name(channel.platform).removeprefix("PLATFORM_").lower(), channel.account
