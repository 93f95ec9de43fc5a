"""The only place that builds things."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from antiphon import failpoints
from antiphon.answers import MongoAnswers
from antiphon.auth import KeyRing
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.consumer import GuardedConsumer
from antiphon.egress import Egress, parse_networks
from antiphon.erasures import Eraser, MongoErasures
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer
from antiphon.mongo import Database, connect, prepare, prepare_and_stay
from antiphon.observing import ConsumerMeter, show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import PersonIndex, RecordSealer
from antiphon.process import ASGIApp
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from antiphon.topics import DECISIONS
from publisher.adapters import codec, http, http_channels, http_people, http_secrets, starting
from publisher.adapters.campaigns import ConfigCampaigns
from publisher.adapters.config import ConfigPolicies
from publisher.adapters.email import Email, Server
from publisher.adapters.hold_news import news_of
from publisher.adapters.kafka import KafkaAnnouncer, People
from publisher.adapters.mongo_channels import MongoChannels
from publisher.adapters.mongo_contests import MongoContests
from publisher.adapters.mongo_entries import MongoEntries
from publisher.adapters.mongo_forgetting import LedgerEraser
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.adapters.mongo_secrets import MongoSecrets
from publisher.adapters.mongo_threads import MongoLimits, MongoThreads
from publisher.adapters.platforms.facebook import Facebook
from publisher.adapters.platforms.graph import GraphClient
from publisher.adapters.platforms.instagram import Instagram
from publisher.adapters.redis_tokens import RedisTokens
from publisher.adapters.telemetry import PublisherMeter
from publisher.adapters.webhooks import Webhooks
from publisher.domain.calls import Rate
from publisher.domain.changes import Timing
from publisher.domain.model import EMAIL, WEBHOOK, told_of
from publisher.domain.notices import HoldNews
from publisher.entries_app import ordering, register_entries
from publisher.ports import Platform
from publisher.service.approvals import Approvals
from publisher.service.entries.clearing import Clearing
from publisher.service.holding import Holding
from publisher.service.intake import Intake
from publisher.service.lanes import Lanes
from publisher.service.moves import Moves
from publisher.service.outbox import Outbox
from publisher.service.quotas import Quotas
from publisher.service.reconciler import Reconciler
from publisher.service.sender import Sender
from publisher.service.sightings import Sightings
from publisher.service.sweep import Sweep
from publisher.settings import PublisherSettings

Built = tuple[ASGIApp, Sequence[Awaitable[None]]]

_KEEP_ALIVE_SECONDS = 4.0
"""Idle connections live shorter than platforms keep them: a reset on a stale one would leave an outcome unknown."""

_REDIS_TIMEOUT = 0.1
"""Seconds; slower answers are no answers, a share of the limits is known without asking."""


@dataclass(frozen=True, slots=True)
class Base:
    """What both roles need."""

    clock: Clock
    database: Database
    ledger: MongoLedger
    channels: MongoChannels
    secrets: MongoSecrets
    quotas: Quotas
    policies: ConfigPolicies
    campaigns: ConfigCampaigns
    keys: KeyRing
    feed: ConfigFeed
    platforms: dict[str, Platform]
    telemetry: Telemetry
    meter: PublisherMeter
    people: RecordSealer
    followers: list[Callable[[Sequence[Change]], None]]
    """Who else wants to hear of the configuration, added before the feed begins."""
    heard_of_holds: list[Callable[[Sequence[HoldNews]], None]]
    """Who is told of changed holds, once the policies know them."""

    @property
    def indexes(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """Return the steps that make the stores' indexes."""
        return self.ledger.prepare, self.channels.prepare, self.secrets.prepare


