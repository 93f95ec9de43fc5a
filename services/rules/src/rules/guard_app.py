"""Where the guard is built: it reads every decision, counts, and holds what has become a crisis."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from antiphon import mongo
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, build_producer, stop_producer
from antiphon.mongo import Database
from antiphon.observing import show_revision
from antiphon.person_keys import record_sealer
from antiphon.process import Built
from antiphon.starting import patiently, reachable
from antiphon.telemetry import Telemetry
from rules.adapters import guard_store
from rules.adapters.guard_config import GuardTerms
from rules.adapters.guard_reader import KafkaReader
from rules.adapters.guard_store import MongoGuardStore, MongoLease
from rules.adapters.guard_telemetry import GuardMetrics
from rules.adapters.mongo import MongoConfigStore, create_indexes
from rules.adapters.outbox import KafkaOutbox
from rules.adapters.telemetry import ApiMetrics
from rules.configuration import Changes, ConfigurationService
from rules.guarding import GuardService
from rules.holds import HoldService
from rules.settings import RulesGuardSettings


@asynccontextmanager
async def guard(settings: RulesGuardSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the guard: health and metrics to serve, and its work."""
    async with AsyncExitStack() as stack:
        client, database = mongo.connect(settings)
        stack.callback(client.close)
        producer = build_producer(settings, "rules-guard")
        stack.push_async_callback(stop_producer, producer)
        clock, telemetry = clock or SystemClock(), Telemetry("rules")
        metrics, terms = GuardMetrics(telemetry), GuardTerms()
        people = record_sealer(database, settings, clock)
        feed = ConfigFeed(settings, terms.apply, people.follow)
        show_revision(telemetry, feed)
        store = MongoConfigStore(database)
        outbox = _outbox(settings, store, telemetry)
        stack.push_async_callback(outbox.close)
        alarms = _alarms(store, outbox, clock)
        reader = partial(KafkaReader, settings, DeadLetters(producer, metrics.dead_letter), people.open)
        service = _service(settings, database, reader, terms, alarms, metrics, clock)

        async def readiness() -> Mapping[str, bool]:
            """A replica that stands by is ready: it can take over at any moment."""
            return {"mongo": await reachable(database), "configuration": feed.complete}

        async def work() -> None:
            await mongo.prepare(lambda: create_indexes(database), lambda: guard_store.create_indexes(database))
            await patiently(producer.start)
            await patiently(outbox.connect)
            await feed.wait_complete()
            async with asyncio.TaskGroup() as group:
                group.create_task(outbox.sweep_for_ever())
                group.create_task(service.run())

        app = build_api("Antiphon rules guard", telemetry=telemetry, readiness=readiness)
        yield app, [feed.run(), work()]


def _outbox(settings: RulesGuardSettings, store: MongoConfigStore, telemetry: Telemetry) -> KafkaOutbox:
    def applied(_: Sequence[Change]) -> None:
        """Our own changes come back by the feed."""

    producer = partial(build_producer, settings, "rules-guard-outbox")
    return KafkaOutbox(store=store, producer=producer, settings=settings, metrics=ApiMetrics(telemetry), applied=applied)


def _alarms(store: MongoConfigStore, outbox: KafkaOutbox, clock: Clock) -> HoldService:
    changes = Changes(store=store, outbox=outbox, clock=clock)
    return HoldService(store=store, changes=changes, configuration=ConfigurationService(store=store, changes=changes))


def _service(
    settings: RulesGuardSettings,
    database: Database,
    reader: partial[KafkaReader],
    terms: GuardTerms,
    alarms: HoldService,
    metrics: GuardMetrics,
    clock: Clock,
) -> GuardService:
    return GuardService(
        store=MongoGuardStore(database),
        lease=MongoLease(database, secrets.token_hex(8), settings.rules_guard_lease_seconds),
        reader=reader,
        terms=terms.of,
        alarms=alarms,
        meter=metrics,
        clock=clock,
        look_seconds=settings.rules_guard_look_seconds,
        save_seconds=settings.rules_guard_save_seconds,
        lease_seconds=settings.rules_guard_lease_seconds,
    )
