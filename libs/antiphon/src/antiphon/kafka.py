"""Delivery semantics, once for every service: raw bytes in, decode inside the guard, commit after success or dead letter."""

import asyncio
import contextlib
import logging
import os
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from antiphon.errors import Invalid, Transient
from antiphon.partitioner import partition_of
from antiphon.settings import KafkaSettings
from antiphon.topics import dead_letters_of

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

Headers = Sequence[tuple[str, bytes]]

EXIT_NO_DEAD_LETTER = 70
"""EX_SOFTWARE: the process ends when neither success nor a dead letter can be recorded."""

CONSECUTIVE_DEAD_LETTERS = 20
"""So many in a row are a bad release, not bad data: the process stops instead of draining the topic."""

DEAD_LETTER_RATIO = 0.05
"""The same for a share of the last thousand records."""

_RATIO_WINDOW = 1_000

_DETAIL_BYTES = 500
"""A header's message may quote the input; it stays short."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came: nothing decoded."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Headers = ()


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments every Kafka client takes to reach the cluster."""
    context: ssl.SSLContext | None = None
    if settings.kafka_security_protocol == "SSL":
        context = create_ssl_context(
            cafile=settings.kafka_ssl_ca_file,
            certfile=settings.kafka_ssl_certificate_file,
            keyfile=settings.kafka_ssl_key_file,
        )
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": context,
    }


def build_producer(
    settings: KafkaSettings, client_id: str, *, linger_ms: int = 0, request_timeout_ms: int = 10_000
) -> AIOKafkaProducer:
    """Return an idempotent producer that acknowledges on all replicas; start and stop are the caller's.

    `linger_ms=0` costs least CPU for callers that await each acknowledgement, as measured in `docs/benchmarks.md`.
    """
    return AIOKafkaProducer(
        **connection(settings),
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        partitioner=partition_of,
        linger_ms=linger_ms,
        max_batch_size=262_144,  # bytes; a burst then travels in few requests
        request_timeout_ms=request_timeout_ms,
        retry_backoff_ms=100,
    )


async def stop_producer(producer: AIOKafkaProducer, grace_seconds: float = 5.0) -> None:
    """Flush and stop a producer, also one that never started; what the cluster does not take in time is given up.

    Without a bound an idempotent producer would wait for an absent cluster for ever.
    """
    parts = (producer._sender, producer.client)  # noqa: SLF001 (its own stop is what hangs)
    if why := await stop_within(grace_seconds, producer.stop(), parts):
        log.warning("Kafka did not take everything that was left to send: %s", why)


async def stop_within(seconds: float, stopping: Awaitable[None], parts: Sequence[Any]) -> str:
    """Let a client stop; where that fails or takes longer, close its parts and return why, else ""."""
    try:
        async with asyncio.timeout(seconds):
            await stopping
    except (TimeoutError, KafkaError) as error:
        for part in filter(None, parts):  # one that never started has not all of them
            with contextlib.suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(1.0):
                    await part.close()
        return str(error) or "it does not answer"
    return ""


def event_headers(kind: str, identity: str, source: str, moment: str) -> list[tuple[str, bytes]]:
    """Return CloudEvents 1.0 headers in binary mode; `moment` is RFC 3339."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.encode()),
        ("ce_id", identity.encode()),
        ("ce_source", source.encode()),
        ("ce_time", moment.encode()),
        ("content-type", b"application/protobuf"),
    ]


class TooManyDeadLetters(RuntimeError):
    """The input looks poisoned as a whole: a person must look before more of it is put aside."""


class DeadLetters:
    """Puts records aside, awaited, and stops the process when there are too many."""

    def __init__(self, producer: AIOKafkaProducer, count: Callable[[str], None] = lambda _reason: None) -> None:
        self._producer = producer
        self._count = count
        self._consecutive = 0
        self._seen = 0
        self._put = 0

    async def put(self, record: Record, error: BaseException) -> None:
        """Write `record` to its dead-letter topic; a failure to do so ends the process."""
        reason = error.reason if isinstance(error, Invalid) else "bug"
        headers = [
            *record.headers,
            ("dlq_reason", reason.encode()),
            ("dlq_error", type(error).__name__.encode()),
            ("dlq_detail", str(error).encode(errors="replace")[:_DETAIL_BYTES]),
            ("dlq_topic", record.topic.encode()),
            ("dlq_partition", str(record.partition).encode()),
            ("dlq_offset", str(record.offset).encode()),
        ]
        try:
            await self._producer.send_and_wait(dead_letters_of(record.topic), record.value, key=record.key, headers=headers)
        except Exception:
            log.critical(
                "a dead letter could not be written; ending so that nothing is lost",
                exc_info=True,
                extra={"topic": record.topic, "offset": record.offset},
            )
            os._exit(EXIT_NO_DEAD_LETTER)
        log.error(
            "dead letter",
            exc_info=None if isinstance(error, Invalid) else error,
            extra={"topic": record.topic, "partition": record.partition, "offset": record.offset, "reason": reason},
        )
        self._count(reason)
        self._consecutive += 1
        self._put += 1
        self._seen += 1
        self._judge()

    def passed(self, count: int) -> None:
        """Note that so many records went through."""
        if count:
            self._consecutive = 0
            self._seen += count
        if self._seen >= _RATIO_WINDOW:
            self._seen = self._put = 0

    def _judge(self) -> None:
        too_many = self._consecutive >= CONSECUTIVE_DEAD_LETTERS or self._put > _RATIO_WINDOW * DEAD_LETTER_RATIO
        if too_many:
            raise TooManyDeadLetters(
                f"{self._consecutive} dead letters in a row, {self._put} of the last {self._seen}: stopping; "
                "fix the release, then restart"
            )


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter; seconds."""

    first: float = 0.1
    longest: float = 10.0

    def delay(self, attempt: int) -> float:
        """Return the wait before try number `attempt + 1` (attempts count from 1)."""
        return random.uniform(0.5, 1.0) * min(self.longest, self.first * 2.0 ** min(attempt - 1, 16))  # noqa: S311 (jitter is no secret)


