"""Where the engine is built: beside `app.py`, so that the API's process does not load Faust."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

from antiphon import process
from antiphon.clock import Clock, SystemClock
from antiphon.config_feed import ConfigFeed
from antiphon.egress import Egress, parse_networks
from antiphon.erasures import Forgotten, build_eraser
from antiphon.errors import Transient
from antiphon.http import build_api
from antiphon.kafka import DeadLetters, Guard, build_producer, stop_producer
from antiphon.mongo import connect
from antiphon.observing import ConsumerMeter, show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import RecordSealer
from antiphon.process import Built, background
from antiphon.seal import build_sealer
from antiphon.telemetry import Telemetry
from antiphon.topics import EVENTS
from rules.adapters import stream
from rules.adapters.codec import decode_event
from rules.adapters.config import ConfigurationInForce
from rules.adapters.engine_telemetry import PrometheusCounts
from rules.adapters.programmes import tracked_links
from rules.adapters.understanding import Models
from rules.service import DecisionService, Incoming
from rules.settings import RulesEngineSettings

_TOPIC_RETRY_SECONDS = 1.0
"""Between two looks for a topic that the deployment has yet to make."""


def run_engine(settings: RulesEngineSettings) -> int:
    """Run the engine until a signal; return the exit code."""
    return process.run("rules-engine", settings, lambda: engine(settings))


@asynccontextmanager
async def engine(settings: RulesEngineSettings) -> AsyncIterator[Built]:
    """Build the engine: health and metrics to serve, and its work."""
    async with AsyncExitStack() as stack:
        client, database = connect(settings)
        stack.callback(client.close)
        producer = build_producer(settings, "rules-engine")
        stack.push_async_callback(stop_producer, producer)
        egress = Egress(allowed=parse_networks(settings.rules_model_allowed_networks))
        stack.push_async_callback(egress.aclose)
        clock, telemetry = SystemClock(), Telemetry("rules")
        counts = PrometheusCounts(telemetry)
        worker = _Worker(
            settings=settings,
            producer=producer,
            people=record_sealer(database, settings, clock),
            configuration=ConfigurationInForce(counts.configuration_refused, tracked_links(settings)),
            models=Models(egress=egress, sealer=build_sealer(settings), clock=clock, counted=counts.understood),
            counts=counts,
            clock=clock,
            meter=ConsumerMeter(telemetry),
        )
        eraser = build_eraser("engine", worker.erase, settings=settings, database=database, clock=clock)
        feed = ConfigFeed(settings, worker.configuration.apply, worker.people.follow, eraser.follow)
        show_revision(telemetry, feed)

        async def work() -> None:
            """The whole configuration first, then events."""
            await feed.wait_complete()
            await worker.configuration.wait_built()
            await worker.run()

        async def readiness() -> Mapping[str, bool]:
            return {"configuration": feed.complete, "partitions": worker.assigned}

        app = build_api("Antiphon rules engine", telemetry=telemetry, readiness=readiness)
        yield app, [feed.run(), worker.configuration.run(feed.wait_complete), work(), eraser.run()]


@dataclass(slots=True, kw_only=True)
class _Worker:
    """The Faust worker; its application is made once the number of partitions is known, until then there is none."""

    settings: RulesEngineSettings
    producer: AIOKafkaProducer
    people: RecordSealer
    configuration: ConfigurationInForce
    models: Models
    counts: PrometheusCounts
    clock: Clock
    meter: ConsumerMeter
    _app: faust.App | None = None
    _states: stream.TableAuthorStates | None = None

    @property
    def assigned(self) -> bool:
        """Whether it has partitions to work on."""
        return self._app is not None and stream.is_assigned(self._app)

    async def erase(self, person: Forgotten) -> None:
        """Forget what a person has consumed. Raises Transient."""
        if self._states is None:
            raise Transient("the engine has not begun yet")
        await self._states.erase(person)

    async def run(self) -> None:
        """Decide events until cancelled."""
        await self.producer.start()
        self._app = app = stream.build_stream(self.settings, partitions=await _partitions(self.producer))
        self._states = stream.TableAuthorStates(app)
        stream.add_agent(app, self._guard(self._states))
        stream.tell_assignments(app, self.meter.rebalanced)
        async with background(self.meter.watch(lambda: stream.lag(app))):
            await stream.run_stream(app)

    def _guard(self, states: stream.TableAuthorStates) -> Guard[Incoming]:
        service = DecisionService(
            configuration=self.configuration,
            models=self.models,
            states=states,
            log=stream.KafkaDecisionLog(self.producer, self.people),
            counts=self.counts,
            clock=self.clock,
        )
        return Guard(
            decode=decode_event,
            process=service.decide,
            dead_letters=DeadLetters(self.producer, self.counts.dead_letter),
            open_records=self.people.open,
        )


async def _partitions(producer: AIOKafkaProducer) -> int:
    """Return the partition count of the events topic, which the table of author states must share; waits for the topic."""
    while True:
        try:
            return len(await producer.partitions_for(EVENTS))
        except UnknownTopicOrPartitionError:
            await asyncio.sleep(_TOPIC_RETRY_SECONDS)
