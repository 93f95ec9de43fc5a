"""Where the processes of the service are built: the only place that knows all parts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from aiokafka.errors import KafkaError
from fastapi import FastAPI

from antiphon import mongo
from antiphon.answers import MongoAnswers
from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.erasures import MongoErasures
from antiphon.http import Readiness, build_api
from antiphon.kafka import build_producer
from antiphon.mongo import Database, PyMongoError
from antiphon.observing import show_revision
from antiphon.person_keys import MongoPersonKeys
from antiphon.persons import PersonIndex
from antiphon.process import ASGIApp
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from rules.adapters.config import ConfigurationInForce
from rules.adapters.guard_store import MongoSights
from rules.adapters.history.backtest_jobs import MongoBacktestStore
from rules.adapters.history.persons import MongoPersonHistory
from rules.adapters.history.views import MongoHistory
from rules.adapters.http.backtests import backtest_routes
from rules.adapters.http.campaigns import read_stored
from rules.adapters.http.decisions import decision_routes
from rules.adapters.http.holds import hold_routes
from rules.adapters.http.routes import register_routes
from rules.adapters.http.rules import read_version
from rules.adapters.http.trials import trial_routes
from rules.adapters.matching import build_matcher
from rules.adapters.mongo import MongoConfigStore, create_indexes
from rules.adapters.outbox import KafkaOutbox
from rules.adapters.programmes import tracked_links
from rules.adapters.telemetry import ApiMetrics
from rules.adapters.understanding import understand
from rules.backtests import BacktestService
from rules.campaigns import CampaignService
from rules.configuration import Changes, ConfigurationService
from rules.domain.event import Understanding
from rules.domain.model import BrandSettings
from rules.domain.programme import Tracked
from rules.history import HistoryService
from rules.holds import HoldService
from rules.keys import Grant, KeyService, MadeKey
from rules.people import PeopleService
from rules.references import References
from rules.revisions import RuleService
from rules.segments import SegmentService
from rules.settings import RulesApiSettings, RulesSettings
from rules.trials import TrialService
from rules.vetting import Vetting
from rules.watching import LinkService, TopicService

_READY_SECONDS = 1.5
"""A readiness check answers within this; an orchestrator's probe gives up soon after."""


@asynccontextmanager
async def api(
    settings: RulesApiSettings, *, clock: Clock | None = None, telemetry: Telemetry | None = None
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Build the configuration API: the application and its background tasks; nothing needs to be reachable yet."""
    clock, telemetry = clock or SystemClock(), telemetry or Telemetry("rules")
    client, database = mongo.connect(settings)
    try:
        keys = KeyRing(clock)
        store = MongoConfigStore(database)
        outbox = _outbox(settings, store, telemetry, keys.apply)
        sealer = Sealer(parse_keys(settings.seal_keys))
        in_force = ConfigurationInForce(refused=lambda: None)  # the engine counts what it cannot read
        answers = MongoAnswers(database, "rules", sealer, clock)
        index = PersonIndex(settings.person_key)
        history = MongoHistory(database, index)
        changes = Changes(store=store, outbox=outbox, clock=clock)
        configuration = ConfigurationService(store=store, changes=changes)
        people = PeopleService(
            store=store,
            changes=changes,
            configuration=configuration,
            index=index,
            sealer=sealer,
            keys=MongoPersonKeys(database, sealer, clock),
            notes=MongoErasures(database, clock),
            history=MongoPersonHistory(database, history, index),
        )
        prepared = asyncio.Event()

        def apply(changed: Sequence[Change]) -> None:
            keys.apply(changed)
            outbox.observe(changed)
            in_force.apply(changed)
            people.follow(changed)

        feed = ConfigFeed(settings, apply)
        show_revision(telemetry, feed)

        async def prepare() -> None:
            await mongo.prepare(lambda: create_indexes(database), answers.prepare)
            prepared.set()
            await asyncio.Event().wait()  # a background task that ends is a fault

        readiness = _readiness(database, feed, prepared)
        app = build_api("Antiphon rules", telemetry=telemetry, readiness=readiness, keys=keys, answers=answers)
        vetting = Vetting(in_force=in_force, understands=_understood, factory=build_matcher, clock=clock)
        tracked = tracked_links(settings)
        _register(app, store, changes, configuration, people, history, in_force, vetting, database, sealer, tracked, clock)

        async def make_ready() -> None:
            """Beside the first requests: a save that comes early waits for it, as it would without."""
            await feed.wait_complete()
            await in_force.wait_built()
            await vetting.run(in_force.newer)

        yield app, [feed.run(), in_force.run(), prepare(), make_ready(), outbox.run(feed.wait_complete), people.tidy()]
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


def _register(
    app: FastAPI,
    store: MongoConfigStore,
    changes: Changes,
    configuration: ConfigurationService,
    people: PeopleService,
    history: MongoHistory,
    in_force: ConfigurationInForce,
    vetting: Vetting,
    database: Database,
    sealer: Sealer,
    tracked: Tracked | None,
    clock: Clock,
) -> None:
    references = References(store=store, in_force=in_force)
    rules = RuleService(
        store=store,
        changes=changes,
        configuration=configuration,
        vetting=vetting,
        references=references,
        read=read_version,
    )
    trials = TrialService(
        rules=rules,
        configuration=configuration,
        in_force=in_force,
        understands=_understood,
        factory=build_matcher,
        history=history,
        clock=clock,
    )
    register_routes(
        app,
        configuration=configuration,
        rules=rules,
        trials=trial_routes(trials, rules, clock),
        decisions=decision_routes(HistoryService(archive=history, configuration=configuration, clock=clock)),
        backtests=backtest_routes(
            BacktestService(store=MongoBacktestStore(database), configuration=configuration, clock=clock), rules, clock
        ),
        segments=SegmentService(store=store, changes=changes, configuration=configuration),
        people=people,
        topics=TopicService(store=store, changes=changes, configuration=configuration),
        links=LinkService(store=store, changes=changes, configuration=configuration, references=references, tracked=tracked),
        campaigns=CampaignService(
            store=store, changes=changes, configuration=configuration, references=references, read=read_stored
        ),
        holds=hold_routes(
            HoldService(store=store, changes=changes, configuration=configuration), MongoSights(database), configuration
        ),
        keys=KeyService(store=store, changes=changes),
        store=store,
        sealer=sealer,
    )


def _understood(text: str, language: str, settings: BrandSettings) -> Understanding:
    """What the built-in models say, also for a brand with a model of its own: a check must not depend on its being there."""
    return understand(text, language, languages=settings.languages, flag_terms=settings.flag_terms)


def _readiness(database: Database, feed: ConfigFeed, prepared: asyncio.Event) -> Readiness:
    """Not ready before the indexes exist: they are what keeps an account with one channel."""

    async def readiness() -> Mapping[str, bool]:
        try:
            await asyncio.wait_for(mongo.ping(database), _READY_SECONDS)
        except (PyMongoError, TimeoutError):
            return {"mongo": False, "configuration": feed.complete}
        return {"mongo": prepared.is_set(), "configuration": feed.complete}

    return readiness
