"""The configuration in force: records from the topic in, one immutable snapshot out, built off the hot path."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from antiphon import process
from antiphon.config_feed import Change
from rules.adapters.config_records import ConfigRecords
from rules.adapters.matching import build_matcher
from rules.domain.matching.index import Snapshot, build_snapshot, merge_snapshot
from rules.domain.model import BrandSettings, Rule
from rules.domain.programme import Programme, Source, Tracked, build_programme

log = logging.getLogger(__name__)

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
        self._records = ConfigRecords()
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
                self._records.take(change)
            except Exception as error:  # noqa: BLE001 (one rule that this release cannot read must not stop the others)
                log.error("configuration record %s refused: %s", change.key, error)  # noqa: TRY400
                self._refused()
        self._built.clear()
        self._changed.set()

    async def wait_built(self) -> None:
        """Return once a snapshot holds everything applied so far."""
        await self._built.wait()

    async def newer(self, known: Snapshot) -> Snapshot:
        """Return the newest configuration once it is another one than `known`."""
        while self._snapshot is known:
            await self._swapped.wait()
        return self._snapshot

    async def run(self, complete: Callable[[], Awaitable[None]]) -> None:
        """Rebuild after each burst of changes, in a thread, and swap; merge beside that; until cancelled.

        Begins when `complete` returns: once all that was in force has been applied it is built as one tier, not bit by bit.
        """
        await complete()
        self._changed.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._merge())

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            await self._rebuild()
            log.info("configuration in force", extra={"count": len(self._records.rules), "offset": self._snapshot.revision})

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
            rules = self._records.rules
            self._snapshot = await asyncio.to_thread(
                self._build,
                self._revision,
                self._records.brand_settings(),
                rules,
                self._records.accounts,
                self._records.sources(),
                previous or self._snapshot,
            )
            if len(rules) - self._kept > _KEPT_AFTER:
                process.keep_what_exists()
                self._kept = len(rules)
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


_NO_SOURCE = Source()
