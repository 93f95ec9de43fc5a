"""Where the API is built: the only place that knows all its parts."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from aiokafka.errors import KafkaError
from fastapi import APIRouter

from antiphon import mongo
from antiphon.answers import MongoAnswers
from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import ConfigFeed, Follower
from antiphon.erasures import MongoErasures
from antiphon.http import Readiness, build_api
from antiphon.kafka import build_producer
from antiphon.mongo import Database
from antiphon.observing import show_revision
from antiphon.person_keys import MongoPersonKeys
from antiphon.persons import PersonIndex
from antiphon.process import Built
from antiphon.seal import Sealer, build_sealer
from antiphon.starting import reachable
from antiphon.telemetry import Telemetry
from rules.adapters.config import ConfigurationInForce
from rules.adapters.guard_store import MongoSights
from rules.adapters.history.backtest_jobs import MongoBacktestStore
from rules.adapters.history.persons import MongoPersonHistory
from rules.adapters.history.views import MongoHistory
from rules.adapters.http.audit import audit_routes
from rules.adapters.http.backtests import backtest_routes
from rules.adapters.http.brands import brand_routes
from rules.adapters.http.campaigns import campaign_routes, read_stored
from rules.adapters.http.decisions import decision_routes
from rules.adapters.http.holds import hold_routes
from rules.adapters.http.keys import key_routes
from rules.adapters.http.people import people_routes
from rules.adapters.http.routes import register_routes
from rules.adapters.http.rules import read_version, rule_routes
from rules.adapters.http.segments import segment_routes
from rules.adapters.http.trials import trial_routes
from rules.adapters.http.watching import link_routes, topic_routes
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


@asynccontextmanager
async def api(
    settings: RulesApiSettings, *, clock: Clock | None = None, telemetry: Telemetry | None = None
) -> AsyncIterator[Built]:
    """Build the configuration API: the application and its background tasks; nothing needs to be reachable yet."""
    telemetry = telemetry or Telemetry("rules")
    client, database = mongo.connect(settings)
    try:
        common = _common(settings, database, telemetry, clock or SystemClock())
        people = _people(common)
        feed = ConfigFeed(settings, common.keys.apply, common.outbox.observe, common.in_force.apply, people.follow)
        show_revision(telemetry, feed)
        answers = MongoAnswers(database, "rules", common.sealer, common.clock)
        prepared = asyncio.Event()
        readiness = _readiness(database, feed, prepared, common.vetting)
        app = build_api("Antiphon rules", telemetry=telemetry, readiness=readiness, keys=common.keys, answers=answers)
        register_routes(app, _routers(common, people))
        yield (
            app,
            [
                feed.run(),
                common.in_force.run(feed.wait_complete),
                _prepare(database, answers, prepared),
                _vet(feed, common.in_force, common.vetting),
                common.outbox.run(feed.wait_complete),
                people.tidy(),
            ],
        )
    finally:
        client.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What the use cases share."""

    clock: Clock
    database: Database
    sealer: Sealer
    keys: KeyRing
    index: PersonIndex
    store: MongoConfigStore
    outbox: KafkaOutbox
    in_force: ConfigurationInForce
    changes: Changes
    configuration: ConfigurationService
    history: MongoHistory
    references: References
    vetting: Vetting
    tracked: Tracked | None


def _common(settings: RulesApiSettings, database: Database, telemetry: Telemetry, clock: Clock) -> _Common:
    keys, index, store = KeyRing(clock), PersonIndex(settings.person_key), MongoConfigStore(database)
    outbox = _outbox(settings, store, telemetry, keys.apply)
    in_force = ConfigurationInForce(refused=lambda: None)  # the engine counts what it cannot read
    changes = Changes(store=store, outbox=outbox, clock=clock)
    return _Common(
        clock=clock,
        database=database,
        sealer=build_sealer(settings),
        keys=keys,
        index=index,
        store=store,
        outbox=outbox,
        in_force=in_force,
        changes=changes,
        configuration=ConfigurationService(store=store, changes=changes),
        history=MongoHistory(database, index),
        references=References(store=store, in_force=in_force),
        vetting=Vetting(in_force=in_force, understands=_understood, factory=build_matcher, clock=clock),
        tracked=tracked_links(settings),
    )


