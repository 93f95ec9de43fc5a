"""The worker as a real process, on the real local services, against the simulated platforms."""

import asyncio
import base64
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from antiphon import ids
from antiphon.clock import SystemClock
from antiphon.mongo import connect
from antiphon.seal import Sealer, parse_keys
from antiphon.times import to_timestamp
from antiphon.topics import CONFIG, DECISIONS, DELIVERIES
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord
from antiphon.v1.decision_pb2 import Action, ActionKind, Decision, Mode
from antiphon.v1.delivery_pb2 import Delivery, DeliveryState
from antiphon.v1.event_pb2 import Author, EventKind, Platform, Verb
from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process
from publisher.adapters.mongo_channels import MongoChannels
from publisher.ports import Channel
from publisher.settings import PublisherSettings

SEAL_KEYS = "k1:" + base64.b64encode(bytes(32)).decode()
RESTING = {
    DeliveryState.DELIVERY_STATE_POSTED,
    DeliveryState.DELIVERY_STATE_FAILED,
    DeliveryState.DELIVERY_STATE_SUPPRESSED,
    DeliveryState.DELIVERY_STATE_PARKED,
    DeliveryState.DELIVERY_STATE_SHADOWED,
    DeliveryState.DELIVERY_STATE_WAITING_APPROVAL,
    DeliveryState.DELIVERY_STATE_REJECTED,
}


class Network:
    """The simulator's control API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, timeout=20.0, trust_env=False)

    def account(self, platform: str, account: str) -> None:
        body = {"platform": platform, "account": account, "name": "Demo", "token": f"token-{account}", "app_secret": "s"}
        self.client.post("/control/accounts", json=body).raise_for_status()

    def comment(self, platform: str, account: str, text: str, author: str = "u1") -> str:
        body = {"platform": platform, "account": account, "author": {"id": author, "name": "Ann"}, "text": text}
        answer = self.client.post("/control/comments", json=body)
        answer.raise_for_status()
        made = answer.json()
        return str(made["ids"][0] if "ids" in made else made["id"])

    def fault(self, action: str, call: str, account: str, **more: Any) -> None:
        fault = {"match": {"call": call, "account": account}, "action": action, "times": 1, **more}
        self.client.post("/control/faults", json=[fault]).raise_for_status()

    def replies(self) -> dict[str, int]:
        return dict(self.client.get("/control/stats", params={"detail": "true"}).json()["replies_by_parent"])

    def private_replies(self) -> dict[str, int]:
        return dict(self.client.get("/control/stats", params={"detail": "true"}).json()["private_replies_by_comment"])

    def hidden(self) -> int:
        return int(self.client.get("/control/stats").json()["hidden"])


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A simulated network for all tests here; each uses accounts of its own. Doubles are shown, not refused."""
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("network") / "log"
    process = Process(
        Command(
            name="simulator", argv=[sys.executable, "-m", "simulator", "--port", str(port)], log=log, ready_url=url + "/healthz"
        )
    )
    process.start()
    try:
        process.wait_ready()
        found = Network(url)
        found.client.put("/control/chaos", json={"duplicate_check": False}).raise_for_status()
        yield found
        found.client.close()
    finally:
        process.stop()


@dataclass
class Stage:
    """One brand with one channel on one platform, its worker, and what came of its actions."""

    network: Network
    env: dict[str, str]
    brand: str
    account: str
    platform: str
    directory: Path
    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    deliveries: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    workers: list[Process] = field(default_factory=list)

    def worker(self, **env: str) -> Process:
        """Start a worker; `FAILPOINT=…` and other settings by keyword."""
        port = free_ports(1)[0]
        process = Process(
            Command(
                name="publisher",
                argv=[sys.executable, "-m", "publisher", "worker"],
                env={**self.env, "HTTP_PORT": str(port), "FAILPOINTS_ALLOWED": "true", **env},
                log=self.directory / f"worker-{len(self.workers)}.log",
                ready_url=f"http://127.0.0.1:{port}/readyz",
            )
        )
        self.workers.append(process)
        process.start()
        return process

    async def started(self, **env: str) -> Process:
        process = self.worker(**env)
        await asyncio.to_thread(process.wait_ready, 60.0)
        return process

    async def died(self, process: Process, seconds: float = 40.0) -> None:
        await until(lambda: not process.running, seconds, "the worker's death")
        assert process.exit_code == -9, f"it ended by itself: {process.exit_code}\n{process.log_tail(40)}"

    def stop(self) -> None:
        for process in self.workers:
            process.stop()

    def decision(self, target: str, *, text: str = "Thank you!", rule: str = "r1", **more: Any) -> Decision:
        """A decision on a comment, with one action."""
        now = datetime.now(UTC)
        event = ids.event_id(self.platform, self.account, target, "create", "")
        action = Action(
            action_id=ids.action_id(self.brand, event, rule, 0),
            rule_id=rule,
            rule_version=1,
            kind=more.pop("kind", ActionKind.ACTION_KIND_REPLY),
            mode=more.pop("mode", Mode.MODE_AUTO),
            text=text,
            expires_time=to_timestamp(now + timedelta(hours=1)),
            limits=more.pop("limits", []),
        )
        values = {
            "event_id": event,
            "brand": self.brand,
            "platform": Platform.Value(f"PLATFORM_{self.platform.upper()}"),
            "account": self.account,
            "channel": "main",
            "kind": EventKind.EVENT_KIND_COMMENT,
            "verb": Verb.VERB_CREATE,
            "object": target,
            "root": "post",
            "author": Author(id="u1", name="Ann"),
            "event_time": to_timestamp(now),
            "received_time": to_timestamp(now),
            "actions": [action],
        }
        return Decision(**{**values, **more})

    async def decide(self, *decisions: Decision) -> None:
        for decision in decisions:
            key = f"{decision.brand}/{decision.author.id}".encode()
            await self.producer.send(DECISIONS, decision.SerializeToString(), key=key)
        await self.producer.flush()

    async def configure(self, **brand: Any) -> None:
        record = ConfigRecord(generation=time.time_ns(), brand=BrandConfig(brand=self.brand, **brand))
        await self.producer.send_and_wait(CONFIG, record.SerializeToString(), key=f"brand/{self.brand}/".encode())

    async def read(self) -> None:
        for messages in (await self.consumer.getmany(timeout_ms=100)).values():
            for message in messages:
                delivery = Delivery.FromString(message.value)
                if delivery.brand == self.brand:
                    self.deliveries[delivery.action_id].append(delivery)

    async def rest(self, actions: Sequence[str], seconds: float = 40.0) -> dict[str, Delivery]:
        """Wait until every action has come to rest; return its last delivery, their sequences checked."""
        deadline = time.monotonic() + seconds
        while True:
            await self.read()
            last = {name: max(self.deliveries[name], key=lambda d: d.sequence) for name in actions if self.deliveries[name]}
            if len(last) == len(set(actions)) and all(one.state in RESTING for one in last.values()):
                break
            logs = "\n".join(process.log_tail(10) for process in self.workers)
            assert time.monotonic() < deadline, f"at rest: {len(last)} of {len(set(actions))}\n{logs}"
        for name in actions:
            seen = sorted({one.sequence for one in self.deliveries[name]})
            assert seen == list(range(1, len(seen) + 1))
        return last


