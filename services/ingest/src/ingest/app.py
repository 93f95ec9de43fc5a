"""The composition root: the only place that builds things."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from fastapi import FastAPI

from antiphon.answers import Answers, MongoAnswers
from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import ConfigFeed
from antiphon.http import build_api
from antiphon.links import parse_link_keys
from antiphon.mongo import connect, prepare_and_stay
from antiphon.observing import show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import PersonIndex, RecordSealer
from antiphon.process import ASGIApp, Built
from antiphon.seal import build_sealer
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
) -> AsyncIterator[Built]:
    """Yield the application and the tasks that must run beside it; nothing needs to be reachable yet.

    What is given replaces the real thing, together with the task that would keep it alive.
    """
    clock, platforms, directory = clock or SystemClock(), platforms or serving(), directory or Directory()
    telemetry = Telemetry("ingest")
    meter = IngestTelemetry(telemetry, platforms)
    client, database = connect(settings)
    try:
        sealer, people = build_sealer(settings), record_sealer(database, settings, clock)
        store = store or MongoSourceStore(database, sealer)
        table = SourceTable(store, platforms, timedelta(seconds=settings.ingest_sources_poll_seconds))
        answers = MongoAnswers(database, "ingest", sealer, clock)
        tasks: list[Awaitable[None]] = [table.run(), prepare_and_stay(answers.prepare)]
        if event_log is None:
            event_log = kafka = _kafka(settings, people, meter)
            tasks.append(kafka.run())
        if keys is None:
            keys = KeyRing(clock)
            tasks.append(_feed(settings, telemetry, keys, directory, people).run())
        common = _Common(settings=settings, clock=clock, meter=meter, event_log=event_log, directory=directory)
        clicks = _clicks(common)
        api = _api(common, store, table, keys, answers, telemetry)
        links = Links(app=api, service=clicks, hops=settings.ingest_forwarded_hops)
        yield _webhooks(common, platforms, table, links), tasks
        await clicks.drain()
    finally:
        client.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What the use cases share."""

    settings: IngestSettings
    clock: Clock
    meter: IngestTelemetry
    event_log: EventLog
    directory: Directory

    @property
    def deadline(self) -> timedelta:
        """Return within which time events must be safe."""
        return timedelta(seconds=self.settings.ingest_ack_deadline_seconds)


def _kafka(settings: IngestSettings, people: RecordSealer, meter: IngestTelemetry) -> KafkaEventLog:
    return KafkaEventLog(settings, persons=PersonIndex(settings.person_key), sealer=people, unsealed=meter.unsealed)


def _feed(
    settings: IngestSettings, telemetry: Telemetry, keys: KeyRing, directory: Directory, people: RecordSealer
) -> ConfigFeed:
    feed = ConfigFeed(settings, keys.apply, directory.apply, people.follow)
    show_revision(telemetry, feed)
    directory.complete = lambda: feed.complete
    return feed


def _clicks(common: _Common) -> ClickService:
    settings = common.settings
    return ClickService(
        keys=parse_link_keys(settings.link_key),
        configuration=common.directory,
        event_log=common.event_log,
        clock=common.clock,
        meter=common.meter,
        bots=load_bots(),
        wait=timedelta(seconds=settings.ingest_click_wait_seconds),
        deadline=common.deadline,
        max_in_flight=settings.ingest_max_in_flight_clicks,
    )


def _api(
    common: _Common, store: SourceStore, table: SourceTable, keys: KeyRing, answers: Answers, telemetry: Telemetry
) -> FastAPI:
    async def readiness() -> Mapping[str, bool]:
        return {
            "kafka": await common.event_log.reachable(),
            "sources": table.loaded,
            "keys": common.directory.complete(),
        }

    api = build_api("Antiphon ingest", telemetry=telemetry, readiness=readiness, keys=keys, answers=answers)
    sources = SourceService(store=store, table=table, clock=common.clock, new_id=lambda: secrets.token_hex(8))
    register_routes(api, sources, common.clock)
    reports = ReportService(
        keys=parse_link_keys(common.settings.link_key),
        configuration=common.directory,
        event_log=common.event_log,
        clock=common.clock,
        meter=common.meter,
        deadline=common.deadline,
    )
    report_routes.register_routes(api, reports)
    return api


def _webhooks(common: _Common, platforms: Mapping[str, PlatformAdapter], table: SourceTable, app: ASGIApp) -> Webhooks:
    settings, meter = common.settings, common.meter
    admission = Admission(settings.ingest_max_in_flight_events, settings.ingest_max_in_flight_bytes)
    meter.in_flight.set_function(lambda: admission.events)
    service = IngestService(
        platforms=platforms,
        sources=table,
        event_log=common.event_log,
        admission=admission,
        clock=common.clock,
        meter=meter,
        deadline=common.deadline,
    )
    return Webhooks(
        app=app,
        service=service,
        admission=admission,
        telemetry=meter,
        max_body_bytes=settings.ingest_max_body_bytes,
    )