def _outbox(settings: RulesSettings, store: MongoConfigStore, telemetry: Telemetry, applied: Follower) -> KafkaOutbox:
    producer = partial(build_producer, settings, "rules-api")
    return KafkaOutbox(store=store, producer=producer, settings=settings, metrics=ApiMetrics(telemetry), applied=applied)


def _understood(text: str, language: str, settings: BrandSettings) -> Understanding:
    """What the built-in models say, also for a brand with a model of its own: a check must not depend on its being there."""
    return understand(text, language, languages=settings.languages, flag_terms=settings.flag_terms)


def _people(common: _Common) -> PeopleService:
    return PeopleService(
        store=common.store,
        changes=common.changes,
        configuration=common.configuration,
        index=common.index,
        sealer=common.sealer,
        keys=MongoPersonKeys(common.database, common.sealer, common.clock),
        notes=MongoErasures(common.database, common.clock),
        history=MongoPersonHistory(common.database, common.history, common.index),
    )


def _routers(common: _Common, people: PeopleService) -> Sequence[APIRouter]:
    """Return all routes, in the order in which the API's description shows them."""
    store, changes, configuration = common.store, common.changes, common.configuration
    segments = SegmentService(store=store, changes=changes, configuration=configuration)
    topics = TopicService(store=store, changes=changes, configuration=configuration)
    links = LinkService(
        store=store, changes=changes, configuration=configuration, references=common.references, tracked=common.tracked
    )
    holds = HoldService(store=store, changes=changes, configuration=configuration)
    rules = _rules(common)
    history = HistoryService(archive=common.history, configuration=configuration, clock=common.clock)
    backtests = BacktestService(store=MongoBacktestStore(common.database), configuration=configuration, clock=common.clock)
    return [
        brand_routes(configuration, common.sealer),
        segment_routes(segments),
        topic_routes(topics),
        link_routes(links),
        campaign_routes(_campaigns(common)),
        hold_routes(holds, MongoSights(common.database), configuration),
        rule_routes(rules),
        trial_routes(_trials(common, rules), rules, common.clock),
        decision_routes(history),
        backtest_routes(backtests, rules, common.clock),
        audit_routes(configuration, store),
        key_routes(KeyService(store=store, changes=changes)),
        people_routes(people),
    ]


def _campaigns(common: _Common) -> CampaignService:
    return CampaignService(
        store=common.store,
        changes=common.changes,
        configuration=common.configuration,
        references=common.references,
        read=read_stored,
    )


def _rules(common: _Common) -> RuleService:
    return RuleService(
        store=common.store,
        changes=common.changes,
        configuration=common.configuration,
        vetting=common.vetting,
        references=common.references,
        read=read_version,
    )


def _trials(common: _Common, rules: RuleService) -> TrialService:
    return TrialService(
        rules=rules,
        configuration=common.configuration,
        in_force=common.in_force,
        understands=_understood,
        factory=build_matcher,
        history=common.history,
        clock=common.clock,
    )


def _readiness(database: Database, feed: ConfigFeed, prepared: asyncio.Event, vetting: Vetting) -> Readiness:
    """Not ready before the indexes exist, which keep an account with one channel, nor while the first save would wait long."""

    async def readiness() -> Mapping[str, bool]:
        return {
            "mongo": await reachable(database) and prepared.is_set(),
            "configuration": feed.complete,
            "checks": vetting.is_ready,
        }

    return readiness


async def _prepare(database: Database, answers: MongoAnswers, prepared: asyncio.Event) -> None:
    async def tell() -> None:
        prepared.set()

    await mongo.prepare_and_stay(lambda: create_indexes(database), answers.prepare, tell)


async def _vet(feed: ConfigFeed, in_force: ConfigurationInForce, vetting: Vetting) -> None:
    """Make checks quick before anybody saves, and keep them so beside the changes."""
    await feed.wait_complete()
    await in_force.wait_built()
    await vetting.run(in_force.newer)


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
