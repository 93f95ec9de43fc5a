"""The engine as a real process on real Kafka, configured straight through the configuration topic."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from antiphon import ids
from antiphon.kafka import Headers, Record
from antiphon.persons import HEADER, PersonIndex, RecordSealer
from antiphon.times import to_timestamp
from antiphon.topics import CONFIG, DECISIONS, EVENTS, LIMITS, record_key
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord, RuleConfig
from antiphon.v1.decision_pb2 import Decision, Mode
from antiphon.v1.event_pb2 import Author, Event, EventKind, Platform, Verb
from antiphon_local.line.processes import Line
from antiphon_local.services import LocalServices

BRAND = "b"

RULES: Sequence[Mapping[str, Any]] = [
    {
        "id": "once",
        "name": "Once per author",
        "state": "active",
        "where": {"kinds": ["comment"]},
        "when": {"text": {"any": ["price"], "as": "words"}},
        "limits": [{"per": "author", "at_most": 1, "within": "24h"}],
        "then": [{"reply": {"text": {"default": ["It is 49 €, {{author.first_name|there}}."]}}}],
    }
]


def event(number: int, author: str, text: str, *, minutes: float = 0.0) -> Event:
    """Return a comment; `number` is its identity, `minutes` its age."""
    now = datetime.now(UTC) - timedelta(minutes=minutes)
    return Event(
        event_id=ids.event_id("facebook", "page", str(number), "create", ""),
        brand=BRAND,
        platform=Platform.PLATFORM_FACEBOOK,
        account="page",
        channel="main",
        kind=EventKind.EVENT_KIND_COMMENT,
        verb=Verb.VERB_CREATE,
        object=str(number),
        root="post",
        author=Author(id=author, name="Anna Bell"),
        text=text,
        event_time=to_timestamp(now),
        received_time=to_timestamp(now),
    )


class Engine:
    """Engine processes and the topics around them."""

    def __init__(self, services: LocalServices, directory: Path) -> None:
        self.services = services
        self.directory = directory
        self.lines: list[Line] = []

    @property
    def bootstrap(self) -> str:
        return self.services.kafka.address

    def start(self, **env: str) -> Line:
        """Start one more engine and wait until it has partitions."""
        directory = self.directory / f"engine-{len(self.lines)}"
        extra = {"FAILPOINTS_ALLOWED": "true", "KAFKA_GROUP_INSTANCE_ID": directory.name, **env}
        line = Line(self.services, directory, env=extra, roles=("engine",))
        self.lines.append(line)
        line.start()
        line.wait_working()
        return line

    def stop(self) -> None:
        for line in self.lines:
            line.stop()

    def configure(self, rules: Sequence[Mapping[str, Any]] = RULES) -> None:
        """Publish the brand and its rules."""

        async def publish() -> None:
            brand = ConfigRecord(generation=1, brand=BrandConfig(brand=BRAND, mode=Mode.MODE_AUTO))
            await self._send(CONFIG, [(f"brand/{BRAND}/".encode(), brand.SerializeToString())])
            for rule in rules:
                config = RuleConfig(brand=BRAND, rule_id=rule["id"], version=1, active=True, document=orjson.dumps(rule))
                record = ConfigRecord(generation=1, rule=config)
                await self._send(CONFIG, [(f"rule/{BRAND}/{rule['id']}".encode(), record.SerializeToString())])

        asyncio.run(publish())

    def feed(self, events: Sequence[Event]) -> None:
        """Publish events, keyed by their authors."""
        asyncio.run(self._send(EVENTS, [(f"{BRAND}/{e.author.id}".encode(), e.SerializeToString()) for e in events]))

    def feed_sealed(self, events: Sequence[Event], people: RecordSealer, index: PersonIndex) -> None:
        """Publish events as ingest does where people are hidden, sealed where `people` knows the key."""
        records = []
        for one in events:
            reference = index.reference(BRAND, "facebook", one.author.id)
            value, headers = people.seal(EVENTS, reference, one.SerializeToString())
            records.append((record_key(BRAND, reference), value, headers))
        asyncio.run(self._send(EVENTS, records))

    def feed_raw(self, key: bytes, value: bytes) -> None:
        """Publish anything as an event."""
        asyncio.run(self._send(EVENTS, [(key, value)]))

    def feed_state(self, key: bytes, value: bytes) -> None:
        """Publish an author's state, as an engine would."""
        asyncio.run(self._send(LIMITS, [(key, value)]))

    async def _send(self, topic: str, records: Sequence[tuple[bytes, bytes] | tuple[bytes, bytes, Headers]]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
            for acknowledged in [
                await producer.send(topic, value, key=key, headers=list(*headers)) for key, value, *headers in records
            ]:
                await acknowledged

    def decisions(
        self, wanted: set[str], timeout_s: float = 60.0, people: RecordSealer | None = None
    ) -> dict[str, list[Decision]]:
        """Return all decisions by event, once every wanted event has one; sealed ones as far as `people` opens them."""

        async def read() -> dict[str, list[Decision]]:
            found: dict[str, list[Decision]] = defaultdict(list)
            async with AIOKafkaConsumer(DECISIONS, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest") as consumer:
                async with asyncio.timeout(timeout_s):
                    while not wanted <= found.keys():
                        for messages in (await consumer.getmany(timeout_ms=200)).values():
                            for decision in await _opened(messages, people):
                                found[decision.event_id].append(decision)
            return found

        return asyncio.run(read())

    def committed(self) -> tuple[dict[int, int], dict[int, int]]:
        """Return up to where the events of each partition are committed, and where they end; empty partitions are left out."""

        async def read() -> tuple[dict[int, int], dict[int, int]]:
            async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id="rules", enable_auto_commit=False) as consumer:
                consumer.assign([TopicPartition(EVENTS, number) for number in range(4)])
                ends = {each.partition: end for each, end in (await consumer.end_offsets(consumer.assignment())).items() if end}
                return {number: await consumer.committed(TopicPartition(EVENTS, number)) or 0 for number in ends}, ends

        return asyncio.run(read())

    def dead_letters(self, topic: str, count: int, timeout_s: float = 30.0) -> list[Any]:
        """Return the records of a dead-letter topic, once there are `count`."""

        async def read() -> list[Any]:
            found: list[Any] = []
            async with AIOKafkaConsumer(topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest") as consumer:
                async with asyncio.timeout(timeout_s):
                    while len(found) < count:
                        for messages in (await consumer.getmany(timeout_ms=200)).values():
                            found.extend(messages)
            return found

        return asyncio.run(read())


async def _opened(messages: Sequence[Any], people: RecordSealer | None) -> list[Decision]:
    records = [Record(one.topic, one.partition, one.offset, one.key, one.value, one.headers) for one in messages]
    if people is None:
        return [Decision.FromString(one.value) for one in records if HEADER not in dict(one.headers)]
    return [Decision.FromString(one.value) for one in await people.open(records) if one is not None]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Kafka of its own, because the engine's topics have fixed names, and no engine yet."""
    directory = tmp_path_factory.mktemp("engine")
    with LocalServices(directory / "services", partitions=4) as services:
        running = Engine(services, directory)
        running.configure()
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture
def event_of() -> Any:
    """The maker of comments."""
    return event
