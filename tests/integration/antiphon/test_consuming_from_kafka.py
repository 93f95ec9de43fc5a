"""The consume loop on a real broker: garbage does not stop it, a crash loses nothing, and the lag is what is left to do."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from antiphon.consumer import GuardedConsumer
from antiphon.errors import Invalid
from antiphon.kafka import DeadLetters, Guard, Record, TooManyDeadLetters, build_producer
from antiphon.process import background
from antiphon.settings import KafkaSettings
from antiphon.topics import EVENTS, dead_letters_of
from antiphon_local.fixtures import FreshTopics

pytestmark = pytest.mark.local

PATIENCE_S = 60.0


@dataclass
class Line:
    """A topic of its own, what was processed from it, and whether processing may go on."""

    settings: KafkaSettings
    topic: str
    producer: AIOKafkaProducer
    decoded: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def consumer(self, *, max_batch: int = 10) -> GuardedConsumer:
        guard = Guard(
            decode=self._decode, process=self._process, dead_letters=DeadLetters(self.producer), open_records=self._opened
        )
        return GuardedConsumer(self.settings, topics=[self.topic], group=self.topic, guard=guard, max_batch=max_batch)

    @staticmethod
    async def _opened(records: Sequence[Record]) -> Sequence[Record | None]:
        return [None if record.value == b"of somebody forgotten" else record for record in records]

    def _decode(self, record: Record) -> str:
        try:
            self.decoded.append(record.value.decode("ascii"))
        except UnicodeDecodeError as error:
            raise Invalid("undecodable") from error
        return self.decoded[-1]

    async def _process(self, batch: Sequence[str]) -> None:
        self.started.set()
        await self.open.wait()
        self.done += batch

    async def send(self, *values: bytes) -> None:
        for waiting in [await self.producer.send(self.topic, value) for value in values]:
            await waiting


@pytest.fixture
async def line(kafka_bootstrap: str, fresh_topics: FreshTopics) -> AsyncIterator[Line]:
    names = await asyncio.to_thread(fresh_topics, "loop", [EVENTS, dead_letters_of(EVENTS)], 1)
    settings = KafkaSettings(kafka_bootstrap_servers=kafka_bootstrap, kafka_session_timeout_ms=6_000)
    producer = build_producer(settings, "test")
    await producer.start()
    line = Line(settings, names[EVENTS], producer)
    line.open.set()
    yield line
    await producer.stop()


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def committed(line: Line) -> int | None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=line.settings.kafka_bootstrap_servers, group_id=line.topic, enable_auto_commit=False
    )
    try:
        await consumer.start()
        return await consumer.committed(TopicPartition(line.topic, 0))
    finally:
        await consumer.stop()


async def test_garbage_becomes_dead_letters_and_the_stream_goes_on(line: Line) -> None:
    await line.send(b"a", b"\xff\xfe", b"b", b"\x80", b"c")
    consumer = line.consumer()
    async with background(consumer.run()):
        await until(lambda: line.done == ["a", "b", "c"])
        await until(lambda: consumer_lag_is(consumer, 0))
    dead = AIOKafkaConsumer(
        dead_letters_of(line.topic), bootstrap_servers=line.settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
    )
    try:
        await dead.start()
        found = [await asyncio.wait_for(dead.getone(), PATIENCE_S) for _ in range(2)]
    finally:
        await dead.stop()
    assert [message.value for message in found] == [b"\xff\xfe", b"\x80"]
    assert [dict(message.headers)["dlq_offset"] for message in found] == [b"1", b"3"]
    assert await committed(line) == 5


async def consumer_lag_is(consumer: GuardedConsumer, expected: int) -> bool:
    return consumer.assigned and await consumer.lag() == expected


async def test_the_batch_in_hand_counts_as_lag(line: Line) -> None:
    line.open.clear()
    await line.send(*(str(number).encode() for number in range(15)))
    consumer = line.consumer(max_batch=10)
    assert (consumer.assigned, await consumer.lag()) == (False, 0)
    async with background(consumer.run()):
        await asyncio.wait_for(line.started.wait(), PATIENCE_S)
        assert await consumer.lag() == 15
        line.open.set()
        await until(lambda: len(line.done) == 15)
        await until(lambda: consumer_lag_is(consumer, 0))


async def test_while_a_batch_is_processed_only_the_next_is_read_and_nothing_of_it_is_done(line: Line) -> None:
    line.open.clear()
    await line.send(*(str(number).encode() for number in range(35)))
    consumer = line.consumer(max_batch=10)
    async with background(consumer.run()):
        await until(lambda: len(line.decoded) == 20)
        await asyncio.wait_for(line.started.wait(), PATIENCE_S)
        assert (line.done, await committed(line)) == ([], None)
        assert len(line.decoded) == 20
        line.open.set()
        await until(lambda: len(line.done) == 35)
        await until(lambda: consumer_lag_is(consumer, 0))
    assert line.done == [str(number) for number in range(35)]


async def test_what_cannot_be_read_any_more_is_passed_over_and_not_waited_for(line: Line) -> None:
    await line.send(b"a", b"of somebody forgotten", b"b")
    consumer = line.consumer()
    async with background(consumer.run()):
        await until(lambda: line.done == ["a", "b"])
        await until(lambda: consumer_lag_is(consumer, 0))
    assert await committed(line) == 3


async def test_what_was_in_hand_at_a_crash_is_delivered_again(line: Line) -> None:
    await line.send(b"a", b"b")
    first = line.consumer()
    async with background(first.run()):
        await until(lambda: line.done == ["a", "b"])
        await until(lambda: consumer_lag_is(first, 0))
        line.open.clear()
        line.started.clear()
        await line.send(b"c", b"d")
        await asyncio.wait_for(line.started.wait(), PATIENCE_S)
    assert await committed(line) == 2
    line.open.set()
    second = line.consumer()
    async with background(second.run()):
        await until(lambda: line.done == ["a", "b", "c", "d"])
        await until(lambda: consumer_lag_is(second, 0))
    assert await committed(line) == 4


async def is_rebalanced(line: Line) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=line.settings.kafka_bootstrap_servers)
    try:
        await admin.start()
        [answer] = await admin.describe_consumer_groups([line.topic])
        return any(group[2] == "PreparingRebalance" for group in answer.groups)
    finally:
        await admin.close()


DEAD_MEMBER = """
import asyncio, sys
from aiokafka import AIOKafkaConsumer
async def main():
    bootstrap, topic = sys.argv[1:]
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=topic, session_timeout_ms=60_000)
    await consumer.start()
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=100)
    print("here", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_beside_a_dead_member_it_stops_before_that_one_is_given_up(line: Line) -> None:
    argv = [sys.executable, "-c", DEAD_MEMBER, line.settings.kafka_bootstrap_servers, line.topic]
    dying = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert dying.stdout is not None
    assert await asyncio.wait_for(dying.stdout.readline(), PATIENCE_S) == b"here\n"
    dying.kill()
    await dying.wait()
    consumer = line.consumer()
    async with background(consumer.run()):
        await until(lambda: is_rebalanced(line))
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 30, "it waited for the session of a member that was killed"


async def test_a_poisoned_topic_stops_the_consumer_and_commits_nothing(line: Line) -> None:
    await line.send(*[b"\xff"] * 30)
    with pytest.raises(TooManyDeadLetters):
        await asyncio.wait_for(line.consumer(max_batch=50).run(), PATIENCE_S)
    assert await committed(line) in {None, 0}
