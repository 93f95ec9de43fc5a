"""Where the engine is built: beside `app.py`, so that the API's process does not load Faust."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

from antiphon import process
from antiphon.clock import SystemClock
from antiphon.config_feed import Change, ConfigFeed
from antiphon.egress import Egress, parse_networks
from antiphon.erasures import Eraser, Forgotten, MongoErasures
from antiphon.errors import Transient
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer
from antiphon.mongo import connect
from antiphon.observing import ConsumerMeter, show_revision
from antiphon.person_keys import record_sealer
from antiphon.process import ASGIApp, background
from antiphon.seal import Sealer, parse_keys
from antiphon.telemetry import Telemetry
from antiphon.topics import EVENTS
from rules.adapters import stream
from rules.adapters.codec import decode_event
from rules.adapters.config import ConfigurationInForce
from rules.adapters.engine_telemetry import PrometheusCounts
from rules.adapters.programmes import tracked_links
from rules.adapters.understanding import Models
from rules.service import DecisionService
from rules.settings import RulesEngineSettings

_TOPIC_RETRY_SECONDS = 1.0
"""Between two looks for a topic that the deployment has yet to make."""


def run_engine(settings: RulesEngineSettings) -> int:
    """Run the engine until a signal; return the exit code."""
    return process.run("rules-engine", settings, lambda: engine(settings))


@asynccontextmanager
async def engine(settings: RulesEngineSettings) -> AsyncIterator[tuple[ASGIApp, Sequence[Awaitable[None]]]]:
    """Build the engine: health and metrics to serve, and its work."""
    telemetry = Telemetry("rules")
    counts, meter = PrometheusCounts(telemetry), ConsumerMeter(telemetry)
    configuration = ConfigurationInForce(counts.configuration_refused, tracked_links(settings))
    client, database = connect(settings)
    people = record_sealer(database, settings, SystemClock())

    holding: list[stream.TableAuthorStates] = []

    async def erase(person: Forgotten) -> None:
        if not holding:
            raise Transient("the engine has not begun yet")
        await holding[0].erase(person)

    erasures = MongoErasures(database, SystemClock())
    eraser = Eraser("engine", sealer=Sealer(parse_keys(settings.seal_keys)), erasures=erasures, erase=erase)

    def apply(changes: Sequence[Change]) -> None:
        configuration.apply(changes)
        people.follow(changes)
        eraser.follow(changes)

    feed = ConfigFeed(settings, apply)
    show_revision(telemetry, feed)
    producer = build_producer(settings, "rules-engine")
    egress = Egress(allowed=parse_networks(settings.rules_model_allowed_networks))
    models = Models(egress=egress, sealer=Sealer(parse_keys(settings.seal_keys)), clock=SystemClock(), counted=counts.understood)
    assigned: list[Callable[[], bool]] = []

    async def work() -> None:
        """The whole configuration first, then events."""
        await feed.wait_complete()
        await configuration.wait_built()
        await producer.start()
        try:
            app = stream.build_stream(settings, partitions=await _partitions(producer))
            states = stream.TableAuthorStates(app)
            holding.append(states)
            log = stream.KafkaDecisionLog(producer, people)
            service = DecisionService(
                configuration=configuration, models=models, states=states, log=log, counts=counts, clock=SystemClock()
            )
            dead_letters = DeadLetters(producer, counts.dead_letter)
            stream.add_agent(
                app, Guard(decode=decode_event, process=service.decide, dead_letters=dead_letters, open_records=people.open)
            )
            assigned.append(lambda: stream.is_assigned(app))
            stream.tell_assignments(app, meter.rebalanced)
            async with background(meter.watch(lambda: stream.lag(app))):
                await stream.run_stream(app)
        finally:
            await producer.stop()
            await egress.aclose()
            client.close()

    async def readiness() -> Mapping[str, bool]:
        return {"configuration": feed.complete, "partitions": any(check() for check in assigned)}

    yield (
        build_api("Antiphon rules engine", telemetry=telemetry, readiness=readiness),
        [feed.run(), configuration.run(), work(), eraser.run()],
    )


async def _partitions(producer: AIOKafkaProducer) -> int:
    """Return the partition count of the events topic, which the table of author states must share; waits for the topic."""
    while True:
        try:
            return len(await producer.partitions_for(EVENTS))
        except UnknownTopicOrPartitionError:
            await asyncio.sleep(_TOPIC_RETRY_SECONDS)
