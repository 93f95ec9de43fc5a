"""Where the campaigns role is built, which keeps the ledger of entries: apart, so that no other role loads its libraries."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from antiphon import failpoints
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import ConfigFeed
from antiphon.consumer import GuardedConsumer
from antiphon.egress import Egress, parse_networks
from antiphon.erasures import build_eraser
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer, stop_producer
from antiphon.mongo import Database, connect, prepare
from antiphon.observing import show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import PersonIndex, RecordSealer
from antiphon.process import Built
from antiphon.starting import patiently, reachable
from antiphon.telemetry import Telemetry
from antiphon.topics import DECISIONS, DELIVERIES
from publisher.adapters import entry_codec
from publisher.adapters.campaigns import ConfigCampaigns
from publisher.adapters.config import ConfigPolicies
from publisher.adapters.kafka import KafkaEntryAnnouncer, People
from publisher.adapters.lookalikes import MinHashLookalikes
from publisher.adapters.media import EgressMedia
from publisher.adapters.mongo_entries import MongoEntries, MongoPlaces
from publisher.adapters.mongo_forgetting import EntryEraser
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.adapters.mongo_threads import MongoLimits, MongoThreads
from publisher.adapters.telemetry import CampaignsMeter
from publisher.entries_app import inviting, media_store, ordering
from publisher.entry_ports import MediaStore
from publisher.service.entries.admitting import Admitting
from publisher.service.entries.answers import Answers
from publisher.service.entries.asking import Asking
from publisher.service.entries.fetching import Fetching, probe
from publisher.service.entries.flagging import Flagging
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.removing import Removals
from publisher.service.entries.sweep import EntrySweep
from publisher.service.entries.taking import Taking
from publisher.service.entries.teller import Teller
from publisher.settings import PublisherSettings

__all__ = ["campaigns"]


@asynccontextmanager
async def campaigns(settings: PublisherSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the role: it consumes decisions and deliveries, keeps entries, asks, fetches media and tells."""
    async with AsyncExitStack() as stack:
        base = _base(settings, clock or SystemClock(), stack)
        parts = _Parts(base, _common(base), _media(settings, stack))

        async def readiness() -> Mapping[str, bool]:
            return {
                "mongo": await reachable(base.database),
                "config": base.feed.complete,
                "partitions": parts.consumer.assigned,
            }

        app = build_api("Antiphon publisher campaigns", telemetry=base.telemetry, readiness=readiness)
        yield app, [base.feed.run(), parts.run()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What touches the outside."""

    settings: PublisherSettings
    clock: Clock
    database: Database
    producer: AIOKafkaProducer
    telemetry: Telemetry
    meter: CampaignsMeter
    people: RecordSealer
    policies: ConfigPolicies
    campaigns: ConfigCampaigns
    feed: ConfigFeed
    entries: MongoEntries
    places: MongoPlaces
    ledger: MongoLedger
    threads: MongoThreads
    store: MediaStore


def _base(settings: PublisherSettings, clock: Clock, stack: AsyncExitStack) -> _Base:
    client, database = connect(settings)
    stack.callback(client.close)
    producer = build_producer(settings, "publisher.campaigns")
    stack.push_async_callback(stop_producer, producer)
    telemetry, people = Telemetry("publisher_campaigns"), record_sealer(database, settings, clock)
    policies, known = ConfigPolicies(), ConfigCampaigns()
    feed = ConfigFeed(settings, policies.apply, known.apply, people.follow)
    show_revision(telemetry, feed)
    return _Base(
        settings=settings,
        clock=clock,
        database=database,
        producer=producer,
        telemetry=telemetry,
        meter=CampaignsMeter(telemetry),
        people=people,
        policies=policies,
        campaigns=known,
        feed=feed,
        entries=MongoEntries(database),
        places=MongoPlaces(database),
        ledger=MongoLedger(database),
        threads=MongoThreads(database, clock),
        store=media_store(settings),
    )


def _media(settings: PublisherSettings, stack: AsyncExitStack) -> EgressMedia:
    egress = Egress(
        allowed=parse_networks(settings.publisher_media_allowed_networks),
        tls=ssl.create_default_context(cafile=settings.publisher_notify_ca_file),
    )
    stack.push_async_callback(egress.aclose)
    return EgressMedia(egress, most=settings.publisher_media_max_bytes, seconds=settings.publisher_media_timeout_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What the role's parts share beside the base."""

    teller: Teller
    moves: EntryMoves
    asking: Asking
    removals: Removals


def _common(base: _Base) -> _Common:
    people = People(PersonIndex(base.settings.person_key), base.people)
    announcer = KafkaEntryAnnouncer(base.producer, people, base.meter.told)
    teller = Teller(entries=base.entries, announcer=announcer, failpoint=failpoints.hit)
    moves = EntryMoves(base.entries, base.clock, teller.wake)
    orders = ordering(base.ledger, base.policies, base.clock)
    invitations = inviting(base.settings, base.clock)
    return _Common(
        teller=teller,
        moves=moves,
        asking=Asking(base.entries, base.campaigns, orders, invitations, moves, base.clock),
        removals=Removals(orders, moves),
    )


class _Parts:
    """The role's parts and the order in which they start."""

    def __init__(self, base: _Base, common: _Common, media: EgressMedia) -> None:
        self._base, self._teller = base, common.teller
        taking = _taking(base, common)
        self._sweep = _sweep(base, common, media, taking)
        erase = EntryEraser(base.database, common.moves, common.removals, base.store).erase
        self._eraser = build_eraser("entries", erase, settings=base.settings, database=base.database, clock=base.clock)
        self.consumer = _consumer(base, taking)
        base.feed.add_follower(self._eraser.follow)

    async def run(self) -> None:
        """Start in order: no entry is judged before the campaigns in force are known."""
        base = self._base
        await prepare(*(store.prepare for store in (base.entries, base.places, base.ledger, base.threads)))
        await probe(base.store)
        await patiently(base.producer.start)
        await base.feed.wait_complete()
        async with asyncio.TaskGroup() as group:
            for part in (self._teller, self._sweep, self.consumer, self._eraser):
                group.create_task(part.run())


def _taking(base: _Base, common: _Common) -> Taking:
    return Taking(
        entries=base.entries,
        threads=base.threads,
        campaigns=base.campaigns,
        policies=base.policies,
        admitting=Admitting(MongoLimits(base.database), base.places),
        flagging=Flagging(base.entries, MinHashLookalikes()),
        asking=common.asking,
        answers=Answers(base.entries, common.moves, common.removals),
        removals=common.removals,
        moves=common.moves,
        clock=base.clock,
        failpoint=failpoints.hit,
    )


def _sweep(base: _Base, common: _Common, media: EgressMedia, taking: Taking) -> EntrySweep:
    return EntrySweep(
        entries=base.entries,
        advance=taking.advance,
        asking=common.asking,
        fetching=Fetching(base.entries, media, base.store, common.moves, base.clock),
        moves=common.moves,
        clock=base.clock,
        interval=base.settings.publisher_sweep_seconds,
    )


def _consumer(base: _Base, taking: Taking) -> GuardedConsumer:
    guard = Guard(
        decode=entry_codec.decode,
        process=taking.take,
        dead_letters=DeadLetters(base.producer, base.meter.dead_letter),
        open_records=base.people.open,
    )
    group = base.settings.publisher_campaigns_group
    return GuardedConsumer(base.settings, topics=[DECISIONS, DELIVERIES], group=group, guard=guard)
