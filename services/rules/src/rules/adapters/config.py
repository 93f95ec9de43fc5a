"""The configuration in force: records from the topic in, one immutable snapshot out, built off the hot path."""

import asyncio
import logging
from collections.abc import Sequence

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig, ChannelConfig, ConfigRecord, RuleConfig
from antiphon.v1.decision_pb2 import Mode as ModeNumber
from antiphon.v1.event_pb2 import Platform
from rules.adapters.matching import build_matcher
from rules.adapters.schema import to_rule
from rules.domain.decision import Mode
from rules.domain.index import Snapshot, build_snapshot
from rules.domain.model import BrandSettings, Rule

log = logging.getLogger(__name__)


class ConfigurationInForce:
    """Applies configuration changes and swaps in a new snapshot for each burst of them."""

    def __init__(self) -> None:
        self._generations: dict[str, int] = {}
        self._brands: dict[str, BrandConfig] = {}
        self._rules: dict[str, Rule] = {}
        self._channels: dict[str, ChannelConfig] = {}
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
        self._built.clear()
        self._changed.set()

    def _apply(self, change: Change) -> None:
        record = change.record
        if record is None:
            for entities in (self._brands, self._rules, self._channels):
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

    async def run(self) -> None:
        """Rebuild after each burst of changes, in a thread, and swap; until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            revision = self._revision
            self._snapshot = await asyncio.to_thread(
                build_snapshot,
                revision,
                [_settings(brand) for brand in self._brands.values() if not brand.deleted],
                list(self._rules.values()),
                [_account(channel) for channel in self._channels.values() if not channel.deleted],
                build_matcher,
                self._snapshot,
            )
            if not self._changed.is_set():
                self._built.set()
            log.info("configuration in force", extra={"count": len(self._rules), "offset": revision})


def _settings(brand: BrandConfig) -> BrandSettings:
    return BrandSettings(
        brand=brand.brand,
        mode=Mode[ModeNumber.Name(brand.mode).removeprefix("MODE_")],
        held=brand.held,
        blocked=frozenset(brand.blocked_authors),
        opted_out=frozenset(brand.opted_out_authors),
        held_reason=brand.held_reason,
    )


def _account(channel: ChannelConfig) -> tuple[str, str]:
    return Platform.Name(channel.platform).removeprefix("PLATFORM_").lower(), channel.account
