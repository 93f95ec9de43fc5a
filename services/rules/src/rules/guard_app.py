"""Where the guard is built: it reads every decision, counts, and holds what has become a crisis."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from antiphon import mongo
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.http import Readiness, build_api
from antiphon.kafka import DeadLetters, build_producer, stop_producer
from antiphon.mongo import Database, PyMongoError
from antiphon.observing import show_revision
from antiphon.person_keys import record_sealer
from antiphon.process import ASGIApp
from antiphon.telemetry import Telemetry
from rules.adapters import guard_store
from rules.adapters.guard_config import GuardTerms
from rules.adapters.guard_reader import KafkaReader
from rules.adapters.guard_store import MongoGuardStore, MongoLease
from rules.adapters.guard_telemetry import GuardMetrics
from rules.adapters.mongo import MongoConfigStore, create_indexes
from rules.adapters.outbox import KafkaOutbox
from rules.adapters.starting import patiently
from rules.adapters.telemetry import ApiMetrics
from rules.configuration import Changes, ConfigurationService
from rules.guarding import GuardService
from rules.holds import HoldService
from rules.settings import RulesGuardSettings

_PROBE_SECONDS = 1.5
"""A readiness check answers within this; an orchestrator's probe gives up soon after."""


@asynccontextmanager
async def guard(
    settings: RulesGuardSettings, *, clock: Clock | None = None
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Build the guard: health and metrics to serve, and its work."""
    clock = clock or SystemClock()
    telemetry = Telemetry("rules")
    metrics, terms = GuardMetrics(telemetry), GuardTerms()
    client, database = mongo.connect(settings)
    producer = build_producer(settings, "rules-guard")
    outbox: KafkaOutbox | None = None
    try:
        people = record_sealer(database, settings, clock)

        def apply(changes: Sequence[Change]) -> None:
            terms.apply(changes)
            people.follow(changes)

        feed = ConfigFeed(settings, apply)
        show_revision(telemetry, feed)
        store = MongoConfigStore(database)
        outbox = KafkaOutbox(
            store=store,
            producer=partial(build_producer, settings, "rules-guard-outbox"),
            settings=settings,
            metrics=ApiMetrics(telemetry),
            applied=_nothing,
        )
        changes = Changes(store=store, outbox=outbox, clock=clock)
        service = GuardService(
            store=MongoGuardStore(database),
            lease=MongoLease(database, secrets.token_hex(8), settings.rules_guard_lease_seconds),
            reader=partial(KafkaReader, settings, DeadLetters(producer, metrics.dead_letter), people.open),
            terms=terms.of,
            alarms=HoldService(store=store, changes=changes, configuration=ConfigurationService(store=store, changes=changes)),
            meter=metrics,
            clock=clock,
            look_seconds=settings.rules_guard_look_seconds,
            save_seconds=settings.rules_guard_save_seconds,
            lease_seconds=settings.rules_guard_lease_seconds,
        )

        async def work() -> None:
            await mongo.prepare(lambda: create_indexes(database), lambda: guard_store.create_indexes(database))
            await patiently(producer.start)
            await patiently(outbox.connect)
            await feed.wait_complete()
            await service.run()

        app = build_api("Antiphon rules guard", telemetry=telemetry, readiness=_readiness(database, feed))
        yield app, [feed.run(), work()]
    finally:
        if outbox is not None:
            await outbox.close()
        await stop_producer(producer)
        client.close()


def _nothing(_: Sequence[Change]) -> None:
    """Our own changes come back by the feed."""


def _readiness(database: Database, feed: ConfigFeed) -> Readiness:
    """A replica that stands by is ready: it can take over at any moment."""

    async def readiness() -> Mapping[str, bool]:
        try:
            await asyncio.wait_for(mongo.ping(database), _PROBE_SECONDS)
            reachable = True
        except (PyMongoError, TimeoutError):
            reachable = False
        return {"mongo": reachable, "configuration": feed.complete}

    return readiness
