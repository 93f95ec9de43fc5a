"""The configuration: all that is in force before the first event, then each change, whatever a broken record does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiokafka import AIOKafkaProducer

from antiphon.config_feed import Change, ConfigFeed
from antiphon.process import background
from antiphon.settings import KafkaSettings
from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord
from antiphon_local.ports import free_ports

pytestmark = pytest.mark.local

PATIENCE_S = 60.0


class Follower:
    """A feed and what it has applied of one test's brands."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._prefix = f"brand/{prefix}"
        self.changes: list[Change] = []
        self.feed = ConfigFeed(KafkaSettings(kafka_bootstrap_servers=bootstrap), self._apply)

    def _apply(self, changes: Sequence[Change]) -> None:
        self.changes += [change for change in changes if change.key.startswith(self._prefix)]

    def generations(self) -> list[int | None]:
        return [change.record.generation if change.record else None for change in self.changes]


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all")
    await producer.start()
    yield producer
    await producer.stop()


async def put(producer: AIOKafkaProducer, brand: str, value: bytes | None) -> int:
    sent = await producer.send_and_wait(CONFIG, value, key=f"brand/{brand}/".encode())
    return int(sent.offset)


def record(brand: str, generation: int) -> bytes:
    return ConfigRecord(generation=generation, brand=BrandConfig(brand=brand)).SerializeToString()


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_it_is_complete_only_when_everything_in_force_was_applied_and_then_follows(
    kafka_bootstrap: str, producer: AIOKafkaProducer, unique_name: Callable[[str], str]
) -> None:
    prefix = unique_name("feed")
    waiting = [await producer.send(CONFIG, record(prefix, n), key=f"brand/{prefix}-{n}/".encode()) for n in range(1, 1_501)]
    await asyncio.gather(*waiting)
    follower = Follower(kafka_bootstrap, prefix)
    assert not follower.feed.complete
    async with background(follower.feed.run()):
        await asyncio.wait_for(follower.feed.wait_complete(), PATIENCE_S)
        assert follower.generations() == list(range(1, 1_501))

        offset = await put(producer, prefix, record(prefix, 7))
        await until(lambda: follower.feed.revision >= offset)
        assert (follower.changes[-1].revision, follower.changes[-1].key) == (offset, f"brand/{prefix}/")

        await put(producer, prefix, None)
        await until(lambda: follower.generations()[-2:] == [7, None])


async def test_an_unreadable_record_is_skipped_and_counted(
    kafka_bootstrap: str, producer: AIOKafkaProducer, unique_name: Callable[[str], str]
) -> None:
    prefix = unique_name("feed")
    follower = Follower(kafka_bootstrap, prefix)
    async with background(follower.feed.run()):
        await asyncio.wait_for(follower.feed.wait_complete(), PATIENCE_S)
        before = follower.feed.unreadable
        await put(producer, f"{prefix}-broken", b"\xff\xff garbage")
        await put(producer, prefix, record(prefix, 1))
        await until(lambda: follower.generations() == [1])
        assert follower.feed.unreadable == before + 1
        await put(producer, f"{prefix}-broken", None)


async def test_an_unreachable_cluster_is_waited_for_without_being_complete() -> None:
    [port] = free_ports(1)
    follower = Follower(f"127.0.0.1:{port}", "none")
    async with background(follower.feed.run()) as ended:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(follower.feed.wait_complete(), 1.5)
        assert not ended.done()
        assert not follower.feed.complete
