"""The composition root: the only place that builds things."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from antiphon.answers import Answers, MongoAnswers
from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.http import build_api
from antiphon.links import parse_link_keys
from antiphon.mongo import connect, prepare_and_stay
from antiphon.observing import show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import PersonIndex
from antiphon.process import ASGIApp
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from ingest.adapters import reports as report_routes
from ingest.adapters.directory import Directory
from ingest.adapters.http import register_routes
from ingest.adapters.kafka import KafkaEventLog
from ingest.adapters.links import Links, load_bots
from ingest.adapters.mongo import MongoSourceStore
from ingest.adapters.platforms.registry import serving
from ingest.adapters.telemetry import IngestTelemetry
from ingest.adapters.webhooks import Webhooks
from ingest.clicks import ClickService
from ingest.ports import EventLog, PlatformAdapter, SourceStore
from ingest.reports import ReportService
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
    directory: Directory | None = None,
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Yield the application and the tasks that must run beside it; nothing needs to be reachable yet.

    What is given replaces the real thing, together with the task that would keep it alive.
    """
    clock = clock or SystemClock()
    platforms = platforms or serving()
    tasks: list[Awaitable[None]] = []
    telemetry = Telemetry("ingest")
    meter = IngestTelemetry(telemetry, platforms)
    client, database = connect(settings)
    try:
        sealer = Sealer(parse_keys(settings.seal_keys))
        store = store or MongoSourceStore(database, sealer)
        table = SourceTable(store, platforms, timedelta(seconds=settings.ingest_sources_poll_seconds))
        tasks.append(table.run())
        people = record_sealer(database, settings, clock)
        if event_log is None:
            event_log = kafka = KafkaEventLog(
                settings, persons=PersonIndex(settings.person_key), sealer=people, unsealed=meter.unsealed
            )
            tasks.append(kafka.run())
        directory = directory or Directory()
        if keys is None:
            keys = KeyRing(clock)
            feed = ConfigFeed(settings, _each(keys.apply, directory.apply, people.follow))
            show_revision(telemetry, feed)
            directory.complete = lambda: feed.complete
            tasks.append(feed.run())
        answers = MongoAnswers(database, "ingest", sealer, clock)
        tasks.append(prepare_and_stay(answers.prepare))
        clicks = _clicks(settings, clock, event_log, directory, meter)
        api = _api(settings, clock, event_log, store, table, keys, directory, answers, telemetry, meter)
        links = Links(app=api, service=clicks, hops=settings.ingest_forwarded_hops)
        yield _webhooks(settings, clock, platforms, event_log, table, meter, links), tasks
        await clicks.drain()
    finally:
        client.close()


def _each(*takers: Callable[[Sequence[Change]], None]) -> Callable[[Sequence[Change]], None]:
    def apply(changes: Sequence[Change]) -> None:
        for take in takers:
            take(changes)

    return apply


def _clicks(
    settings: IngestSettings, clock: Clock, event_log: EventLog, directory: Directory, meter: IngestTelemetry
) -> ClickService:
    return ClickService(
        keys=parse_link_keys(settings.link_key),
        configuration=directory,
        event_log=event_log,
        clock=clock,
        meter=meter,
        bots=load_bots(),
        wait=timedelta(seconds=settings.ingest_click_wait_seconds),
        deadline=timedelta(seconds=settings.ingest_ack_deadline_seconds),
        max_in_flight=settings.ingest_max_in_flight_clicks,
    )


def _api(
    settings: IngestSettings,
    clock: Clock,
    event_log: EventLog,
    store: SourceStore,
    table: SourceTable,
    keys: KeyRing,
    directory: Directory,
    answers: Answers,
    telemetry: Telemetry,
    meter: IngestTelemetry,
) -> FastAPI:
    async def readiness() -> Mapping[str, bool]:
        return {"kafka": await event_log.reachable(), "sources": table.loaded, "keys": directory.complete()}

    api = build_api("Antiphon ingest", telemetry=telemetry, readiness=readiness, keys=keys, answers=answers)
    sources = SourceService(store=store, table=table, clock=clock, new_id=lambda: secrets.token_hex(8))
    register_routes(api, sources, clock)
    reports = ReportService(
        keys=parse_link_keys(settings.link_key),
        configuration=directory,
        event_log=event_log,
        clock=clock,
        meter=meter,
        deadline=timedelta(seconds=settings.ingest_ack_deadline_seconds),
    )
    report_routes.register_routes(api, reports)
    return api


def _webhooks(
    settings: IngestSettings,
    clock: Clock,
    platforms: Mapping[str, PlatformAdapter],
    event_log: EventLog,
    table: SourceTable,
    meter: IngestTelemetry,
    app: ASGIApp,
) -> Webhooks:
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
    return Webhooks(
        app=app,
        service=service,
        admission=admission,
        telemetry=meter,
        max_body_bytes=settings.ingest_max_body_bytes,
    )
