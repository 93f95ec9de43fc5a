"""Follows `rules.config.v1`: the whole of it first, then every change, to whoever applies it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from google.protobuf.message import DecodeError

from antiphon.kafka import connection
from antiphon.settings import KafkaSettings
from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import ConfigRecord

log = logging.getLogger(__name__)

_POLL_MS = 50
"""A change is live after at most one poll; an idle poll costs next to nothing because the broker holds it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One configuration record; `record` is None where the entity was removed. `revision` is the record's offset."""

    revision: int
    key: str
    record: ConfigRecord | None


Follower = Callable[[Sequence[Change]], None]
"""Applies changes, in the order of their revisions."""


class ConfigFeed:
    """Reads the compacted topic without a group, so that every process sees all of it, and tells its followers in turn."""

    def __init__(self, settings: KafkaSettings, *followers: Follower) -> None:
        self._settings = settings
        self._followers = list(followers)
        self._complete = asyncio.Event()
        self.unreadable = 0
        self.revision = -1

    def add_follower(self, follower: Follower) -> None:
        """Tell one more, after the others; before `run`, so that it hears everything."""
        self._followers.append(follower)

    @property
    def complete(self) -> bool:
        """Whether everything that was in force at the start has been applied."""
        return self._complete.is_set()

    async def wait_complete(self) -> None:
        """Return once everything that was in force at the start has been applied."""
        await self._complete.wait()

    async def run(self) -> None:
        """Follow until cancelled; an unreachable cluster is waited for."""
        while True:
            try:
                await self._follow()
            except KafkaError as error:
                log.warning("the configuration topic is not reachable, trying again: %s", error)
                await asyncio.sleep(0.5)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            **connection(self._settings),
            group_id=None,
            enable_auto_commit=False,
            fetch_max_wait_ms=_POLL_MS,
            auto_offset_reset="earliest",  # a topic that was made anew is read whole again
        )
        partition = TopicPartition(CONFIG, 0)
        try:
            await consumer.start()
            consumer.assign([partition])
            consumer.seek(partition, self.revision + 1)
            end = (await consumer.end_offsets([partition]))[partition]
            while True:
                if not self.complete and await consumer.position(partition) >= end:
                    self._complete.set()
                polled = await consumer.getmany(partition, timeout_ms=_POLL_MS)
                if messages := polled.get(partition):
                    self._hand_over([(m.offset, m.key, m.value) for m in messages])
        finally:
            await consumer.stop()

    def _hand_over(self, messages: Sequence[tuple[int, bytes | None, bytes | None]]) -> None:
        changes = [change for offset, key, value in messages if (change := self._decode(offset, key, value))]
        for follower in self._followers:
            follower(changes)
        self.revision = messages[-1][0]

    def _decode(self, offset: int, key: bytes | None, value: bytes | None) -> Change | None:
        try:
            return Change(offset, (key or b"").decode(), ConfigRecord.FromString(value) if value else None)
        except (DecodeError, UnicodeDecodeError) as error:
            # Left where it is: the topic keeps it, and one bad record must not take the configuration down.
            self.unreadable += 1
            log.error("unreadable configuration record skipped: %s", error, extra={"topic": CONFIG, "offset": offset})  # noqa: TRY400
            return None
