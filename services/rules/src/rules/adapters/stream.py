"""The Faust application: one agent, concurrency 1, batches in, own idempotent producer out, one table of author states.

What Faust would do differently by default, and why not:
- an agent that raises loses its message, so the guard stands around everything and the agent never raises;
- concurrency above 1 loses messages at a crash, so workers scale by partitions;
- its producer is not idempotent and costs four times as much, so decisions leave by our own and are awaited.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from typing_extensions import override

from antiphon.erasures import Forgotten
from antiphon.errors import Invalid, Transient
from antiphon.kafka import Guard, Record, TooManyDeadLetters, event_headers
from antiphon.partitioner import partition_of
from antiphon.persons import RecordSealer
from antiphon.topics import DECISIONS, EVENTS, LIMITS, part_of, record_key
from rules.adapters.codec import encode_decision
from rules.adapters.light_consumer import LightConsumer
from rules.domain.decision import Decision
from rules.domain.state import AuthorState
from rules.service import Incoming
from rules.settings import RulesSettings

log = logging.getLogger(__name__)

MAX_BATCH = 1000
"""Events a batch: larger ones no longer cost less a message, and a crash repeats at most one."""

_EXIT_STOPPED = 70
"""EX_SOFTWARE: too many dead letters; a restart policy brings the process back and the alert stays."""


_FINISH_SECONDS = 5.0
"""The longest that a stop waits for the batch in hand: decided in less than one, unless a store is away; then it comes again."""


class Stream(faust.App):
    """Keeps nothing on disk, as its table is in memory; Faust makes directories where it stands, which may not be writable."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.in_hand = asyncio.Lock()
        """Held while a batch is decided and acknowledged, and for good by a stop."""

    @override
    def _create_directories(self) -> None:
        return


def build_stream(settings: RulesSettings, *, partitions: int) -> Stream:
    """Return the configured application without agents; nothing connects before its start."""
    app = Stream(
        "rules",
        broker=[f"kafka://{server}" for server in settings.kafka_bootstrap_servers.split(",")],
        store="memory://",
        topic_partitions=partitions,
        topic_allow_declare=False,  # topics are data in proto/topics.yaml, made by the deployment
        topic_disable_leader=True,
        web_enabled=False,
        processing_guarantee="at_least_once",
        broker_commit_interval=0.5,  # seconds; bounds what a crash repeats
        broker_max_poll_records=1000,
        broker_session_timeout=settings.kafka_session_timeout_ms / 1000,
        broker_heartbeat_interval=settings.kafka_session_timeout_ms / 10_000,
        broker_rebalance_timeout=60,
        consumer_group_instance_id=settings.kafka_group_instance_id or "",
        stream_buffer_maxsize=8192,
        stream_wait_empty=False,
        producer_acks=-1,
        producer_linger=0.005,  # seconds; the changelog's
        producer_max_batch_size=262_144,
        table_standby_replicas=0,  # state is small: replaying it is quicker than holding it twice
    )
    setattr(app.transport, "Consumer", LightConsumer)  # noqa: B010 (declared as a class variable, read from the instance)
    return app


def states_table(app: faust.App) -> Any:
    """Return the table of author states: record key → bytes, its changelog partitioned as the events are."""
    partitions = app.conf.topic_partitions
    changelog = app.topic(
        LIMITS,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=partitions,
        compacting=True,
    )
    return app.Table(
        "limits",
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        changelog_topic=changelog,
        use_partitioner=True,  # written outside stream iteration; the key decides, as it does for events
    )


class TableAuthorStates:
    """Author states in a Faust table."""

    def __init__(self, app: faust.App) -> None:
        self._app = app
        self._table = states_table(app)

    def get(self, key: bytes) -> AuthorState:
        """Return the author's state, empty if there is none."""
        return AuthorState.from_bytes(self._table.data.get(key) or b"")  # the store itself: no sensors for a look

    def put(self, key: bytes, state: AuthorState) -> None:
        """Keep the author's state; the changelog follows before the events' offsets are committed."""
        self._table[key] = state.to_bytes()

    async def erase(self, person: Forgotten) -> None:
        """Forget a person's state; a tombstone takes it out of the changelog. Raises Transient where others have it."""
        before, now = (record_key(person.brand, part) for part in (person.author, person.reference))
        for key in {before, now}:  # as the key is, and as it was before there was a `PERSON_KEY`
            if key in self._table.data:
                del self._table[key]
        if not self._owns(now):
            raise Transient("another worker has the state of this person, or will have it in a moment")

    def _owns(self, key: bytes) -> bool:
        partitions = list(range(self._app.conf.topic_partitions))
        return is_assigned(self._app) and TP(EVENTS, partition_of(key, partitions, partitions)) in self._app.consumer.assignment()


