"""Puts the service together: the only place that builds things."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import ConfigFeed
from antiphon.consumer import GuardedConsumer
from antiphon.erasures import build_eraser
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer, stop_producer
from antiphon.mongo import Database, connect
from antiphon.observing import count_rebalances, show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import RecordSealer
from antiphon.process import Built
from antiphon.starting import PROBE_SECONDS, patiently, reachable
from antiphon.telemetry import Telemetry
from antiphon.topics import DECISIONS, DELIVERIES, ENTRIES, EVENTS
from metrics.adapters import http_people
from metrics.adapters.codec import Decoder
from metrics.adapters.facts import MongoFactStore
from metrics.adapters.forgetting import MongoForgetting
from metrics.adapters.holds import HoldFeed, MongoHolds
from metrics.adapters.http import register_routes
from metrics.adapters.mongo import MongoHours
from metrics.adapters.people import MongoPeople, Pseudonyms
from metrics.adapters.telemetry import PrometheusCounters, holds_gauge, lag_gauge
from metrics.adapters.trees import MongoTrees
from metrics.building import BuildService
from metrics.reading import Reader
from metrics.reporting import ReportService
from metrics.service import Marker, RecordService
from metrics.settings import MetricsSettings

GROUP: Final = "metrics"

TOPICS: Final = (EVENTS, DECISIONS, DELIVERIES, ENTRIES)

MAX_BATCH: Final = 2_000
"""Records a write: where there is a backlog, a full page of events and one of decisions; a crash repeats a second of work."""

_LAG_PERIOD_S: Final = 1.0
"""Between two looks at the lag; `/readyz` looks at once, for those who wait until everything is recorded."""


@asynccontextmanager
async def build(settings: MetricsSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the service for `antiphon.process.run`: its ASGI application and its background tasks."""
    async with AsyncExitStack() as stack:
        client, database = connect(settings)
        stack.callback(client.close)
        producer = build_producer(settings, "metrics-dead-letters")
        stack.push_async_callback(stop_producer, producer)
        clock, telemetry = clock or SystemClock(), Telemetry("metrics")
        stores, keys, people = _Stores(database, settings), KeyRing(clock), record_sealer(database, settings, clock)
        holds = HoldFeed(stores.holds)
        holds_gauge(telemetry, lambda: len(holds.active))
        erase = MongoForgetting(database, stores.pseudonyms, stores.facts, stores.hours).erase
        eraser = build_eraser("metrics", erase, settings=settings, database=database, clock=clock)
        feed = ConfigFeed(settings, keys.apply, holds.apply, people.follow, eraser.follow)
        show_revision(telemetry, feed)
        consumer = _consumer(settings, stores, producer, people, telemetry, clock)
        lag = _Lag(consumer, lag_gauge(telemetry))

        async def readiness() -> Mapping[str, bool]:
            consuming, reached = await asyncio.gather(lag.sample(), reachable(database))
            return {"kafka": consuming, "store": reached, "configuration": feed.complete}

        async def consume() -> None:
            await patiently(stores.prepare)
            await patiently(producer.start)
            await consumer.run()

        api = build_api("Antiphon metrics", telemetry=telemetry, readiness=readiness, keys=keys)
        register_routes(api, reports=stores.reports(clock, settings), clock=clock)
        http_people.register(api, http_people.MongoMeasures(stores.facts, stores.pseudonyms))
        yield api, [feed.run(), holds.run(), consume(), eraser.run(), stores.builder(clock, settings).run(), lag.watch()]


def _consumer(
    settings: MetricsSettings,
    stores: "_Stores",
    producer: AIOKafkaProducer,
    people: RecordSealer,
    telemetry: Telemetry,
    clock: Clock,
) -> GuardedConsumer:
    counters = PrometheusCounters(telemetry)
    marker = Marker(hours=stores.hours, clock=clock, settle_s=settings.metrics_settle_s)
    recorder = RecordService(store=stores.facts, marker=marker, names=stores.people, counters=counters)
    guard = Guard(
        decode=Decoder(stores.pseudonyms).decode,
        process=recorder.record,
        dead_letters=DeadLetters(producer, counters.dead_letter),
        open_records=people.open,
    )
    return GuardedConsumer(
        settings, topics=TOPICS, group=GROUP, guard=guard, max_batch=MAX_BATCH, rebalanced=count_rebalances(telemetry)
    )


class _Stores:
    """Everything that lies in the store, and the use cases that only join it."""

    def __init__(self, database: Database, settings: MetricsSettings) -> None:
        timeout_ms = settings.metrics_report_timeout_ms
        self.facts = MongoFactStore(database, timeout_ms=timeout_ms)
        self.hours = MongoHours(database, timeout_ms=timeout_ms)
        self.trees = MongoTrees(database)
        self.holds = MongoHolds(database)
        self.pseudonyms = Pseudonyms(settings.metrics_person_key.get_secret_value().encode())
        self.people = MongoPeople(database, self.pseudonyms)

    async def prepare(self) -> None:
        """Create the indexes that are missing. Raises Transient."""
        for store in (self.facts, self.hours, self.trees):
            await store.prepare()

    def reports(self, clock: Clock, settings: MetricsSettings) -> ReportService:
        return ReportService(
            reader=Reader(facts=self.facts, hours=self.hours),
            trees=self.trees,
            holds=self.holds,
            names=self.people,
            clock=clock,
            lost_grace=timedelta(seconds=settings.metrics_lost_grace_s),
        )

    def builder(self, clock: Clock, settings: MetricsSettings) -> BuildService:
        return BuildService(facts=self.facts, hours=self.hours, trees=self.trees, clock=clock, settle_s=settings.metrics_settle_s)


class _Lag:
    """Keeps the gauge of what is not recorded yet."""

    def __init__(self, consumer: GuardedConsumer, gauge: Gauge) -> None:
        self._consumer = consumer
        self._gauge = gauge

    async def sample(self) -> bool:
        """Set the gauge; tell whether partitions are assigned and Kafka answers."""
        try:
            known = self._consumer.assigned
            async with asyncio.timeout(PROBE_SECONDS):
                self._gauge.set(await self._consumer.lag() if known else float("nan"))
        except (KafkaError, TimeoutError):
            self._gauge.set(float("nan"))
            return False
        return known

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            await self.sample()
            await asyncio.sleep(_LAG_PERIOD_S)
