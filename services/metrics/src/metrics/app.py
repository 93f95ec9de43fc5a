"""Puts the service together: the only place that builds things."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.consumer import GuardedConsumer
from antiphon.erasures import Eraser, MongoErasures
from antiphon.errors import Transient
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer
from antiphon.mongo import Database, connect
from antiphon.observing import count_rebalances, show_revision
from antiphon.person_keys import record_sealer
from antiphon.process import ASGIApp
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from antiphon.topics import DECISIONS, DELIVERIES, ENTRIES, EVENTS
from metrics.adapters import http_people
from metrics.adapters.codec import Decoder
from metrics.adapters.forgetting import MongoForgetting
from metrics.adapters.holds import HoldFeed, MongoHolds
from metrics.adapters.http import register_routes
from metrics.adapters.mongo import MongoFactStore, MongoHours
from metrics.adapters.people import MongoPeople, Pseudonyms
from metrics.adapters.telemetry import PrometheusCounters, holds_gauge, lag_gauge
from metrics.adapters.trees import MongoTrees
from metrics.building import BuildService
from metrics.reading import Reader
from metrics.reporting import ReportService
from metrics.service import Marker, RecordService
from metrics.settings import MetricsSettings

log = logging.getLogger(__name__)

GROUP: Final = "metrics"

TOPICS: Final = (EVENTS, DECISIONS, DELIVERIES, ENTRIES)

MAX_BATCH: Final = 2_000
"""Records a write: each then costs the store a third less than in batches of 500; a crash repeats a second or two of work."""

_LAG_PERIOD_S: Final = 1.0
"""Between two looks at the lag; `/readyz` looks at once, for those who wait until everything is recorded."""

_PROBE_S: Final = 1.5
"""The longest that one check of readiness may take; an orchestrator's own patience is usually two seconds or more."""


@asynccontextmanager
async def build(
    settings: MetricsSettings, *, clock: Clock | None = None
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Build the service for `antiphon.process.run`: its ASGI application and its background tasks."""
    clock = clock or SystemClock()
    client, database = connect(settings)
    producer = build_producer(settings, "metrics-dead-letters")
    try:
        telemetry = Telemetry("metrics")
        keys = KeyRing(clock)
        stores = _Stores(database, settings)
        holds = HoldFeed(stores.holds)
        holds_gauge(telemetry, lambda: len(holds.active))
        people = record_sealer(database, settings, clock)
        eraser = Eraser(
            "metrics",
            sealer=Sealer(parse_keys(settings.seal_keys)),
            erasures=MongoErasures(database, clock),
            erase=MongoForgetting(database, stores.pseudonyms, stores.hours).erase,
        )

        def apply(changes: Sequence[Change]) -> None:
            keys.apply(changes)
            holds.apply(changes)
            people.follow(changes)
            eraser.follow(changes)

        feed = ConfigFeed(settings, apply)
        show_revision(telemetry, feed)
        counters = PrometheusCounters(telemetry)
        marker = Marker(hours=stores.hours, clock=clock, settle_s=settings.metrics_settle_s)
        recorder = RecordService(store=stores.facts, marker=marker, names=stores.people, counters=counters)
        guard = Guard(
            decode=Decoder(stores.pseudonyms).decode,
            process=recorder.record,
            dead_letters=DeadLetters(producer, counters.dead_letter),
            open_records=people.open,
        )
        consumer = GuardedConsumer(
            settings, topics=TOPICS, group=GROUP, guard=guard, max_batch=MAX_BATCH, rebalanced=count_rebalances(telemetry)
        )
        lag = _Lag(consumer, lag_gauge(telemetry))

        async def readiness() -> Mapping[str, bool]:
            consuming, reachable = await asyncio.gather(lag.sample(), _within(_PROBE_S, stores.facts.reachable()))
            return {"kafka": consuming, "store": reachable, "configuration": feed.complete}

        async def consume() -> None:
            await _patiently(stores.prepare)
            await _patiently(producer.start)
            await consumer.run()

        api = build_api("Antiphon metrics", telemetry=telemetry, readiness=readiness, keys=keys)
        register_routes(api, reports=stores.reports(clock, settings), clock=clock)
        http_people.register(api, http_people.MongoMeasures(database, stores.pseudonyms))
        yield api, [feed.run(), holds.run(), consume(), eraser.run(), stores.builder(clock, settings).run(), lag.watch()]
    finally:
        await producer.stop()
        client.close()


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
            self._gauge.set(await asyncio.wait_for(self._consumer.lag(), _PROBE_S) if known else float("nan"))
        except (KafkaError, TimeoutError):
            self._gauge.set(float("nan"))
            return False
        return known

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            await self.sample()
            await asyncio.sleep(_LAG_PERIOD_S)


async def _within(seconds: float, check: Awaitable[bool]) -> bool:
    try:
        return await asyncio.wait_for(check, seconds)
    except TimeoutError:
        return False


async def _patiently(start: Callable[[], Awaitable[None]]) -> None:
    """Repeat until it succeeds: what we depend on may come up after us, and our health must be visible meanwhile."""
    while True:
        try:
            return await start()
        except (KafkaError, Transient) as error:
            log.warning("a dependency is not reachable, trying again: %s", error)
            await asyncio.sleep(1.0)
