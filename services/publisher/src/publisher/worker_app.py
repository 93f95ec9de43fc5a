"""Where the worker is built: it consumes decisions, sends, reads back and announces."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from antiphon import failpoints
from antiphon.clock import Clock, SystemClock
from antiphon.consumer import GuardedConsumer
from antiphon.erasures import build_eraser
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer, stop_producer
from antiphon.mongo import prepare
from antiphon.observing import ConsumerMeter
from antiphon.persons import PersonIndex
from antiphon.process import Built
from antiphon.starting import patiently, reachable
from antiphon.topics import DECISIONS
from publisher.adapters import codec
from publisher.adapters.counting import keep_counting
from publisher.adapters.hold_news import news_of
from publisher.adapters.kafka import KafkaAnnouncer, People
from publisher.adapters.mongo_entries import MongoEntries
from publisher.adapters.mongo_forgetting import LedgerEraser
from publisher.adapters.mongo_threads import MongoThreads
from publisher.adapters.redis_tokens import RedisTokens
from publisher.base_app import Base, build_base
from publisher.service.entries.clearing import Clearing
from publisher.service.holding import Holding
from publisher.service.intake import Intake
from publisher.service.lanes import Lanes
from publisher.service.moves import Moves
from publisher.service.outbox import Outbox
from publisher.service.reconciler import Reconciler
from publisher.service.sender import Sender
from publisher.service.sightings import Sightings
from publisher.service.sweep import Sweep
from publisher.settings import PublisherSettings

_REDIS_TIMEOUT = 0.1
"""Seconds; slower answers are no answers, a share of the limits is known without asking."""


@asynccontextmanager
async def worker(settings: PublisherSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the worker: health and metrics to serve, and its work."""
    async with AsyncExitStack() as stack:
        base = await build_base(settings, clock or SystemClock(), stack)
        parts = _Parts(base, _common(base, stack))

        async def readiness() -> Mapping[str, bool]:
            return {
                "mongo": await reachable(base.database),
                "config": base.feed.complete,
                "partitions": parts.consumer.assigned,
            }

        app = build_api("Antiphon publisher worker", telemetry=base.telemetry, readiness=readiness)
        yield app, [base.feed.run(), parts.run()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What the worker's parts share beside the base."""

    producer: AIOKafkaProducer
    tokens: RedisTokens
    threads: MongoThreads
    outbox: Outbox
    moves: Moves
    sightings: Sightings


def _common(base: Base, stack: AsyncExitStack) -> _Common:
    producer = build_producer(base.settings, "publisher")
    stack.push_async_callback(stop_producer, producer)
    announcer = KafkaAnnouncer(producer, People(PersonIndex(base.settings.person_key), base.people))
    outbox = Outbox(ledger=base.ledger, announcer=announcer, meter=base.meter, failpoint=failpoints.hit)
    moves = Moves(ledger=base.ledger, quotas=base.quotas, clock=base.clock, timing=base.timing, tell=outbox.tell)
    threads = MongoThreads(base.database, base.clock)
    return _Common(
        producer=producer,
        tokens=RedisTokens(_redis(base.settings, stack), base.clock, replicas=base.settings.publisher_replicas),
        threads=threads,
        outbox=outbox,
        moves=moves,
        sightings=Sightings(ledger=base.ledger, threads=threads, moves=moves, meter=base.meter),
    )


def _redis(settings: PublisherSettings, stack: AsyncExitStack) -> Redis:
    redis: Redis = Redis.from_url(
        settings.redis_url.get_secret_value(), socket_timeout=_REDIS_TIMEOUT, socket_connect_timeout=_REDIS_TIMEOUT
    )
    stack.push_async_callback(redis.aclose)
    return redis


class _Parts:
    """The worker's parts and the order in which they start."""

    def __init__(self, base: Base, common: _Common) -> None:
        self._base, self._common = base, common
        self._lanes = _lanes(base, _sender(base, common))
        self._reconciler = _reconciler(base, common)
        self._sweep = _sweep(base, common, self._lanes, self._reconciler)
        self._holding = Holding(
            ledger=base.ledger, policies=base.policies, moves=common.moves, enqueue=self._lanes.add, clock=base.clock
        )
        self._forgetting = LedgerEraser(base.database, common.moves)
        self._eraser = build_eraser(
            "publisher", self._forgetting.erase, settings=base.settings, database=base.database, clock=base.clock
        )
        self._behind = ConsumerMeter(base.telemetry)
        self.consumer = _consumer(base, common, _intake(base, common, self._lanes), self._behind)
        base.feed.add_follower(self._eraser.follow)
        base.feed.add_follower(lambda changes: self._holding.put(news_of(changes)))  # last: the policies know of holds by then
        base.meter.follow(lambda: self._lanes.depth, lambda: common.outbox.waiting)

    async def run(self) -> None:
        """Start in order: nothing is sent before the holds and modes in force are known."""
        base, common = self._base, self._common
        await prepare(*base.indexes, common.threads.prepare, self._forgetting.prepare)
        await patiently(common.producer.start)
        await base.feed.wait_complete()
        async with asyncio.TaskGroup() as group:
            parts = (self._lanes, common.outbox, self._reconciler, self._sweep, self._holding, self.consumer, self._eraser)
            for part in parts:
                group.create_task(part.run())
            group.create_task(self._behind.watch(self._lag))
            group.create_task(keep_counting(base.ledger, base.policies, base.meter))

    async def _lag(self) -> float:
        return await self.consumer.lag() if self.consumer.assigned else float("nan")


def _sender(base: Base, common: _Common) -> Sender:
    return Sender(
        threads=common.threads,
        quotas=base.quotas,
        ledger=base.ledger,
        channels=base.channels,
        secrets=base.secrets,
        tokens=common.tokens,
        policies=base.policies,
        platforms=base.platforms,
        rights=Clearing(MongoEntries(base.database), base.clock),
        moves=common.moves,
        meter=base.meter,
        remember=common.sightings.remember,
        clock=base.clock,
        timing=base.timing,
        http_timeout=base.settings.publisher_http_timeout_seconds,
        failpoint=failpoints.hit,
    )


def _lanes(base: Base, sender: Sender) -> Lanes:
    return Lanes(
        prepare=sender.prepare,
        clock=base.clock,
        meter=base.meter,
        width=base.settings.publisher_concurrency,
        capacity=base.settings.publisher_queue,
    )


def _reconciler(base: Base, common: _Common) -> Reconciler:
    return Reconciler(
        moves=common.moves, channels=base.channels, tokens=common.tokens, platforms=base.platforms, meter=base.meter
    )


def _sweep(base: Base, common: _Common, lanes: Lanes, reconciler: Reconciler) -> Sweep:
    return Sweep(
        ledger=base.ledger,
        lanes=lanes,
        outbox=common.outbox,
        moves=common.moves,
        meter=base.meter,
        platforms=base.platforms,
        read_back=reconciler.offer,
        clock=base.clock,
        interval=base.settings.publisher_sweep_seconds,
    )


def _intake(base: Base, common: _Common, lanes: Lanes) -> Intake:
    return Intake(
        ledger=base.ledger,
        threads=common.threads,
        policies=base.policies,
        platforms=base.platforms,
        moves=common.moves,
        sightings=common.sightings,
        enqueue=lanes.add,
        clock=base.clock,
        timing=base.timing,
        failpoint=failpoints.hit,
    )


def _consumer(base: Base, common: _Common, intake: Intake, behind: ConsumerMeter) -> GuardedConsumer:
    guard = Guard(
        decode=codec.decode,
        process=intake.take,
        dead_letters=DeadLetters(common.producer, base.meter.dead_letter),
        open_records=base.people.open,
    )
    return GuardedConsumer(
        base.settings,
        topics=[DECISIONS],
        group=base.settings.publisher_group,
        guard=guard,
        committed=lambda: failpoints.hit("publisher.after_commit"),
        rebalanced=behind.rebalanced,
    )
