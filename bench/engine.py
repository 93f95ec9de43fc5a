"""The engine as it runs, against aiokafka's and Faust's plainest pass-through of the same records on the same broker."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from antiphon.topics import CONFIG, DECISIONS, EVENTS
from antiphon_local.line.processes import Line
from antiphon_local.procs import Command, Process, Supervisor
from antiphon_local.services import LocalServices
from bench.material import configuration, event, rules, scaled, texts
from bench.measure import OTHER_CPU, SERVER_CPU, cpu_seconds, median, pin

PARTITIONS = 4
RULES = 100
HIT_SHARE = 0.1
"""A tenth of the events match a rule and consume a limit."""

FEW, MANY = 10, 10_000
"""Rules of one brand, as the figures' names say."""

COUNT = 30_000
ROUNDS = 3
_TIMEOUT_S = 300.0


class Topic:
    """Feeds a topic and watches another one's end."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    async def send(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Publish records."""
        async with AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", linger_ms=5, max_batch_size=262_144
        ) as producer:
            for future in [await producer.send(topic, value, key=key) for key, value in records]:
                await future

    async def end(self, topic: str) -> int:
        """Return the number of records ever written to a topic."""
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
            await consumer.topics()
            ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        return sum(ends.values())

    async def wait_end(self, topic: str, end: int) -> None:
        """Return once a topic holds so many records. The broker tells nobody, so it is asked."""
        async with asyncio.timeout(_TIMEOUT_S):
            while await self.end(topic) < end:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def create(self, *topics: str) -> None:
        """Create topics."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])
        await admin.close()


def measure(services: LocalServices, directory: Path, sample: float) -> dict[str, float]:
    """Return the figures of engine, aiokafka and Faust, each the median of interleaved rounds."""
    return asyncio.run(_measure(services, directory, sample))


async def _measure(services: LocalServices, directory: Path, sample: float) -> dict[str, float]:
    topic = Topic(services.kafka.address)
    count = max(1_000, int(COUNT * sample))
    records = keyed(texts(count, RULES, hit_share=HIT_SHARE))
    await topic.create("bench.aiokafka.in", "bench.aiokafka.out", "bench.faust.in", "bench.faust.out")
    await topic.send(CONFIG, configuration(rules(RULES)))
    lanes = {
        "engine": (EVENTS, DECISIONS),
        "aiokafka": ("bench.aiokafka.in", "bench.aiokafka.out"),
        "faust": ("bench.faust.in", "bench.faust.out"),
    }
    cpu_us: dict[str, list[float]] = {name: [] for name in lanes}
    pin(services.kafka.pid or 0, OTHER_CPU)
    for _ in range(max(1, round(ROUNDS * min(1.0, sample * 3)))):
        for name, (source, target) in lanes.items():
            cpu_us[name].append(await _round(_Worker(name, services, directory, source, target), topic, records))
    medians = {name: median(values) for name, values in cpu_us.items()}
    return {
        **{f"{name}_us": value for name, value in medians.items()},
        "engine_vs_aiokafka_ratio": medians["aiokafka"] / medians["engine"],
        "engine_vs_faust_ratio": medians["faust"] / medians["engine"],
    }


def sizes(services: LocalServices, directory: Path, sample: float) -> dict[str, float]:
    """Return the engine's CPU-µs an event at few and at many rules of one brand, and what is left of its throughput."""
    return asyncio.run(_sizes(services, directory, sample))


async def _sizes(services: LocalServices, directory: Path, sample: float) -> dict[str, float]:
    topic = Topic(services.kafka.address)
    count = max(1_000, int(COUNT * sample))
    cpu_us: dict[int, list[float]] = {FEW: [], MANY: []}
    pin(services.kafka.pid or 0, OTHER_CPU)
    documents = rules(scaled(MANY, sample))
    await topic.send(CONFIG, configuration(documents[:FEW]))
    for _ in range(max(1, round(ROUNDS * min(1.0, sample * 3)))):
        for size in (FEW, MANY):
            await topic.send(CONFIG, configuration(documents[FEW:], active=size == MANY))
            records = keyed(texts(count, min(size, len(documents)), hit_share=HIT_SHARE))
            cpu_us[size].append(await _round(_Worker("engine", services, directory, EVENTS, DECISIONS), topic, records))
    few, many = median(cpu_us[FEW]), median(cpu_us[MANY])
    return {"engine_10_us": few, "engine_10k_us": many, "engine_10k_vs_10_ratio": few / many}


def keyed(lines: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Return an event's record for each text."""
    events = [event(number, text) for number, text in enumerate(lines)]
    return [(f"bench/{one.author.id}".encode(), one.SerializeToString()) for one in events]


@dataclass(frozen=True, slots=True)
class _Worker:
    name: str
    services: LocalServices
    directory: Path
    source: str
    target: str

    def start(self, supervisor: Supervisor) -> Process:
        if self.name == "engine":
            return supervisor.start(Line(self.services, self.directory, roles=("engine",)).command("engine"))
        argv = [sys.executable, "-m", f"bench.workers.{self.name}_pass", self.services.kafka.address, self.source, self.target]
        return supervisor.start(Command(name=self.name, argv=argv, log=self.directory / "log" / f"{self.name}.log"))


async def _round(worker: _Worker, topic: Topic, records: Sequence[tuple[bytes, bytes]]) -> float:
    """Start the worker, warm it up, give it the records; return its CPU-µs a record."""
    begun = await topic.end(worker.target)
    with Supervisor() as supervisor:
        process = worker.start(supervisor)
        warm = records[:200]
        await topic.send(worker.source, warm)
        await topic.wait_end(worker.target, begun + len(warm))
        pid = process.pid or 0
        pin(pid, SERVER_CPU)
        before = cpu_seconds(pid)
        await topic.send(worker.source, records)
        await topic.wait_end(worker.target, begun + len(warm) + len(records))
        await asyncio.sleep(1.0)  # what comes after the last record (commits, acknowledgements) belongs to the work
        return (cpu_seconds(pid) - before) / len(records) * 1e6
