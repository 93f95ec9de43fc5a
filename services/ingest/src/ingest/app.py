"""The composition root: the only place that builds things."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from antiphon.answers import Answers, MongoAnswers
from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import ConfigFeed
from antiphon.http import build_api
from antiphon.mongo import connect, prepare_and_stay
from antiphon.observing import show_revision
from antiphon.process import ASGIApp
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from ingest.adapters.http import register_routes
from ingest.adapters.kafka import KafkaEventLog
from ingest.adapters.mongo import MongoSourceStore
from ingest.adapters.platforms.registry import serving
from ingest.adapters.telemetry import IngestTelemetry
from ingest.adapters.webhooks import Webhooks
from ingest.ports import EventLog, PlatformAdapter, SourceStore
from ingest.service import Admission, IngestService
from ingest.settings import IngestSettings
from ingest.sources import SourceService, SourceTable


@asynccontextmanager
async def build(
    settings: IngestSettings,
    *,
    clock: Clock | None = None,
    platforms: Mapping[str, PlatformAdapter] | None = None,
    event_log: EventLog | None = None,
    store: SourceStore | None = None,
    keys: KeyRing | None = None,
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Yield the application and the tasks that must run beside it; nothing needs to be reachable yet.

    What is given replaces the real thing, together with the task that would keep it alive.
    """
    clock = clock or SystemClock()
    platforms = platforms or serving()
    tasks: list[Awaitable[None]] = []
    client, database = connect(settings)
    try:
        sealer = Sealer(parse_keys(settings.seal_keys))
        store = store or MongoSourceStore(database, sealer)
        table = SourceTable(store, platforms, timedelta(seconds=settings.ingest_sources_poll_seconds))
        tasks.append(table.run())
        if event_log is None:
            event_log = kafka = KafkaEventLog(settings)
            tasks.append(kafka.run())
        feed = None
        if keys is None:
            keys = KeyRing(clock)
            feed = ConfigFeed(settings, keys.apply)
            tasks.append(feed.run())
        answers = MongoAnswers(database, "ingest", sealer, clock)
        tasks.append(prepare_and_stay(answers.prepare))
        yield _application(settings, clock, platforms, event_log, store, table, keys, feed, answers), tasks
    finally:
        client.close()


def _application(
    settings: IngestSettings,
    clock: Clock,
    platforms: Mapping[str, PlatformAdapter],
    event_log: EventLog,
    store: SourceStore,
    table: SourceTable,
    keys: KeyRing,
    feed: ConfigFeed | None,
    answers: Answers,
) -> Webhooks:
    telemetry = Telemetry("ingest")
    meter = IngestTelemetry(telemetry, platforms)
    if feed is not None:
        show_revision(telemetry, feed)
    admission = Admission(settings.ingest_max_in_flight_events, settings.ingest_max_in_flight_bytes)
    meter.in_flight.set_function(lambda: admission.events)
    service = IngestService(
        platforms=platforms,
        sources=table,
        event_log=event_log,
        admission=admission,
        clock=clock,
        meter=meter,
        deadline=timedelta(seconds=settings.ingest_ack_deadline_seconds),
    )

    async def readiness() -> Mapping[str, bool]:
        return {
            "kafka": await event_log.reachable(),
            "sources": table.loaded,
            "keys": feed is None or feed.complete,
        }

    api = build_api("Antiphon ingest", telemetry=telemetry, readiness=readiness, keys=keys, answers=answers)
    sources = SourceService(store=store, table=table, clock=clock, new_id=lambda: secrets.token_hex(8))
    register_routes(api, sources, clock)
    return Webhooks(
        app=api,
        service=service,
        admission=admission,
        telemetry=meter,
        max_body_bytes=settings.ingest_max_body_bytes,
    )