@asynccontextmanager
async def api(settings: PublisherSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the API: approvals and channels."""
    async with AsyncExitStack() as stack:
        base = await _base(settings, clock or SystemClock(), stack)
        moves = Moves(
            ledger=base.ledger,
            quotas=base.quotas,
            clock=base.clock,
            timing=_timing(settings),
            tell=lambda entry: base.meter.delivered(told_of(entry)),
        )

        async def readiness() -> Mapping[str, bool]:
            return {"mongo": await starting.reachable(base.database), "config": base.feed.complete}

        sealer = Sealer(parse_keys(settings.seal_keys))
        answers = MongoAnswers(base.database, "publisher", sealer, base.clock)
        app = build_api("Antiphon publisher", telemetry=base.telemetry, readiness=readiness, keys=base.keys, answers=answers)
        http.register(app, Approvals(base.ledger, moves), base.policies)
        http_channels.register(app, base.channels, base.platforms, _hosts(settings))
        http_secrets.register(app, base.secrets)
        http_people.register(app, base.database)
        entries = MongoEntries(base.database)
        orders = ordering(base.ledger, base.policies, base.clock)
        contests = MongoContests(base.database, sealer, base.clock)
        register_entries(app, settings, entries, base.campaigns, orders, contests, base.clock)
        yield app, [base.feed.run(), prepare_and_stay(*base.indexes, entries.prepare, answers.prepare)]


@asynccontextmanager
async def worker(settings: PublisherSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the worker: it consumes decisions, sends, reads back and announces."""
    async with AsyncExitStack() as stack:
        base = await _base(settings, clock or SystemClock(), stack)
        producer = build_producer(settings, "publisher")
        stack.push_async_callback(producer.stop)
        threads = MongoThreads(base.database, base.clock)
        parts = _Parts(settings, base, producer, threads, _redis(settings, stack))

        async def readiness() -> Mapping[str, bool]:
            return {
                "mongo": await starting.reachable(base.database),
                "config": base.feed.complete,
                "partitions": parts.consumer.assigned,
            }

        app = build_api("Antiphon publisher worker", telemetry=base.telemetry, readiness=readiness)
        yield app, [base.feed.run(), parts.run()]


class _Parts:
    """The worker's parts and the order in which they start."""

    def __init__(
        self, settings: PublisherSettings, base: Base, producer: AIOKafkaProducer, threads: MongoThreads, redis: "Redis"
    ) -> None:
        self._base, self._producer, self._threads = base, producer, threads
        timing, hit, meter = _timing(settings), failpoints.hit, base.meter
        self._behind = ConsumerMeter(base.telemetry)
        tokens = RedisTokens(redis, base.clock, replicas=settings.publisher_replicas)
        announcer = KafkaAnnouncer(producer, People(PersonIndex(settings.person_key), base.people))
        self._outbox = Outbox(ledger=base.ledger, announcer=announcer, meter=meter, failpoint=hit)
        moves = Moves(ledger=base.ledger, quotas=base.quotas, clock=base.clock, timing=timing, tell=self._outbox.tell)
        self._forgetting = LedgerEraser(base.database, moves)
        self._eraser = Eraser(
            "publisher",
            sealer=Sealer(parse_keys(settings.seal_keys)),
            erasures=MongoErasures(base.database, base.clock),
            erase=self._forgetting.erase,
        )
        base.followers.append(self._eraser.follow)
        sightings = Sightings(ledger=base.ledger, threads=threads, moves=moves, meter=meter)
        sender = Sender(
            threads=threads,
            quotas=base.quotas,
            ledger=base.ledger,
            channels=base.channels,
            secrets=base.secrets,
            tokens=tokens,
            policies=base.policies,
            platforms=base.platforms,
            rights=Clearing(MongoEntries(base.database), base.clock),
            moves=moves,
            meter=meter,
            remember=sightings.remember,
            clock=base.clock,
            timing=timing,
            http_timeout=settings.publisher_http_timeout_seconds,
            failpoint=hit,
        )
        self._lanes = Lanes(
            prepare=sender.prepare,
            clock=base.clock,
            meter=meter,
            width=settings.publisher_concurrency,
            capacity=settings.publisher_queue,
        )
        intake = Intake(
            ledger=base.ledger,
            threads=threads,
            policies=base.policies,
            platforms=base.platforms,
            moves=moves,
            sightings=sightings,
            enqueue=self._lanes.add,
            clock=base.clock,
            timing=timing,
            failpoint=hit,
        )
        self._holding = Holding(
            ledger=base.ledger, policies=base.policies, moves=moves, enqueue=self._lanes.add, clock=base.clock
        )
        base.heard_of_holds.append(self._holding.put)
        self._reconciler = Reconciler(moves=moves, channels=base.channels, tokens=tokens, platforms=base.platforms, meter=meter)
        self._sweep = Sweep(
            ledger=base.ledger,
            lanes=self._lanes,
            outbox=self._outbox,
            moves=moves,
            meter=meter,
            platforms=base.platforms,
            read_back=self._reconciler.offer,
            clock=base.clock,
            interval=settings.publisher_sweep_seconds,
        )
        guard = Guard(
            decode=codec.decode,
            process=intake.take,
            dead_letters=DeadLetters(producer, meter.dead_letter),
            open_records=base.people.open,
        )
        self.consumer = GuardedConsumer(
            settings,
            topics=[DECISIONS],
            group=settings.publisher_group,
            guard=guard,
            committed=lambda: hit("publisher.after_commit"),
            rebalanced=self._behind.rebalanced,
        )
        meter.follow(lambda: self._lanes.depth, lambda: self._outbox.waiting)

    async def run(self) -> None:
        """Start in order: nothing is sent before the holds and modes in force are known."""
        base = self._base
        await prepare(*base.indexes, self._threads.prepare, self._forgetting.prepare)
        await starting.start(self._producer)
        await base.feed.wait_complete()
        async with asyncio.TaskGroup() as group:
            parts = (self._lanes, self._outbox, self._reconciler, self._sweep, self._holding, self.consumer, self._eraser)
            for part in parts:
                group.create_task(part.run())
            group.create_task(self._behind.watch(self._lag))
            group.create_task(starting.keep_counting(base.ledger, base.policies, base.meter))

    async def _lag(self) -> float:
        return await self.consumer.lag() if self.consumer.assigned else float("nan")


async def _base(settings: PublisherSettings, clock: Clock, stack: AsyncExitStack) -> Base:
    client, database = connect(settings)
    stack.callback(client.close)
    telemetry = Telemetry("publisher")
    people = record_sealer(database, settings, clock)
    followers: list[Callable[[Sequence[Change]], None]] = []
    policies, campaigns, keys = ConfigPolicies(), ConfigCampaigns(), KeyRing(clock)
    heard_of_holds: list[Callable[[Sequence[HoldNews]], None]] = []

    def apply(changes: Sequence[Change]) -> None:
        policies.apply(changes)
        campaigns.apply(changes)
        keys.apply(changes)
        people.follow(changes)
        for follow in followers:
            follow(changes)
        for hear in heard_of_holds:
            hear(news_of(changes))

    feed = ConfigFeed(settings, apply)
    show_revision(telemetry, feed)
    http_client = await stack.enter_async_context(_http(settings))
    timeout = settings.publisher_http_timeout_seconds
    graph = GraphClient(http_client, clock, timeout=timeout, failpoint=failpoints.hit)
    egress = Egress(allowed=parse_networks(settings.publisher_notify_allowed_networks), tls=_tls(settings))
    stack.push_async_callback(egress.aclose)
    sealer = Sealer(parse_keys(settings.seal_keys))
    rate = Rate(settings.publisher_rate_per_second, settings.publisher_rate_burst)
    return Base(
        clock=clock,
        database=database,
        ledger=MongoLedger(database),
        channels=MongoChannels(database, sealer, clock),
        secrets=MongoSecrets(database, sealer, clock),
        quotas=Quotas(MongoLimits(database)),
        policies=policies,
        campaigns=campaigns,
        keys=keys,
        feed=feed,
        platforms={
            "facebook": Facebook(graph, settings.publisher_facebook_api_url, rate, settings.publisher_public_url),
            "instagram": Instagram(graph, settings.publisher_instagram_api_url, rate, settings.publisher_public_url),
            WEBHOOK: Webhooks(egress, clock, timeout=timeout),
            EMAIL: Email(_mail_server(settings), clock, timeout=timeout),
        },
        telemetry=telemetry,
        meter=PublisherMeter(telemetry, clock),
        people=people,
        followers=followers,
        heard_of_holds=heard_of_holds,
    )


def _http(settings: PublisherSettings) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(settings.publisher_http_timeout_seconds, connect=settings.publisher_connect_timeout_seconds),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=_KEEP_ALIVE_SECONDS),
        follow_redirects=False,
        trust_env=False,
        proxy=settings.publisher_egress_proxy,
    )


