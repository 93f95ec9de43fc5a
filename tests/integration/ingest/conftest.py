"""The service as a real process on the real backing services."""

import asyncio
import base64
import hmac
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import SecretStr

from antiphon.mongo import connect
from antiphon.seal import Sealer, parse_keys
from antiphon.settings import MongoSettings
from antiphon.topics import CONFIG, EVENTS, dead_letters_of
from antiphon.v1.config_pb2 import ConfigRecord
from antiphon.v1.event_pb2 import Event
from antiphon_local.kafka import Kafka
from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process
from antiphon_local.services import LocalServices
from antiphon_local.topics import create_topics
from ingest.adapters.mongo import MongoSourceStore
from ingest.domain import Account, Secret, Source

SEAL_KEYS = "k1:" + base64.b64encode(bytes(range(32))).decode()
SECRET = b"integration-secret"
LINK_KEY = bytes(range(32, 64))


def comment(number: int, account: str = "100") -> dict[str, Any]:
    """Return a change with a comment of its own person."""
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": f"901_{number}",
        "post_id": f"{account}_901",
        "parent_id": f"{account}_901",
        "from": {"id": f"7{number}", "name": "Tester"},
        "created_time": 1449135003,
        "message": f"comment {number} äöü 🎉",
    }
    return {"field": "feed", "value": value}


def body_of(*changes: Any, account: str = "100") -> bytes:
    """Return a signed body's bytes."""
    return orjson.dumps({"object": "page", "entry": [{"id": account, "time": 1449135003, "changes": list(changes)}]})


async def configure(bootstrap: str, *records: tuple[str, ConfigRecord]) -> None:
    """Write records to the configuration topic, as the rules service does."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        for key, record in records:
            await producer.send_and_wait(CONFIG, record.SerializeToString(), key=key.encode())
    finally:
        await producer.stop()


@dataclass
class Edge:
    """A process with one subscription, and everything it wrote since the start of the test."""

    process: Process
    url: str
    bootstrap: str
    source: Source
    env: dict[str, str]
    starts: dict[TopicPartition, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/webhooks/facebook/{self.source.id}"

    def start(self, **env: str) -> None:
        """Start the process and wait until it lives."""
        command = self.process.command
        self.process = Process(
            Command(
                name="ingest", argv=command.argv, log=command.log, env=self.env | env, ready_url=self.url + "/healthz", grace_s=15
            )
        )
        self.process.start()
        self.process.wait_ready(60)

    async def ready(self, client: httpx.AsyncClient, seconds: float = 60) -> None:
        """Wait until everything that it needs answers."""
        await until(lambda: _ok(client, self.url + "/readyz"), seconds)

    def signed(self, body: bytes, secret: bytes = SECRET) -> dict[str, str]:
        return {"X-Hub-Signature-256": "sha256=" + hmac.digest(secret, body, "sha256").hex()}

    async def deliver(self, client: httpx.AsyncClient, body: bytes, secret: bytes = SECRET) -> httpx.Response:
        return await client.post(self.url + self.path, content=body, headers=self.signed(body, secret))

    async def deliver_raw(self, body: bytes) -> tuple[int, float, bytes]:
        """Deliver by a connection of its own, which costs next to nothing; return the status, seconds and the head."""
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(self.url).port)
        names = {"Host": "edge.test", "Connection": "close", "Content-Length": str(len(body))} | self.signed(body)
        head = "".join(f"{name}: {value}\r\n" for name, value in names.items())
        writer.write(f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        return int(answer[9:12]), time.monotonic() - started, answer.partition(b"\r\n\r\n")[0].lower()

    async def mark(self) -> None:
        """Forget what stands on the topics so far."""
        self.starts = await _ends(self.bootstrap, EVENTS, dead_letters_of(EVENTS))

    async def records(self, topic: str = EVENTS) -> list[Any]:
        """Return every record of this subscription written since `mark`."""
        found = await _read(self.bootstrap, topic, self.starts)
        origin = f"/webhooks/facebook/{self.source.id}".encode()
        return [one for one in found if dict(one.headers).get("ce_source", origin) == origin]

    async def web_records(self, brand: str) -> list[Any]:
        """Return every record of a brand's own web written since `mark`."""
        found = await _read(self.bootstrap, EVENTS, self.starts)
        return [one for one in found if one.key.startswith(brand.encode() + b"/")]

    async def events(self) -> list[Event]:
        return [Event.FromString(record.value) for record in await self.records()]

    def rss(self) -> int:
        """Return the process's memory in bytes."""
        assert self.process.pid is not None
        return int(psutil.Process(self.process.pid).memory_info().rss)


async def _ok(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 (the other side is another process)
            await asyncio.sleep(0.05)


async def _ends(bootstrap: str, *topics: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap)
    try:
        await consumer.start()
        return dict(await consumer.end_offsets(list(consumer.assignment())))
    finally:
        await consumer.stop()


async def _read(bootstrap: str, topic: str, starts: dict[TopicPartition, int]) -> list[Any]:
    ends = await _ends(bootstrap, topic)
    assert ends
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        found: list[Any] = []
        for partition in ends:
            consumer.seek(partition, starts.get(partition, 0))
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for messages in (await consumer.getmany(timeout_ms=200)).values():
                found += messages
    finally:
        await consumer.stop()
    return found


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as made:
        yield made


async def store_source(mongo_uri: str, database: str, source: Source) -> None:
    """Store a subscription as another process of the service would."""
    motor, opened = connect(MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=database))
    try:
        store = MongoSourceStore(opened, Sealer(parse_keys(SecretStr(SEAL_KEYS))))
        assert await store.insert(source)
    finally:
        motor.close()


def make_edge(directory: Path, bootstrap: str, mongo_uri: str, name: str) -> Edge:
    (port,) = free_ports(1)
    now = datetime.now(UTC).replace(microsecond=0)
    accounts = {one: Account(one, name, "page") for one in ("100", "101")}
    source = Source(name, "facebook", b"integration-verify", (Secret("s1", SECRET, now),), accounts)
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "MONGO_URI": mongo_uri,
        "MONGO_DATABASE": name,
        "SEAL_KEYS": SEAL_KEYS,
        "LINK_KEY": base64.b64encode(LINK_KEY).decode(),
        "HTTP_PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "PATH": os.environ["PATH"],
    }
    process = Process(Command(name="ingest", argv=[sys.executable, "-m", "ingest"], log=directory / "ingest.log"))
    return Edge(process, f"http://127.0.0.1:{port}", bootstrap, source, env)


@pytest.fixture
async def edge(
    local_services: LocalServices, tmp_path: Path, unique_name: Callable[[str], str], client: httpx.AsyncClient
) -> AsyncIterator[Edge]:
    """The service on the session's services, ready."""
    made = make_edge(tmp_path, local_services.kafka.address, local_services.mongo.address, unique_name("ingest"))
    await store_source(local_services.mongo.address, made.source.id, made.source)
    await made.mark()
    made.start()
    try:
        await made.ready(client)
        yield made
    finally:
        made.process.stop()


@pytest.fixture(scope="module")
def own_kafka(local_services: LocalServices, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker that a test may kill."""
    with Kafka(tmp_path_factory.mktemp("own") / "kafka") as kafka:
        create_topics(kafka.address, partitions_override=4)
        yield kafka


@pytest.fixture(scope="session")
def helpers() -> Any:
    """The functions of this module, for tests that cannot import it."""
    return sys.modules[__name__]
