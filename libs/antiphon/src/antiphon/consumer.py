"""The consume loop: batches in, guard, commit. Its own partitions' offsets are committed after success, never before.

While a batch is processed, which is mostly waiting for a store, the next one is fetched, opened and decoded.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from antiphon.kafka import Batch, Guard, Record, connection, stop_within
from antiphon.settings import KafkaSettings

log = logging.getLogger(__name__)

Offsets = dict[TopicPartition, int]

MAX_BATCH = 500
"""Records a poll: enough that a batch write pays, few enough that a crash repeats little."""

_POLL_MS = 200
"""How long a poll may wait; also the longest that a stop waits."""

_LEAVE_SECONDS = 5.0
"""For leaving the group at a stop; whoever is gone longer than a session is left out by the broker."""

_MAX_POLL_INTERVAL_MS = 3_600_000
"""The guard retries in place for as long as a dependency is away; the group must not take that for death."""


class GuardedConsumer:
    """Reads topics in one group and hands batches to a guard."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        topics: Sequence[str],
        group: str,
        guard: Guard[Any],
        max_batch: int = MAX_BATCH,
        committed: Callable[[], None] = lambda: None,
        rebalanced: Callable[[], None] = lambda: None,
    ) -> None:
        self._topics = topics
        self._guard = guard
        self._max_batch = max_batch
        self._committed = committed
        self._rebalanced = rebalanced
        self._in_hand = 0
        self._open = partial(
            AIOKafkaConsumer,
            **connection(settings),
            group_id=group,
            group_instance_id=settings.kafka_group_instance_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=settings.kafka_session_timeout_ms,
            heartbeat_interval_ms=settings.kafka_session_timeout_ms // 10,
            max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
        )
        self._consumer: Any = None

    @property
    def assigned(self) -> bool:
        """Whether the group has given this member its partitions."""
        return self._consumer is not None and bool(self._consumer.assignment())

    async def lag(self) -> int:
        """Return the number of records not yet processed on the assigned partitions, those in hand included."""
        if not self.assigned:
            return 0
        partitions = list(self._consumer.assignment())
        ends = await self._consumer.end_offsets(partitions)
        behind: int = sum([max(0, ends[p] - await self._consumer.position(p)) for p in partitions])
        return behind + self._in_hand

    async def run(self) -> None:
        """Consume until cancelled. Raises TooManyDeadLetters, or KafkaError when the cluster refuses for good."""
        self._consumer = self._open()
        try:
            self._consumer.subscribe(list(self._topics), listener=_Rebalances(self._rebalanced))
            await self._start()
            await self._flow()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Leave the group; while it waits for a dead member, leaving would wait for the end of that one's session, too."""
        parts = (self._consumer._fetcher, self._consumer._client)  # noqa: SLF001 (its own stop is what hangs)
        if why := await stop_within(_LEAVE_SECONDS, self._consumer.stop(), parts):
            log.warning("the group is left without a word: %s", why)

    async def _start(self) -> None:
        while True:
            try:
                await self._consumer.start()
            except KafkaError as error:
                log.warning("Kafka is not reachable, trying again: %s", error)
                await asyncio.sleep(1.0)
            else:
                return

    async def _flow(self) -> None:
        ahead = asyncio.ensure_future(self._next())
        try:
            while True:
                batch, count, offsets = await ahead
                ahead = asyncio.ensure_future(self._next())
                await self._guard.settle(batch)
                self._in_hand -= count
                await self._commit(offsets)
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _next(self) -> tuple[Batch[Any], int, Offsets]:
        """Return the next batch, read but not settled, of how many records it is, and what to commit once it is settled."""
        while not (polled := await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=self._max_batch)):
            pass
        records = [
            Record(message.topic, message.partition, message.offset, message.key, message.value or b"", message.headers)
            for message in chain.from_iterable(polled.values())
        ]
        self._in_hand += len(records)
        offsets = {partition: messages[-1].offset + 1 for partition, messages in polled.items()}
        return await self._guard.read(records), len(records), offsets

    async def _commit(self, offsets: Offsets) -> None:
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions have moved: their new owner repeats these records, and every effect is idempotent.
            log.warning("offsets not committed: %s", error)
        except KafkaError as error:
            log.warning("offsets not committed, the next commit covers them: %s", error)
        else:
            self._committed()


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    def __init__(self, rebalanced: Callable[[], None]) -> None:
        self._rebalanced = rebalanced

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        log.info("partitions revoked", extra={"count": len(revoked)})

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        log.info("partitions assigned", extra={"count": len(assigned)})
        self._rebalanced()
