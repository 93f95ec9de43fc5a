"""The real services: they do their work, and what they acknowledged survives SIGKILL."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from pydantic import SecretStr
from pymongo import MongoClient, WriteConcern
from pymongo.errors import DuplicateKeyError
from redis import Redis

from antiphon.mongo import connect
from antiphon.settings import MongoSettings
from antiphon_local import procinfo
from antiphon_local.__main__ import main
from antiphon_local.errors import PortTakenError, SetupError
from antiphon_local.kafka import Kafka
from antiphon_local.mongo import Mongo
from antiphon_local.services import LocalServices
from antiphon_local.topics import Topic, create_topics, create_topics_async, load_topics
from antiphon_local.valkey import Valkey

pytestmark = pytest.mark.local

DURABLE = WriteConcern("majority", j=True)


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Kafka]:
    with Kafka(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture
def mongo(tmp_path: Path) -> Iterator[Mongo]:
    with Mongo(tmp_path / "mongo") as store:
        yield store


async def read_all(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        await consumer.start()
        consumer.assign([TopicPartition(topic, 0)])
        values: list[bytes] = []
        async with asyncio.timeout(30):
            while len(values) < count:
                values += [record.value for records in (await consumer.getmany(timeout_ms=500)).values() for record in records]
        end = (await consumer.end_offsets([TopicPartition(topic, 0)]))[TopicPartition(topic, 0)]
    finally:
        await consumer.stop()
    assert end == count, "the log holds more than was read"
    return values


async def test_records_acknowledged_before_a_sigkill_are_there_once_after_it(kafka: Kafka) -> None:
    topic = Topic("orders.made.v1", 1, -1, "delete")
    assert await create_topics_async(kafka.address, [topic]) == [topic.name]
    address = kafka.address
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True, request_timeout_ms=20_000)
    await producer.start()
    try:
        acknowledged: list[bytes] = []
        half = asyncio.Event()

        async def produce() -> None:
            for number in range(400):
                value = str(number).encode()
                await producer.send_and_wait(topic.name, value)
                acknowledged.append(value)
                if number == 200:
                    half.set()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(produce())
            await half.wait()
            await asyncio.to_thread(kafka.kill)
            assert not kafka.running
            await asyncio.to_thread(kafka.start)
    finally:
        await producer.stop()
    assert kafka.address == address
    assert len(acknowledged) == 400
    assert await read_all(address, topic.name, 400) == acknowledged


def test_topics_are_created_once_and_single_partitions_stay_single(kafka: Kafka) -> None:
    names = [topic.name for topic in load_topics()]
    assert sorted(create_topics(kafka.address, partitions_override=2)) == sorted(names)
    assert create_topics(kafka.address) == []
    with pytest.raises(SetupError, match="bad name"):
        create_topics(kafka.address, [Topic("bad name", 1, -1, "delete")])


def test_the_store_keeps_unique_keys_and_durable_writes_over_a_sigkill(mongo: Mongo) -> None:
    acknowledged = []
    with MongoClient[dict[str, object]](mongo.address) as client:
        rows = client["t"].get_collection("rows", write_concern=DURABLE)
        rows.create_index([("brand", 1), ("target", 1)], unique=True)
        for number in range(100):
            rows.insert_one({"_id": number, "brand": "acme", "target": str(number)})
            acknowledged.append(number)
    mongo.kill()
    mongo.start()
    with MongoClient[dict[str, object]](mongo.address) as client:
        rows = client["t"].get_collection("rows", write_concern=DURABLE)
        assert [row["_id"] for row in rows.find().sort("_id")] == acknowledged
        with pytest.raises(DuplicateKeyError):
            rows.insert_one({"brand": "acme", "target": "7"})


async def test_the_services_send_the_store_no_retryable_writes_which_it_would_slow_down_on(mongo: Mongo) -> None:
    for uri, retries in ((mongo.address, False), ("mongodb://127.0.0.1:9", True)):
        client, _ = connect(MongoSettings(mongo_uri=SecretStr(uri)))
        assert client.options.retry_writes is retries
        client.close()


def test_a_process_left_over_on_the_same_data_is_named_and_can_be_taken_over_or_ended(tmp_path: Path) -> None:
    first = Valkey(tmp_path / "valkey")
    first.start()
    pid = first.pid
    try:
        second = Valkey(tmp_path / "valkey")
        with pytest.raises(SetupError, match=f"pid {pid}"):
            second.start()
        assert second.attach()
        assert (second.address, second.pid, second.running) == (first.address, pid, True)
        assert Valkey(tmp_path / "valkey").end_stale()
        assert not second.running
        assert not second.answers()
        assert not Valkey(tmp_path / "valkey").attach()
        second.start()
        assert second.pid != pid
        second.stop()
    finally:
        first.stop()


def test_a_hung_process_is_not_taken_over_but_ended(tmp_path: Path) -> None:
    first = Valkey(tmp_path / "valkey")
    first.start()
    assert first.pid is not None
    try:
        os.kill(first.pid, signal.SIGSTOP)
        second = Valkey(tmp_path / "valkey")
        second.grace_s = 0.1  # type: ignore[misc]
        assert not second.attach()
        assert second.end_stale()
        assert procinfo.start_ticks(first.pid) is None
    finally:
        first.kill()


def test_a_port_taken_after_our_look_is_recognised_from_the_servers_last_words(tmp_path: Path) -> None:
    with Valkey(tmp_path / "one") as one:
        two = Valkey(tmp_path / "two", port=one.port)
        with pytest.raises(PortTakenError):
            two.start()
        assert one.answers()


def test_a_service_that_dies_at_start_shows_its_last_words(tmp_path: Path) -> None:
    class Misconfigured(Valkey):
        def _argv(self) -> list[str]:
            return [*super()._argv(), "--no-such-setting", "1"]

    with pytest.raises(SetupError, match=r"(?s)ended at start.*no-such-setting"):
        Misconfigured(tmp_path).start()
    assert not (tmp_path / "process.json").exists()


def test_all_three_come_up_together_as_settings(
    local_services: LocalServices, redis_url: str, unique_name: Callable[[str], str]
) -> None:
    assert set(local_services.env()) == {"KAFKA_BOOTSTRAP_SERVERS", "MONGO_URI", "REDIS_URL"}
    assert all(service.running and service.answers() for service in local_services.all)
    with Redis.from_url(redis_url) as redis:
        key = unique_name("key")
        redis.set(key, b"1", nx=True)
        assert redis.get(key) == b"1"


async def test_fresh_topics_belong_to_one_test(kafka_bootstrap: str, fresh_topics: Callable[..., dict[str, str]]) -> None:
    mine, theirs = (fresh_topics("same", names=["rules.config.v1"])["rules.config.v1"] for _ in range(2))
    assert mine != theirs
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(mine, b"v", key=b"k")
    finally:
        await producer.stop()
    assert await read_all(kafka_bootstrap, mine, 1) == [b"v"]


def left_over(directory: Path) -> list[str]:
    lines = [procinfo.command_line(int(path.name)) for path in Path("/proc").glob("[0-9]*")]
    return [line for line in lines if str(directory) in line]


def test_the_command_line_detaches_reuses_and_ends_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(verb: str) -> tuple[int, str]:
        code = main(["services", verb, "--directory", str(tmp_path)])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    def up() -> str:
        command = [sys.executable, "-m", "antiphon_local", "services", "up", "--detach", "--directory", str(tmp_path)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout

    assert run("status")[0] == 1
    code, text = run("env")
    assert (code, "services up" in text) == (1, True)
    try:
        settings = up()
        assert run("env") == (0, settings)
        code, text = run("status")
        assert (code, text.count("answers at")) == (0, 3)
        assert up() == settings + "these were running already, and go on\n"
    finally:
        ended = run("down")
    assert ended == (0, "ended: kafka, mongo, valkey\n")
    assert run("down") == (0, "ended: nothing ran\n")
    assert left_over(tmp_path) == []


def test_the_command_line_in_the_foreground_ends_them_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "antiphon_local", "services", "up", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        lines = [up.stdout.readline() for _ in range(4)]
        assert lines[3] == "running; Ctrl-C ends them\n"
        assert len(left_over(tmp_path)) == 4  # the command itself is one
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    assert left_over(tmp_path) == []


def test_nothing_of_a_failed_start_stays(tmp_path: Path) -> None:
    services = LocalServices(tmp_path / uuid.uuid4().hex)
    services.mongo = Mongo(services.directory / "mongo", port=1)  # reserved on every machine, and not free to us as a broken one
    services.mongo.disk_mb = 10**12  # type: ignore[misc]
    with pytest.raises(SetupError, match="mongo: disk full"):
        services.start()
    assert not any(service.running for service in services.all)
