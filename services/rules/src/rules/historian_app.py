"""Where the historian is built: what keeps the archive, and works off back-tests in processes of their own."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from aiokafka.errors import KafkaError

from antiphon import mongo
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.consumer import GuardedConsumer
from antiphon.erasures import Eraser, MongoErasures
from antiphon.http import Readiness, build_api
from antiphon.kafka import DeadLetters, Guard, Open, build_producer, stop_producer
from antiphon.mongo import Database, PyMongoError
from antiphon.observing import count_rebalances, show_revision
from antiphon.person_keys import record_sealer
from antiphon.process import ASGIApp
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from antiphon.topics import DECISIONS, EVENTS
from rules.adapters.config import ConfigurationInForce
from rules.adapters.historian_telemetry import HistorianMetrics
from rules.adapters.history import archive
from rules.adapters.history.archive import ArchiveWriter
from rules.adapters.history.backtest_jobs import MongoBacktestStore
from rules.adapters.history.packing import Packer
from rules.adapters.history.persons import ArchiveEraser
from rules.adapters.history.plans import Plan, build_plan
from rules.adapters.history.replaying import ChildReplayer
from rules.adapters.programmes import tracked_links
from rules.adapters.starting import patiently
from rules.backtests import Backtest, BacktestRunner
from rules.settings import RulesHistorianSettings

log = logging.getLogger(__name__)

GROUP: Final = "rules.historian"

_PROBE_SECONDS = 1.5
"""A readiness check answers within this; an orchestrator's probe gives up soon after."""

_LAG_SECONDS = 5.0
"""Between two looks at how far the archive is behind."""


@asynccontextmanager
async def historian(
    settings: RulesHistorianSettings, *, clock: Clock | None = None
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Build the historian: health and metrics to serve, and its work."""
    clock = clock or SystemClock()
    telemetry = Telemetry("rules")
    metrics = HistorianMetrics(telemetry)
    client, database = mongo.connect(settings)
    producer = build_producer(settings, "rules-historian")
    try:
        configuration, pauses = ConfigurationInForce(metrics.configuration_refused, tracked_links(settings)), HumanPauses()
        people = record_sealer(database, settings, clock)
        eraser = Eraser(
            "archive",
            sealer=Sealer(parse_keys(settings.seal_keys)),
            erasures=MongoErasures(database, clock),
            erase=ArchiveEraser(database).erase,
        )

        def apply(changes: Sequence[Change]) -> None:
            configuration.apply(changes)
            pauses.apply(changes)
            people.follow(changes)
            eraser.follow(changes)

        feed = ConfigFeed(settings, apply)
        show_revision(telemetry, feed)
        jobs = MongoBacktestStore(database)
        rebalanced = count_rebalances(telemetry)
        consumer = _consumer(
            settings, database, clock, DeadLetters(producer, metrics.dead_letter), metrics, people.open, rebalanced
        )

        def plan(job: Backtest) -> Plan:
            return build_plan(
                job,
                configuration.snapshot,
                human_pause=pauses.of(job.brand),
                allowances={"private_replies": settings.rules_backtest_private_replies_per_hour},
                kept_from=(clock.now() - timedelta(days=settings.rules_history_days)).timestamp(),
            )

        runner = BacktestRunner(
            store=jobs,
            replayer=ChildReplayer(settings, plan),
            clock=clock,
            name=secrets.token_hex(8),
            lease_seconds=settings.rules_backtest_lease_seconds,
            ended=metrics.ended,
        )

        async def keep() -> None:
            await patiently(lambda: archive.create_indexes(database))
            await patiently(producer.start)
            await consumer.run()

        async def replay() -> None:
            await patiently(jobs.create_indexes)
            await feed.wait_complete()
            await configuration.wait_built()
            await runner.run()

        app = build_api("Antiphon rules historian", telemetry=telemetry, readiness=_readiness(database, feed, consumer))
        tasks = [eraser.run(), keep(), Packer(database, clock).run(), replay(), _watch_lag(consumer, metrics)]
        yield app, [feed.run(), configuration.run(), *tasks]
    finally:
        await stop_producer(producer)
        client.close()


class HumanPauses:
    """For how long automation rests in a thread after a person of the brand wrote there; the publisher heeds it."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns brands."""
        for change in changes:
            if change.record is not None and change.record.WhichOneof("entity") == "brand":
                self._seconds[change.record.brand.brand] = float(change.record.brand.human_pause_seconds)

    def of(self, brand: str) -> float:
        """Return the pause in seconds, 0: none."""
        return self._seconds.get(brand, 0.0)


def _consumer(
    settings: RulesHistorianSettings,
    database: Database,
    clock: Clock,
    dead_letters: DeadLetters,
    metrics: HistorianMetrics,
    open_records: Open,
    rebalanced: Callable[[], None],
) -> GuardedConsumer:
    writer = ArchiveWriter(
        database,
        clock,
        days=settings.rules_history_days,
        epoch=settings.rules_history_epoch,
        fill_seconds=settings.rules_history_fill_seconds,
        archived=metrics.archived,
    )
    guard = Guard(decode=archive.decode, process=writer.append, dead_letters=dead_letters, open_records=open_records)
    return GuardedConsumer(
        settings, topics=[EVENTS, DECISIONS], group=GROUP, guard=guard, max_batch=archive.MAX_RECORDS, rebalanced=rebalanced
    )


async def _watch_lag(consumer: GuardedConsumer, metrics: HistorianMetrics) -> None:
    while True:
        try:
            metrics.lag(await consumer.lag() if consumer.assigned else float("nan"))
        except KafkaError:
            metrics.lag(float("nan"))
        await asyncio.sleep(_LAG_SECONDS)


def _readiness(database: Database, feed: ConfigFeed, consumer: GuardedConsumer) -> Readiness:
    async def readiness() -> Mapping[str, bool]:
        try:
            await asyncio.wait_for(mongo.ping(database), _PROBE_SECONDS)
            reachable = True
        except (PyMongoError, TimeoutError):
            reachable = False
        return {"mongo": reachable, "configuration": feed.complete, "partitions": consumer.assigned}

    return readiness
