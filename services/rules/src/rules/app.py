"""Where the processes of the service are built: the only place that knows all parts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from aiokafka.errors import KafkaError
from fastapi import FastAPI

from antiphon import mongo
from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.errors import Transient
from antiphon.http import Readiness, build_api
from antiphon.kafka import build_producer
from antiphon.mongo import Database, PyMongoError
from antiphon.process import ASGIApp
from antiphon.telemetry import Telemetry
from rules.adapters.http import register_routes
from rules.adapters.mongo import MongoConfigStore, create_indexes
from rules.adapters.outbox import KafkaOutbox
from rules.adapters.telemetry import ApiMetrics
from rules.configuration import Changes, ConfigurationService
from rules.keys import Grant, KeyService, MadeKey
from rules.revisions import RuleService
from rules.settings import RulesSettings

_READY_SECONDS = 1.5
"""A readiness check answers within this; an orchestrator's probe gives up soon after."""

_STORE_RETRY_SECONDS = 1.0


@asynccontextmanager
async def api(
    settings: RulesSettings, *, clock: Clock | None = None, telemetry: Telemetry | None = None
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Build the configuration API: the application and its background tasks."""
    clock, telemetry = clock or SystemClock(), telemetry or Telemetry("rules")
    client, database = mongo.connect(settings)
    try:
        keys = KeyRing(clock)
        store = MongoConfigStore(database)
        outbox = _outbox(settings, store, telemetry, keys.apply)

        def apply(changes: Sequence[Change]) -> None:
            keys.apply(changes)
            outbox.observe(changes)

        feed = ConfigFeed(settings, apply)
        app = build_api("Antiphon rules", telemetry=telemetry, readiness=_readiness(database, feed), keys=keys)
        _register(app, store, outbox, clock)
        await _indexes(database)
        yield app, [feed.run(), outbox.run(feed.wait_complete)]
    finally:
        client.close()


async def create_key(settings: RulesSettings, grant: Grant) -> MadeKey:
    """Make a key next to the store, for a first set-up; without Kafka a running API publishes it later. Raises Transient."""
    client, database = mongo.connect(settings)
    try:
        await create_indexes(database)
        store = MongoConfigStore(database)
        outbox = _outbox(settings, store, Telemetry("rules"), lambda _: None)
        with suppress(KafkaError):
            await outbox.connect()
        try:
            return await KeyService(store=store, changes=Changes(store=store, outbox=outbox, clock=SystemClock())).first(grant)
        finally:
            await outbox.close()
    finally:
        client.close()


def _outbox(
    settings: RulesSettings, store: MongoConfigStore, telemetry: Telemetry, applied: Callable[[Sequence[Change]], None]
) -> KafkaOutbox:
    producer = partial(build_producer, settings, "rules-api")
    return KafkaOutbox(store=store, producer=producer, settings=settings, metrics=ApiMetrics(telemetry), applied=applied)


def _register(app: FastAPI, store: MongoConfigStore, outbox: KafkaOutbox, clock: Clock) -> None:
    changes = Changes(store=store, outbox=outbox, clock=clock)
    configuration = ConfigurationService(store=store, changes=changes)
    rules = RuleService(store=store, changes=changes, configuration=configuration)
    register_routes(app, configuration=configuration, rules=rules, keys=KeyService(store=store, changes=changes), store=store)


async def _indexes(database: Database) -> None:
    while True:
        try:
            return await create_indexes(database)
        except Transient:
            await asyncio.sleep(_STORE_RETRY_SECONDS)


def _readiness(database: Database, feed: ConfigFeed) -> Readiness:
    async def readiness() -> Mapping[str, bool]:
        try:
            await asyncio.wait_for(mongo.ping(database), _READY_SECONDS)
        except (PyMongoError, TimeoutError):
            return {"mongo": False, "configuration": feed.complete}
        return {"mongo": True, "configuration": feed.complete}

    return readiness
