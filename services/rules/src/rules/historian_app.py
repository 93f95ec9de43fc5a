"""Where the historian is built: what keeps the archive, and works off back-tests in processes of their own."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from antiphon import mongo
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import ConfigFeed
from antiphon.consumer import GuardedConsumer
from antiphon.erasures import build_eraser
from antiphon.http import Readiness, build_api
from antiphon.kafka import DeadLetters, Guard, Open, build_producer, stop_producer
from antiphon.mongo import Database
from antiphon.observing import count_rebalances, show_revision
from antiphon.person_keys import record_sealer
from antiphon.process import Built
from antiphon.starting import patiently, reachable
from antiphon.telemetry import Telemetry
from antiphon.topics import DECISIONS, EVENTS
from rules.adapters.config import ConfigurationInForce
from rules.adapters.historian_telemetry import HistorianMetrics
from rules.adapters.history import archive
from rules.adapters.history.archive import ArchiveWriter
from rules.adapters.history.backtest_jobs import MongoBacktestStore
from rules.adapters.history.packing import Packer
from rules.adapters.history.pauses import HumanPauses
from rules.adapters.history.persons import ArchiveEraser
from rules.adapters.history.plans import Plan, build_plan
from rules.adapters.history.replaying import ChildReplayer
from rules.adapters.programmes import tracked_links
from rules.backtests import Backtest, BacktestRunner
from rules.settings import RulesHistorianSettings

GROUP: Final = "rules.historian"

_LAG_SECONDS = 5.0
"""Between two looks at how far the archive is behind."""


@asynccontextmanager
async def historian(settings: RulesHistorianSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the historian: health and metrics to serve, and its work."""
    async with AsyncExitStack() as stack:
        client, database = mongo.connect(settings)
        stack.callback(client.close)
        producer = build_producer(settings, "rules-historian")
        stack.push_async_callback(stop_producer, producer)
        clock, telemetry = clock or SystemClock(), Telemetry("rules")
        metrics, rebalanced = HistorianMetrics(telemetry), count_rebalances(telemetry)
        configuration, pauses = ConfigurationInForce(metrics.configuration_refused, tracked_links(settings)), HumanPauses()
        people = record_sealer(database, settings, clock)
        eraser = build_eraser("archive", ArchiveEraser(database).erase, settings=settings, database=database, clock=clock)
        feed = ConfigFeed(settings, configuration.apply, pauses.apply, people.follow, eraser.follow)
        show_revision(telemetry, feed)
        dead_letters = DeadLetters(producer, metrics.dead_letter)
        consumer = _consumer(settings, database, clock, dead_letters, metrics, people.open, rebalanced)
        jobs = MongoBacktestStore(database)
        runner = _runner(settings, jobs, configuration, pauses, clock, metrics)
        yield (
            build_api("Antiphon rules historian", telemetry=telemetry, readiness=_readiness(database, feed, consumer)),
            [
                feed.run(),
                configuration.run(feed.wait_complete),
                eraser.run(),
                _keep(database, producer, consumer),
                Packer(database, clock).run(),
                _replay(jobs, feed, configuration, runner),
                _watch_lag(consumer, metrics),
            ],
        )


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


def _runner(
    settings: RulesHistorianSettings,
    jobs: MongoBacktestStore,
    configuration: ConfigurationInForce,
    pauses: HumanPauses,
    clock: Clock,
    metrics: HistorianMetrics,
) -> BacktestRunner:
    def plan(job: Backtest) -> Plan:
        return build_plan(
            job,
            configuration.snapshot,
            human_pause=pauses.of(job.brand),
            allowances={"private_replies": settings.rules_backtest_private_replies_per_hour},
            kept_from=(clock.now() - timedelta(days=settings.rules_history_days)).timestamp(),
        )

    return BacktestRunner(
        store=jobs,
        replayer=ChildReplayer(settings, plan),
        clock=clock,
        name=secrets.token_hex(8),
        lease_seconds=settings.rules_backtest_lease_seconds,
        ended=metrics.ended,
    )


def _readiness(database: Database, feed: ConfigFeed, consumer: GuardedConsumer) -> Readiness:
    async def readiness() -> Mapping[str, bool]:
        return {"mongo": await reachable(database), "configuration": feed.complete, "partitions": consumer.assigned}

    return readiness


async def _keep(database: Database, producer: AIOKafkaProducer, consumer: GuardedConsumer) -> None:
    await patiently(lambda: archive.create_indexes(database))
    await patiently(producer.start)
    await consumer.run()


async def _replay(
    jobs: MongoBacktestStore, feed: ConfigFeed, configuration: ConfigurationInForce, runner: BacktestRunner
) -> None:
    await patiently(jobs.create_indexes)
    await feed.wait_complete()
    await configuration.wait_built()
    await runner.run()


async def _watch_lag(consumer: GuardedConsumer, metrics: HistorianMetrics) -> None:
    while True:
        try:
            metrics.lag(await consumer.lag() if consumer.assigned else float("nan"))
        except KafkaError:
            metrics.lag(float("nan"))
        await asyncio.sleep(_LAG_SECONDS)
