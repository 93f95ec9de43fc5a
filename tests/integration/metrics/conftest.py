"""The service as a process of its own, on real backing services, with a database and a start offset of its own."""

import asyncio
import base64
import math
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient

from antiphon.auth import NewKey, new_key
from antiphon.topics import CONFIG, DECISIONS, DELIVERIES, ENTRIES, EVENTS
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord
from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process

PATIENCE_S = 60.0


class Service:
    """`python -m metrics`, startable again after it was killed."""

    def __init__(self, env: Mapping[str, str], log: Path, brands: list[str]) -> None:
        self._log = log
        [self._port] = free_ports(1)
        self.env = {
            **env,
            "HTTP_PORT": str(self._port),
            "KAFKA_SESSION_TIMEOUT_MS": "6000",
            "METRICS_LOST_GRACE_S": "0.001",
            "SEAL_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
            "METRICS_SETTLE_S": "1.5",
            "METRICS_PERSON_KEY": "a key for tests alone",
            "FAILPOINTS_ALLOWED": "true",
        }
        self._argv = [sys.executable, "-m", "metrics"]
        self.key = new_key()
        self.brands = brands
        self.process = self._process("")

    def _process(self, failpoint: str) -> Process:
        env = {**self.env, "FAILPOINT": failpoint}
        return Process(
            Command(name="metrics", argv=self._argv, log=self._log, env=env, ready_url=f"{self.url}/healthz", grace_s=15)
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def config_record(self) -> ConfigRecord:
        return key_record(self.key, self.brands, "viewer")

    def start(self, failpoint: str = "") -> None:
        self.process = self._process(failpoint)
        self.process.start()
        self.process.wait_ready()

    def get(self, path: str, token: str = "", **parameters: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self.key.token}"}
        return httpx.get(self.url + path, params=parameters, headers=headers, timeout=30, trust_env=False)

    def summary(self, **parameters: str) -> dict[str, Any]:
        answer = self.get("/v1/reports/summary", **parameters)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = orjson.loads(answer.content)
        return document

    def metric(self, name: str, **labels: str) -> float:
        for family in text_string_to_metric_families(self.get("/metrics").text):
            for sample in family.samples:
                if sample.name == f"antiphon_metrics_{name}" and sample.labels == labels:
                    return sample.value
        raise AssertionError(f"there is no metric {name} {labels}")

    def lag(self) -> float:
        """Return how many records are left; without end while it is not ready, which also looks at the lag at once."""
        return self.metric("records_lag") if self.get("/readyz").status_code == 200 else math.inf

    def wait_drained(self) -> None:
        """Wait until nothing is left to record, as long as it gets less: how long a backlog takes is the machine's business."""
        least, deadline = math.inf, time.monotonic() + PATIENCE_S
        while lag := self.lag():
            if lag < least:
                least, deadline = lag, time.monotonic() + PATIENCE_S
            assert time.monotonic() < deadline, f"{lag} records are left: {self.process.log_tail(30)}"
            time.sleep(0.1)


def key_record(key: NewKey, brands: list[str], role: str) -> ConfigRecord:
    config = ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, brands=brands, role=role)
    return ConfigRecord(generation=1, api_key=config)


def wait_until(condition: Callable[[], bool], explain: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all")
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
async def from_now_on(kafka_bootstrap: str) -> None:
    """What other tests left on the topics is none of this test's business: the group starts behind it."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id="metrics", enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = [
            TopicPartition(topic, number)
            for topic in (EVENTS, DECISIONS, DELIVERIES, ENTRIES)
            for number in await _partitions(consumer, topic)
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await _eventually(lambda: consumer.commit(ends))
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.add_topic(topic)
    return consumer.partitions_for_topic(topic) or set()


async def _eventually(action: Callable[[], Awaitable[None]]) -> None:
    """A member that was killed holds the group until its session ends."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await action()
        except KafkaError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


@pytest.fixture
def brand(unique_name: Callable[[str], str]) -> str:
    return unique_name("acme")


@pytest.fixture
def make_key(producer: AIOKafkaProducer) -> Callable[[str, str], Awaitable[str]]:
    """Publish a key of a role for a brand; return its token."""

    async def make(role: str, brand: str) -> str:
        key = new_key()
        record = key_record(key, [brand], role).SerializeToString()
        await producer.send_and_wait(CONFIG, record, key=f"api_key//{key.key_id}".encode())
        return key.token

    return make


@pytest.fixture
async def service(
    local_env: Mapping[str, str],
    mongo_uri: str,
    tmp_path: Path,
    brand: str,
    producer: AIOKafkaProducer,
    from_now_on: None,
) -> AsyncIterator[Service]:
    database = brand.replace("acme", "metrics")
    service = Service({**local_env, "MONGO_DATABASE": database}, tmp_path / "metrics.log", [brand])
    await producer.send_and_wait(
        CONFIG, service.config_record().SerializeToString(), key=f"api_key//{service.key.key_id}".encode()
    )
    yield service
    service.process.stop()
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client.drop_database(database)


@pytest.fixture
def stray_service(tmp_path: Path) -> Iterator[Service]:
    """A service whose dependencies are all away."""
    kafka, mongo = free_ports(2)
    env = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}", "MONGO_URI": f"mongodb://127.0.0.1:{mongo}/?directConnection=true"}
    service = Service(env, tmp_path / "metrics.log", [])
    yield service
    service.process.stop()
