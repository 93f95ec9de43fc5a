"""All partitions of the decisions, read by one guard; where to read on is kept with its counts, not in a consumer group."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from antiphon.kafka import DeadLetters, Guard, Open, Record, connection
from antiphon.settings import KafkaSettings
from antiphon.topics import DECISIONS
from rules.adapters.guard_codec import Heeded, decode

log = logging.getLogger(__name__)

_POLL_MS = 200
"""How long a poll may wait: far below the second between two looks."""

_MOST = 2_000
"""Records a poll: a fraction of a second of counting, so that looks and the lease come in time."""

_GROWN_SECONDS = 60.0
"""Between two looks whether the topic has been given more partitions."""


class KafkaReader:
    """Reads, and hands what can be read to the guard."""

    def __init__(
        self,
        settings: KafkaSettings,
        dead_letters: DeadLetters,
        open_records: Open,
        take: Callable[[Sequence[object]], Awaitable[None]],
    ) -> None:
        self._open = partial(
            AIOKafkaConsumer, **connection(settings), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._consumer: Any = None
        self._guard: Guard[Heeded] = Guard(decode=decode, process=take, dead_letters=dead_letters, open_records=open_records)
        self._positions: dict[int, int] = {}
        self._partitions: set[int] = set()
        self._grown = 0.0

    @property
    def positions(self) -> Mapping[int, int]:
        """Return each partition's next offset."""
        return self._positions

    async def start(self, next_offsets: Mapping[int, int]) -> None:
        """Begin where each partition is to be read on; one that is new from its first record."""
        self._consumer = self._open()
        while True:
            try:
                await self._consumer.start()
                break
            except KafkaError as error:
                log.warning("Kafka is not reachable, trying again: %s", error)
                await asyncio.sleep(1.0)
        self._positions = dict(next_offsets)
        await self._assign()

    async def step(self) -> bool:
        """Work on what has come within a moment; tell whether everything there is has been read."""
        if asyncio.get_running_loop().time() - self._grown > _GROWN_SECONDS:
            await self._assign()
        polled = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST)
        if not polled:
            return bool(self._partitions)
        await self._guard.handle([_record(message) for message in chain.from_iterable(polled.values())])
        for partition, messages in polled.items():
            self._positions[partition.partition] = messages[-1].offset + 1
        return all((self._consumer.highwater(one) or 0) <= self._positions[one.partition] for one in polled)

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _assign(self) -> None:
        self._grown = asyncio.get_running_loop().time()
        found = set(self._consumer.partitions_for_topic(DECISIONS) or await self._partitions_of(DECISIONS))
        if found == self._partitions:
            return
        self._partitions = found
        self._consumer.assign([TopicPartition(DECISIONS, number) for number in found])
        for number in found:
            partition = TopicPartition(DECISIONS, number)
            if number in self._positions:
                self._consumer.seek(partition, self._positions[number])
            else:
                await self._consumer.seek_to_beginning(partition)

    async def _partitions_of(self, topic: str) -> set[int]:
        return set((await self._consumer._client.fetch_all_metadata()).partitions_for_topic(topic) or ())  # noqa: SLF001


def _record(message: Any) -> Record:
    return Record(message.topic, message.partition, message.offset, message.key, message.value or b"", message.headers)