class KafkaDecisionLog:
    """Decisions to Kafka by an idempotent producer, packed by partition here: a call for each costs more than its encoding."""

    def __init__(self, producer: AIOKafkaProducer, sealer: RecordSealer) -> None:
        self._producer = producer
        self._sealer = sealer

    async def append(self, decisions: Sequence[tuple[bytes, Decision]], decided_time: float) -> None:
        """Return once all replicas have every decision."""
        partitions = sorted(await self._producer.partitions_for(DECISIONS))
        packed: dict[int, list[BatchBuilder]] = {}
        for key, decision in decisions:
            partition = partition_of(key, partitions, partitions)
            value, sealed = self._sealer.seal(DECISIONS, part_of(key), encode_decision(decision, decided_time))
            headers = [*_headers(decision.event.event_id), *sealed]
            batches = packed.setdefault(partition, [])
            if not batches or batches[-1].append(key=key, value=value, timestamp=None, headers=headers) is None:
                batches.append(self._producer.create_batch())
                if batches[-1].append(key=key, value=value, timestamp=None, headers=headers) is None:
                    raise Invalid("too_large", "a decision is larger than a batch may be")
        sent = [
            await self._producer.send_batch(batch, DECISIONS, partition=partition)
            for partition, batches in packed.items()
            for batch in batches
        ]
        for acknowledged in sent:
            await acknowledged


def _headers(event_id: str) -> list[tuple[str, bytes]]:
    return [("ce_id", event_id.encode()), *_STATIC_HEADERS]


_STATIC_HEADERS = [
    (name, value)
    for name, value in event_headers("antiphon.v1.Decision", "", "rules", "")
    if name not in {"ce_id", "ce_time"}  # the id is added for each; the time is in the message and optional in CloudEvents
]


def add_agent(app: Stream, guard: Guard[Incoming]) -> None:
    """Attach the agent that feeds every batch of events to the guard."""
    topic = app.topic(EVENTS, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def engine(stream: Any) -> None:
        await _learn_partitions(app)
        queue = aiter(stream.channel).queue
        while True:
            events = await _next_batch(queue)
            async with app.in_hand:
                try:
                    await guard.handle([_record(event.message) for event in events])
                except TooManyDeadLetters:
                    log.critical("stopping", exc_info=True)
                    os._exit(_EXIT_STOPPED)
                for event in events:
                    event.ack()

    app.agent(topic, name="rules.engine", concurrency=1)(engine)


async def _next_batch(queue: Any) -> list[Any]:
    """Return all that has come while the last batch was worked on, one event at least.

    Straight from the channel's queue: a batch forms by itself under load and nobody waits for one at rest. Faust's `take`
    waits for its timer and stops filling while a batch is in hand.
    """
    events = [await queue.get()]
    while len(events) < MAX_BATCH and not queue.empty():
        events.append(queue.get_nowait())
    return events


async def _learn_partitions(app: faust.App) -> None:
    """Let Faust's producer learn the changelog's partitions: it needs them at the first write and would not wait for them."""
    producer: Any = app.producer  # Faust has no public way to its client
    await producer._ensure_producer().partitions_for(LIMITS)  # noqa: SLF001


def _record(message: Any) -> Record:
    return Record(message.topic, message.partition, message.offset, message.key, message.value or b"", message.headers or ())


def is_assigned(app: faust.App) -> bool:
    """Tell whether the group has given this worker its partitions."""
    try:
        return bool(app.consumer.assignment()) and not app.rebalancing
    except ConsumerNotStarted:
        return False


async def lag(app: faust.App) -> float:
    """Return how many events on this worker's partitions are not decided yet; NaN while it has none. Raises KafkaError."""
    consumer: Any = app.consumer
    return float(await consumer.behind(EVENTS)) if is_assigned(app) else float("nan")


def tell_assignments(app: faust.App, tell: Callable[[], None]) -> None:
    """Call `tell` at each assignment of partitions."""

    async def assigned(*_: Any, **__: Any) -> None:
        tell()

    app.on_partitions_assigned.connect(assigned, weak=False)


async def run_stream(app: Stream) -> None:
    """Run the application until cancelled, then finish the batch in hand; raises when it crashes."""
    app.finalize()
    await app.start()
    try:
        await app.wait_until_stopped()
        raise RuntimeError("the stream stopped by itself") from app.crash_reason
    except asyncio.CancelledError:
        await _finish(app)
        raise
    finally:
        await app.stop()


async def _finish(app: Stream) -> None:
    """Let the batch in hand end, take no other, and commit: Faust's own stop ends the agent between a decision and its commit.

    What cannot be finished is decided again, with the same ids, by whoever has the partitions next.
    """
    try:
        async with asyncio.timeout(_FINISH_SECONDS):
            await app.in_hand.acquire()
            for _ in range(2):  # one that is under way is waited for, and may be of before the batch
                if is_assigned(app):
                    await app.consumer.commit()
    except TimeoutError:
        log.warning("stopped with a batch in hand; it will be decided again")
