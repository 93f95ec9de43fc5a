"""Saved changes → the configuration topic: at once when it answers, else by a sweep; the topic is checked against the store."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from antiphon.config_feed import Change
from antiphon.errors import Transient
from antiphon.kafka import event_headers, stop_producer
from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import ConfigRecord
from rules.adapters.documents import Stored
from rules.adapters.mongo import MongoConfigStore
from rules.adapters.records import encode
from rules.adapters.telemetry import ApiMetrics
from rules.entities import KINDS, Entity, Rule
from rules.settings import RulesSettings

log = logging.getLogger(__name__)

_STOP_SECONDS = 3.0
"""For what a producer has left to send when it stops; what it does not get rid of is still flagged."""

_DELIVER_TRIES = 10
"""Of an entity that changes while it is published; the sweep takes over where this ends."""


class KafkaOutbox:
    """Delivers entities. Publishing one twice, or an old state before a new one, is harmless; the newest state is always last."""

    def __init__(
        self,
        *,
        store: MongoConfigStore,
        producer: Callable[[], AIOKafkaProducer],
        settings: RulesSettings,
        metrics: ApiMetrics,
        applied: Callable[[Sequence[Change]], None],
    ) -> None:
        self._store = store
        self._build_producer = producer
        self._settings = settings
        self._metrics = metrics
        self._applied = applied
        self._producer: AIOKafkaProducer | None = None
        self._in_flight: set[str] = set()
        self._on_topic: dict[str, int] = {}
        self._suspects: set[str] = set()
        self._away = True
        self._probe = ""

    async def run(self, topic_read: Callable[[], Any]) -> None:
        """Deliver what waits until cancelled; once `topic_read` returns, what the topic has wrong as well."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._check_topic(topic_read))
                group.create_task(self.sweep_for_ever())
        finally:
            await self.close()

    async def connect(self) -> None:
        """Connect to the cluster unless connected. Raises KafkaError."""
        if self._producer is not None:
            return
        producer = self._build_producer()
        starting = asyncio.ensure_future(producer.start())
        try:
            await asyncio.shield(starting)  # cut short, it would leave its first connection open
        except BaseException:
            with contextlib.suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await starting
            await stop_producer(producer, _STOP_SECONDS)
            raise
        self._producer, self._away = producer, False

    async def close(self) -> None:
        """Disconnect."""
        producer, self._producer, self._away = self._producer, None, True
        if producer is not None:
            await stop_producer(producer, _STOP_SECONDS)

    def observe(self, changes: Sequence[Change]) -> None:
        """Compare what appears on the topic with what it held: an older state that comes last must not stay last."""
        for change in changes:
            generation = change.record.generation if change.record else 0
            if generation < self._on_topic.get(change.key, 0):
                self._suspects.add(change.key)
            self._on_topic[change.key] = generation

    async def deliver(self, entity: Entity) -> int | None:
        """Publish the stored state of the entity; return its offset, or None when a sweep will do it."""
        self._in_flight.add(entity.key)
        try:
            return await self._deliver(entity)
        except Transient as error:
            log.warning("a change is saved and will be delivered later: %s", error)
            return None
        finally:
            self._in_flight.discard(entity.key)

    async def sweep(self) -> None:
        """Deliver everything that waits. Raises Transient, KafkaError."""
        waiting = await self._store.undelivered()
        self._metrics.pending(len(waiting))
        await self.connect()
        for entity in waiting:
            if entity.key in self._in_flight:
                continue
            self._probe = entity.key
            if not await self._deliver_waiting(entity):
                return
        self._away = False  # nothing waits: the next change finds out
        await self._repair()

    async def sweep_for_ever(self) -> None:
        """Deliver what waits until cancelled. Without this a cluster that was away once is never asked again."""
        while True:
            try:
                await self.sweep()
            except (Transient, KafkaError, OSError) as error:
                log.warning("changes wait to be delivered: %s", error)
            await asyncio.sleep(self._settings.rules_sweep_seconds)

    async def _deliver_waiting(self, entity: Entity) -> bool:
        """Deliver one of those that wait; False when the cluster is away, so that the others need not be tried."""
        try:
            revision = await self.deliver(entity)
        except Exception:
            # One entity that cannot be delivered must not keep the others back; it stays flagged and counted.
            log.exception("%s cannot be delivered", entity.key)
            return True
        return revision is not None or not self._away

    async def _deliver(self, entity: Entity) -> int | None:
        for _ in range(_DELIVER_TRIES):
            stored = await self._store.stored(entity.kind, entity.brand, entity.name_in_brand)
            if stored is None:
                return None
            await self._store.settle(stored)
            revision = await self._publish(stored)
            newest = await self._store.settled(stored.entity, published=revision is not None)
            if revision is None or newest:
                return revision
            # It changed meanwhile, and whoever changed it may have published before us: the newest must come last.
        return None

    async def _publish(self, stored: Stored) -> int | None:
        record = encode(stored.entity, await self._active_document(stored.entity))
        revision = await self._send(stored.entity, record)
        if revision is not None:
            self._metrics.published(stored.entity.kind)
            self._applied([Change(revision, stored.entity.key, record)])
        return revision

    async def _active_document(self, entity: Entity) -> bytes:
        if not isinstance(entity, Rule) or entity.state != "active":
            return b""
        version = entity.active_version
        found = await self._store.versions(entity.brand, entity.rule_id, version + 1, 1)
        if not found or found[0].version != version:
            raise RuntimeError(f"version {version} of {entity.key} is missing from the store")
        return found[0].document

    async def _send(self, entity: Entity, record: ConfigRecord) -> int | None:
        if self._producer is None or (self._away and entity.key != self._probe):
            return None  # no request waits for a cluster that is known to be away; the sweep finds out when it is back
        moment = entity.changed_time.isoformat()
        headers = event_headers(ConfigRecord.DESCRIPTOR.full_name, f"{entity.key}@{entity.generation}", "rules", moment)
        sending = self._producer.send_and_wait(CONFIG, record.SerializeToString(), key=entity.key.encode(), headers=headers)
        try:
            async with asyncio.timeout(
                self._settings.rules_publish_timeout_seconds
            ):  # Python 3.11's `wait_for` may lose a cancellation
                metadata = await sending
        except TimeoutError:
            self._away = True
        except MessageSizeTooLargeError as error:
            log.error("%s cannot be published: %s", entity.key, error)  # noqa: TRY400 (the message says it all)
        except KafkaError as error:
            log.warning("the configuration topic refused a record: %s", error)
            await self.close()  # after such an error only a fresh producer is sure of its sequence
        else:
            self._away = False
            return int(metadata.offset)
        return None

    async def _check_topic(self, topic_read: Callable[[], Any]) -> None:
        """Find what the topic lost or has in an older state, as after a restore of either side."""
        await topic_read()
        while True:
            try:
                async for key, generation in self._store.generations():
                    if self._on_topic.get(key) != generation:
                        self._suspects.add(key)
            except Transient as error:
                log.warning("the topic could not be checked, trying again: %s", error)
                await asyncio.sleep(self._settings.rules_sweep_seconds)
            else:
                return

    async def _repair(self) -> None:
        for key in sorted(self._suspects):
            kind, brand, name = key.split("/", 2)
            known = next((known for known in KINDS if known == kind), None)
            stored = await self._store.stored(known, brand, name) if known else None
            if stored is not None and self._on_topic.get(key) != stored.entity.generation:
                if not await self._deliver_waiting(stored.entity):
                    return
                self._metrics.repaired()
            self._suspects.discard(key)