Open = Callable[[Sequence[Record]], Awaitable[Sequence[Record | None]]]
"""Makes records readable, in their order; None: what it tells was forgotten on purpose. Raises Transient."""


async def _as_they_came(records: Sequence[Record]) -> Sequence[Record | None]:
    return records


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Records that were opened and decoded, and those that could not be, with the reason."""

    good: list[tuple[Record, T]]
    bad: list[tuple[Record, Exception]]


class Guard(Generic[T]):
    """Three branches, for every consumer: Invalid → dead letter; Transient → retry in place; else a bug → dead letter.

    `open_records` makes sealed records readable; what is put aside is put aside as it came.
    """

    def __init__(
        self,
        *,
        decode: Callable[[Record], T],
        process: Callable[[Sequence[T]], Awaitable[None]],
        dead_letters: DeadLetters,
        open_records: Open = _as_they_came,
        backoff: Backoff | None = None,
    ) -> None:
        self._open = open_records
        self._decode = decode
        self._process = process
        self._dead_letters = dead_letters
        self._backoff = backoff or Backoff()

    async def handle(self, records: Sequence[Record]) -> None:
        """Return once every record is processed or put aside. Raises TooManyDeadLetters."""
        await self.settle(await self.read(records))

    async def read(self, records: Sequence[Record]) -> Batch[T]:
        """Open and decode a batch; nothing has happened to it before it is settled."""
        batch: Batch[T] = Batch([], [])
        for record, readable in zip(records, await self._readable(records, batch), strict=True):
            if readable is None:
                continue
            try:
                batch.good.append((record, self._decode(readable)))
            except Exception as error:  # noqa: BLE001 (the guard is where everything is caught)
                batch.bad.append((record, error))
        return batch

    async def settle(self, batch: Batch[T]) -> None:
        """Return once every record of the batch is processed or put aside. Raises TooManyDeadLetters."""
        for record, error in batch.bad:
            await self._dead_letters.put(record, error)
        await self._run(batch.good)

    async def _readable(self, records: Sequence[Record], batch: Batch[T]) -> Sequence[Record | None]:
        """Open records; when they cannot be, halve them until the culprits stand alone and are the batch's bad ones."""
        try:
            return await self._retried(partial(self._open, records))
        except Exception as error:  # noqa: BLE001
            if len(records) == 1:
                batch.bad.append((records[0], error))
                return [None]
            middle = len(records) // 2
            return [*await self._readable(records[:middle], batch), *await self._readable(records[middle:], batch)]

    async def _run(self, items: Sequence[tuple[Record, T]]) -> None:
        """Process a batch; when it cannot be, halve it until the culprits stand alone."""
        if not items:
            return
        try:
            await self._retried(partial(self._process, [item for _, item in items]))
        except Exception as error:  # noqa: BLE001
            if len(items) == 1:
                await self._dead_letters.put(items[0][0], error)
                return
            middle = len(items) // 2
            await self._run(items[:middle])
            await self._run(items[middle:])
            return
        self._dead_letters.passed(len(items))

    async def _retried(self, step: Callable[[], Awaitable[R]]) -> R:
        attempt = 0
        while True:
            try:
                return await step()
            except (Transient, KafkaError) as error:
                attempt += 1
                delay = getattr(error, "retry_after", None) or self._backoff.delay(attempt)
                log.warning("retrying in place in %.1f s: %s", delay, error, extra={"count": attempt})
                await asyncio.sleep(delay)
