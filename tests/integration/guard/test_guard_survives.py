"""The guard as a real process on real Kafka and a real store, killed where it hurts: counts stay exact, a crisis is one hold."""

import asyncio
import base64
import inspect
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from antiphon.mongo import Database, connect
from antiphon.times import to_timestamp
from antiphon.topics import CONFIG, DECISIONS, record_key
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord
from antiphon.v1.decision_pb2 import Decision, Polarity
from antiphon.v1.event_pb2 import Author, Platform, Verb
from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process
from rules.adapters.guard_codec import unpack
from rules.adapters.mongo import MongoConfigStore
from rules.domain.guard.counts import Scope
from rules.entities import Brand, Hold
from rules.settings import RulesSettings
from rules.trail import Trail

pytestmark = pytest.mark.local


@dataclass
class Stage:
    """A brand with a database of its own, and guards over it."""

    env: dict[str, str]
    brand: str
    directory: Path
    database: Database
    producer: AIOKafkaProducer
    guards: list[Process] = field(default_factory=list)

    async def configure(self) -> None:
        """Let the brand exist in the store and on the topic."""
        now = datetime.now(UTC)
        entity = Brand(brand=self.brand, name="Demo", changed_time=now, actor="test")
        await MongoConfigStore(self.database).create(entity, Trail(notes=()))
        record = ConfigRecord(generation=1, brand=BrandConfig(brand=self.brand, name="Demo"))
        await self.producer.send_and_wait(CONFIG, record.SerializeToString(), key=f"brand/{self.brand}/".encode())

    def guard(self, **env: str) -> Process:
        """Start a guard; `FAILPOINT=…` and other settings by keyword."""
        port = free_ports(1)[0]
        settings = {
            **self.env,
            "HTTP_PORT": str(port),
            "FAILPOINTS_ALLOWED": "true",
            "SEAL_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
            "RULES_GUARD_SAVE_SECONDS": "0.5",
            "RULES_GUARD_LOOK_SECONDS": "0.2",
            "RULES_GUARD_LEASE_SECONDS": "2",
            **env,
        }
        process = Process(
            Command(
                name="guard",
                argv=[sys.executable, "-m", "rules", "guard"],
                env=settings,
                log=self.directory / f"guard-{len(self.guards)}.log",
                ready_url=f"http://127.0.0.1:{port}/readyz",
            )
        )
        self.guards.append(process)
        process.start()
        return process

    async def decide(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            key = record_key(decision.brand, decision.author.id)
            await self.producer.send(DECISIONS, decision.SerializeToString(), key=key)
        await self.producer.flush()

    def decision(self, number: int, moment: datetime, *, negative: bool) -> Decision:
        return Decision(
            event_id=f"{self.brand}-{number}",
            brand=self.brand,
            platform=Platform.PLATFORM_FACEBOOK,
            object=str(number),
            verb=Verb.VERB_CREATE,
            author=Author(id=f"u{number % 97}"),
            polarity=Polarity.POLARITY_NEGATIVE if negative else Polarity.POLARITY_NEUTRAL,
            event_time=to_timestamp(moment),
            received_time=to_timestamp(moment),
        )

    async def counts(self) -> dict[int, tuple[int, int]]:
        """Return hour → said and negative of the whole brand, as it is saved."""
        found = await self.database["guard_scopes"].find_one({"_id": Scope(self.brand).key})
        if found is None:
            return {}
        watched = unpack(found["_id"], found["state"], found["offsets"], found["version"])
        return {hour: (one.said, one.negative) for hour, one in watched.counts.hours.items()}

    async def holds(self) -> list[Hold]:
        return list(await MongoConfigStore(self.database).holds(self.brand, None, "", 100))


@pytest.fixture
async def stage(local_env: dict[str, str], unique_name: Callable[[str], str], tmp_path: Path) -> AsyncIterator[Stage]:
    name = unique_name("guard").replace("_", "-")
    env = {**local_env, "MONGO_DATABASE": name}
    client, database = connect(RulesSettings(mongo_uri=SecretStr(env["MONGO_URI"]), mongo_database=name))
    producer = AIOKafkaProducer(bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"], acks="all")
    await producer.start()
    made = Stage(env, name, tmp_path, database, producer)
    await made.configure()
    yield made
    for process in made.guards:
        await asyncio.to_thread(process.stop)
    await producer.stop()
    client.close()


async def until(condition: Callable[[], Any], seconds: float, what: str, stage: Stage) -> None:
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return
        logs = "\n".join(process.log_tail(15) for process in stage.guards[-2:])
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}\n{logs}"
        await asyncio.sleep(0.1)


async def test_killed_at_every_step_it_has_counted_every_event_once(stage: Stage, rng: random.Random) -> None:
    now = datetime.now(UTC)
    moments = [now - timedelta(minutes=rng.uniform(0, 3 * 24 * 60)) for _ in range(2_000)]
    decisions = [stage.decision(n, moment, negative=rng.random() < 0.3) for n, moment in enumerate(moments)]
    expected: dict[int, tuple[int, int]] = {}
    for one in decisions:
        hour = one.event_time.seconds // 3_600
        said, negative = expected.get(hour, (0, 0))
        expected[hour] = said + 1, negative + (one.polarity == Polarity.POLARITY_NEGATIVE)
    steps = ["rules.guard.after_count:kill:2", "rules.guard.before_head:kill", "rules.guard.before_head:kill:2"]
    for number, failpoint in enumerate(steps):
        await stage.decide(decisions[number * 500 : (number + 1) * 500])
        process = stage.guard(FAILPOINT=failpoint)
        await stage.decide(decisions[number * 500 : number * 500 + 100])  # the engine, killed, decides again
        await until(lambda: not process.running, 60, failpoint, stage)  # noqa: B023
    await stage.decide(decisions[1_500:])
    stage.guard()

    async def complete() -> bool:
        return sum(said for said, _ in (await stage.counts()).values()) >= len(decisions)

    await until(complete, 60, "all counts", stage)
    await asyncio.sleep(1.5)
    assert await stage.counts() == expected


async def test_a_crisis_is_one_hold_through_a_crash_and_a_takeover(stage: Stage, rng: random.Random) -> None:
    now = datetime.now(UTC)
    past = [
        stage.decision(n, now - timedelta(hours=rng.uniform(1, 15 * 24)), negative=rng.random() < 0.1)
        for n in range(15 * 24 * 10)
    ]
    crisis = [stage.decision(90_000 + n, now - timedelta(seconds=n), negative=True) for n in range(60)]
    await stage.decide([*past, *crisis])
    first = stage.guard(FAILPOINT="rules.guard.after_alarm:kill")
    await until(lambda: stage.database["guard_head"].count_documents({"_id": "lease"}), 60, "the first guard on duty", stage)
    stage.guard()
    await until(lambda: not first.running, 60, "the first guard's death", stage)

    async def told() -> bool:
        found = await stage.database["guard_scopes"].find_one({"_id": Scope(stage.brand).key})
        if found is None:
            return False
        incident = unpack(found["_id"], found["state"], found["offsets"], found["version"]).incident
        return incident is not None and incident.told == incident.level == 2

    await until(told, 60, "the takeover", stage)
    await asyncio.sleep(1.5)
    (hold,) = await stage.holds()
    assert hold.active
    assert not hold.notice_only
    assert hold.severity >= 7
    assert hold.hold.startswith("guard-")
    assert b'"baseline":"seasonal"' in hold.evidence


async def test_what_waits_for_the_topic_is_sent_by_the_guard_as_well(stage: Stage) -> None:
    """Else a hold that met an absent cluster, and all later ones, would be left to others."""
    store = MongoConfigStore(stage.database)
    assert [entity.brand for entity in await store.undelivered()] == [stage.brand]
    stage.guard()

    async def sent() -> bool:
        return not await store.undelivered()

    await until(sent, 60, "the brand's record", stage)