def _redis(settings: PublisherSettings, stack: AsyncExitStack) -> "Redis":
    redis: Redis = Redis.from_url(
        settings.redis_url.get_secret_value(), socket_timeout=_REDIS_TIMEOUT, socket_connect_timeout=_REDIS_TIMEOUT
    )
    stack.push_async_callback(redis.aclose)
    return redis


def _timing(settings: PublisherSettings) -> Timing:
    return Timing(lease=settings.publisher_lease_seconds, settle=settings.publisher_settle_seconds)


def _mail_server(settings: PublisherSettings) -> Server:
    off = settings.publisher_smtp_tls == "off"
    return Server(
        host=settings.publisher_smtp_host,
        port=settings.publisher_smtp_port,
        sender=settings.publisher_smtp_from,
        username=settings.publisher_smtp_username,
        password=settings.publisher_smtp_password,
        tls=None if off else ssl.create_default_context(cafile=settings.publisher_smtp_ca_file),
        start_tls=settings.publisher_smtp_tls == "starttls",
    )


def _hosts(settings: PublisherSettings) -> frozenset[str]:
    own = (settings.publisher_facebook_api_url, settings.publisher_instagram_api_url)
    return settings.publisher_api_hosts | {urlsplit(url).hostname or "" for url in own}


def _tls(settings: PublisherSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.publisher_notify_ca_file)


__all__ = ["Base", "api", "worker"]
