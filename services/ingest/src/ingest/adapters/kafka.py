"""The event log on Kafka: everything of a body is acknowledged on all replicas before `append` returns."""

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from antiphon import failpoints
from antiphon.errors import Transient
from antiphon.kafka import Headers, build_producer, event_headers, stop_producer
from antiphon.persons import PersonIndex, RecordSealer
from antiphon.settings import KafkaSettings
from antiphon.topics import EVENTS, dead_letters_of, record_key
from ingest.adapters.codec import encode
from ingest.domain import Event, Rejected, Source

log = logging.getLogger(__name__)

EVENT_TYPE = "antiphon.v1.Event"
"""`ce_type` of every record."""

_DEAD_LETTERS = dead_letters_of(EVENTS)

_REQUEST_TIMEOUT_MS = 5_000
"""A broker that has stopped answering is given up after this; bodies are refused long before, by the deadline."""

_YIELD_EVERY = 64
"""Events of one body encoded in one go: about two milliseconds, in which nobody else is served."""

_KEYS_SECONDS = 0.5
"""For the keys of people: a quarter of what a platform's patience allows for the whole."""

_PROBE_SECONDS = 1.0
_RETRY_SECONDS = 0.5
_STOP_SECONDS = 3.0


class KafkaEventLog:
    """An idempotent producer that is started when the cluster appears and replaced when it has given up.

    What it buffers is bounded: at most two batches a partition wait for a broker, then `append` waits itself.
    """

    def __init__(
        self, settings: KafkaSettings, *, persons: PersonIndex, sealer: RecordSealer, unsealed: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._persons, self._sealer, self._unsealed = persons, sealer, unsealed
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()

    async def run(self) -> None:
        """Hold a producer until cancelled; an unreachable cluster is waited for."""
        while True:
            producer = await self._connect()
            self._broken.clear()
            self._producer = producer
            try:
                await self._broken.wait()
            finally:
                self._producer = None
                await stop_producer(producer, _STOP_SECONDS)

    async def _connect(self) -> AIOKafkaProducer:
        while True:
            producer = build_producer(self._settings, "ingest", request_timeout_ms=_REQUEST_TIMEOUT_MS)
            try:
                await producer.start()
                for topic in (EVENTS, _DEAD_LETTERS):
                    await producer.partitions_for(topic)
            except KafkaError as error:
                log.warning("Kafka is not reachable, trying again: %s", error)
                await stop_producer(producer, _STOP_SECONDS)
                await asyncio.sleep(_RETRY_SECONDS)
            except BaseException:
                await stop_producer(producer, _STOP_SECONDS)
                raise
            else:
                return producer

    async def reachable(self) -> bool:
        """Tell whether the cluster answers now."""
        producer = self._producer
        if producer is None:
            return False
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await producer.client.fetch_all_metadata()
        except (KafkaError, TimeoutError):
            return False
        return True

    async def append(self, source: Source, received: datetime, events: Sequence[Event], rejected: Sequence[Rejected]) -> None:
        """Return once all is acknowledged. Raises Transient. After a cancellation parts may still arrive."""
        producer = self._producer
        if producer is None:
            raise Transient("Kafka is not reachable")
        acks: list[Future[Any]] = []
        try:
            await self._send(producer, acks, source, received, events, rejected)
            failpoints.hit("ingest.before_ack")
            for ack in acks:
                await ack
        except KafkaError as error:
            _abandon(acks)
            if not error.retriable:
                # A producer that met a fatal error never recovers by itself.
                self._broken.set()
            raise Transient(f"Kafka: {type(error).__name__}") from error
        except BaseException:
            _abandon(acks)
            raise

    async def _send(
        self,
        producer: AIOKafkaProducer,
        acks: list[Future[Any]],
        source: Source,
        received: datetime,
        events: Sequence[Event],
        rejected: Sequence[Rejected],
    ) -> None:
        origin = source.path
        people = [self._person(event, source.accounts[event.account].brand) for event in events]
        await self._know({part: source.accounts[event.account].brand for part, event in zip(people, events, strict=True)})
        for number, (person, event) in enumerate(zip(people, events, strict=True), 1):
            account = source.accounts[event.account]
            value, sealed = self._sealer.seal(EVENTS, person, encode(event, account, source.id, received))
            headers = [*event_headers(EVENT_TYPE, event.event_id, origin, event.event_time.isoformat()), *sealed]
            acks.append(await producer.send(EVENTS, value, key=record_key(account.brand, person), headers=headers))
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        for fragment in rejected:
            key = f"{source.id}/{fragment.account}".encode()
            acks.append(await producer.send(_DEAD_LETTERS, fragment.raw, key=key, headers=_dead_letter_headers(source, fragment)))

    def _person(self, event: Event, brand: str) -> str:
        """Return whose record it is; the object's where the platform hides the author, so that nobody can be named."""
        return self._persons.reference(brand, event.platform, event.author.id or event.object)

    async def _know(self, people: Mapping[str, str]) -> None:
        """Have the keys of people if the store gives them soon: an event that waits may be lost, an unsealed one expires."""
        if not self._persons.hides:
            return
        try:
            async with asyncio.timeout(_KEYS_SECONDS):
                await self._sealer.prepare(people)
        except (Transient, TimeoutError) as error:
            log.warning("events leave unsealed, the keys of people are away: %s", type(error).__name__)
            self._unsealed()


def _dead_letter_headers(source: Source, fragment: Rejected) -> Headers:
    return [
        ("content-type", b"application/json"),
        ("dlq_reason", fragment.reason.encode()),
        ("dlq_error", b"Invalid"),
        ("dlq_detail", fragment.detail.encode(errors="replace")),
        ("dlq_topic", EVENTS.encode()),
        ("dlq_platform", source.platform.encode()),
        ("dlq_source", source.id.encode()),
    ]


def _abandon(acks: Sequence[Future[Any]]) -> None:
    """Nobody waits for these any more: their later fate is no news."""
    for ack in acks:
        if not ack.done():
            ack.cancel()
        elif not ack.cancelled():
            ack.exception()
