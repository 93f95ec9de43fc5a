"""The campaigns role: builds what keeps the ledger of entries. Apart from `app`, so that nobody else loads its libraries."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaProducer

from antiphon import failpoints
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.consumer import GuardedConsumer
from antiphon.egress import Egress, parse_networks
from antiphon.erasures import Eraser, MongoErasures
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer
from antiphon.mongo import Database, connect, prepare
from antiphon.observing import show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import PersonIndex
from antiphon.process import ASGIApp
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from antiphon.topics import DECISIONS, DELIVERIES
from publisher.adapters import entry_codec, starting
from publisher.adapters.campaigns import ConfigCampaigns
from publisher.adapters.config import ConfigPolicies
from publisher.adapters.kafka import KafkaEntryAnnouncer, People
from publisher.adapters.lookalikes import MinHashLookalikes
from publisher.adapters.media import DirectoryMedia, EgressMedia
from publisher.adapters.mongo_entries import MongoEntries, MongoPlaces
from publisher.adapters.mongo_forgetting import EntryEraser
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.adapters.mongo_threads import MongoLimits, MongoThreads
from publisher.adapters.telemetry import CampaignsMeter
from publisher.entries_app import inviting, ordering
from publisher.service.entries.admitting import Admitting
from publisher.service.entries.answers import Answers
from publisher.service.entries.asking import Asking
from publisher.service.entries.fetching import Fetching
from publisher.service.entries.flagging import Flagging
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.removing import Removals
from publisher.service.entries.sweep import EntrySweep
from publisher.service.entries.taking import Taking
from publisher.service.entries.teller import Teller
from publisher.settings import PublisherSettings

__all__ = ["campaigns"]


@asynccontextmanager
async def campaigns(
    settings: PublisherSettings, *, clock: Clock | None = None
) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Build the role: it consumes decisions and deliveries, keeps entries, asks, fetches media and tells."""
    async with AsyncExitStack() as stack:
        client, database = connect(settings)
        stack.callback(client.close)
        telemetry = Telemetry("publisher_campaigns")
        producer = build_producer(settings, "publisher.campaigns")
        stack.push_async_callback(producer.stop)
        egress = Egress(
            allowed=parse_networks(settings.publisher_media_allowed_networks),
            tls=ssl.create_default_context(cafile=settings.publisher_notify_ca_file),
        )
        stack.push_async_callback(egress.aclose)
        parts = _Parts(settings, database, producer, egress, CampaignsMeter(telemetry), clock or SystemClock())
        show_revision(telemetry, parts.feed)

        async def readiness() -> Mapping[str, bool]:
            return {
                "mongo": await starting.reachable(database),
                "config": parts.feed.complete,
                "partitions": parts.consumer.assigned,
            }

        app = build_api("Antiphon publisher campaigns", telemetry=telemetry, readiness=readiness)
        yield app, [parts.feed.run(), parts.run()]


class _Parts:
    """The role's parts and the order in which they start."""

    def __init__(
        self,
        settings: PublisherSettings,
        database: Database,
        producer: AIOKafkaProducer,
        egress: Egress,
        meter: CampaignsMeter,
        clock: Clock,
    ) -> None:
        self._producer, hit = producer, failpoints.hit
        policies, known, people = ConfigPolicies(), ConfigCampaigns(), record_sealer(database, settings, clock)

        def apply(changes: Sequence[Change]) -> None:
            policies.apply(changes)
            known.apply(changes)
            people.follow(changes)
            self._eraser.follow(changes)

        self.feed = ConfigFeed(settings, apply)
        self._entries, self._places = MongoEntries(database), MongoPlaces(database)
        self._ledger, self._threads = MongoLedger(database), MongoThreads(database, clock)
        entries = self._entries
        announcer = KafkaEntryAnnouncer(producer, People(PersonIndex(settings.person_key), people), meter.told)
        self._teller = Teller(entries=entries, announcer=announcer, failpoint=hit)
        moves = EntryMoves(entries, clock, self._teller.wake)
        orders = ordering(self._ledger, policies, clock)
        asking = Asking(entries, known, orders, inviting(settings, clock), moves, clock)
        removals = Removals(orders, moves)
        store = DirectoryMedia(settings.publisher_media_directory)
        self._eraser = Eraser(
            "entries",
            sealer=Sealer(parse_keys(settings.seal_keys)),
            erasures=MongoErasures(database, clock),
            erase=EntryEraser(database, moves, removals, store).erase,
        )
        media = EgressMedia(egress, most=settings.publisher_media_max_bytes, seconds=settings.publisher_media_timeout_seconds)
        taking = Taking(
            entries=entries,
            threads=self._threads,
            campaigns=known,
            policies=policies,
            admitting=Admitting(MongoLimits(database), self._places),
            flagging=Flagging(entries, MinHashLookalikes()),
            asking=asking,
            answers=Answers(entries, moves, removals),
            removals=removals,
            moves=moves,
            clock=clock,
            failpoint=hit,
        )
        self._sweep = EntrySweep(
            entries=entries,
            advance=taking.advance,
            asking=asking,
            fetching=Fetching(entries, media, store, moves),
            moves=moves,
            clock=clock,
            interval=settings.publisher_sweep_seconds,
        )
        dead_letters = DeadLetters(producer, meter.dead_letter)
        guard = Guard(decode=entry_codec.decode, process=taking.take, dead_letters=dead_letters, open_records=people.open)
        self.consumer = GuardedConsumer(
            settings, topics=[DECISIONS, DELIVERIES], group=settings.publisher_campaigns_group, guard=guard
        )

    async def run(self) -> None:
        """Start in order: no entry is judged before the campaigns in force are known."""
        stores = (self._entries, self._places, self._ledger, self._threads)
        await prepare(*(store.prepare for store in stores))
        await starting.start(self._producer)
        await self.feed.wait_complete()
        async with asyncio.TaskGroup() as group:
            for part in (self._teller, self._sweep, self.consumer, self._eraser):
                group.create_task(part.run())