async def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.05)


StageFor = Callable[..., Any]


@pytest.fixture
async def stage_for(
    local_env: dict[str, str], network: Network, unique_name: Callable[[str], str], tmp_path: Path
) -> AsyncIterator[StageFor]:
    """`await stage_for("facebook")`: a stage with a database, a brand and an account of its own."""
    stages: list[Stage] = []

    async def make(platform: str = "facebook") -> Stage:
        name = unique_name("pub")
        env = {
            **local_env,
            "MONGO_DATABASE": name,
            "PUBLISHER_GROUP": name,
            "SEAL_KEYS": SEAL_KEYS,
            "KAFKA_SESSION_TIMEOUT_MS": "6000",
            "PUBLISHER_FACEBOOK_API_URL": network.url,
            "PUBLISHER_INSTAGRAM_API_URL": network.url,
            "PUBLISHER_SETTLE_SECONDS": "2",
            "PUBLISHER_HTTP_TIMEOUT_SECONDS": "1",
            "PUBLISHER_CONNECT_TIMEOUT_SECONDS": "0.5",
            "PUBLISHER_LEASE_SECONDS": "2",
        }
        account = str(time.time_ns())
        network.account(platform, account)
        producer = AIOKafkaProducer(bootstrap_servers=local_env["KAFKA_BOOTSTRAP_SERVERS"], acks="all")
        consumer = AIOKafkaConsumer(bootstrap_servers=local_env["KAFKA_BOOTSTRAP_SERVERS"], group_id=None)
        stage = Stage(network, env, name, account, platform, tmp_path, producer, consumer)
        stages.append(stage)
        await producer.start()
        await consumer.start()
        partitions = [
            TopicPartition(DELIVERIES, n) for n in consumer.partitions_for_topic(DELIVERIES) or await _partitions(consumer)
        ]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        await skip_the_past(local_env["KAFKA_BOOTSTRAP_SERVERS"], name)
        await store_channel(env, name, platform, account)
        return stage

    yield make
    for stage in stages:
        await asyncio.to_thread(stage.stop)
        await stage.producer.stop()
        await stage.consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str = DELIVERIES) -> set[int]:
    await consumer._client.set_topics([topic])
    return set(consumer.partitions_for_topic(topic) or ())


async def skip_the_past(bootstrap: str, group: str, topics: Sequence[str] = (DECISIONS,)) -> None:
    """Let the group begin at the end: other tests' records are none of its business."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = [TopicPartition(name, number) for name in topics for number in await _partitions(consumer, name)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.commit(ends)
    finally:
        await consumer.stop()


async def store_channel(env: dict[str, str], brand: str, platform: str, account: str) -> None:
    settings = PublisherSettings(
        mongo_uri=SecretStr(env["MONGO_URI"]), mongo_database=env["MONGO_DATABASE"], seal_keys=SecretStr(SEAL_KEYS)
    )
    client, database = connect(settings)
    try:
        store = MongoChannels(database, Sealer(parse_keys(settings.seal_keys)), SystemClock())
        assert await store.put(Channel(brand, "main", platform, account, SecretStr(f"token-{account}")))
    finally:
        client.close()


@pytest.fixture
def localhost_pem(tmp_path: Path) -> Path:
    """One self-signed certificate for localhost, which is its own authority; key and certificate in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "localhost.pem"
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file
