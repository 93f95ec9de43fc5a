"""A running configuration API on the real backing services, and small words to speak to it."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from fastapi import FastAPI
from pydantic import SecretStr

from antiphon.auth import Role
from antiphon.process import background
from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import ConfigRecord
from rules.app import api, create_key
from rules.keys import Grant
from rules.settings import RulesApiSettings

HERE = Path(__file__).parent

PATIENCE_S = 20.0

SEAL_KEYS = "k1:" + base64.b64encode(bytes(range(32))).decode()


@dataclass(slots=True)
class Caller:
    """Speaks to an API with one key."""

    http: httpx.AsyncClient
    token: str

    async def send(self, method: str, path: str, *, match: object = None, **more: Any) -> httpx.Response:
        headers: dict[str, str] = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if match is not None:
            headers["If-Match"] = match if isinstance(match, str) else f'"{match}"'
        return await self.http.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.send("GET", path, **more)

    async def post(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.send("POST", path, json=json, **more)

    async def put(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.send("PUT", path, json=json, **more)


@dataclass(slots=True)
class RunningApi:
    """An API in this process."""

    app: FastAPI
    http: httpx.AsyncClient
    settings: RulesApiSettings
    admin: Caller
    tokens: dict[tuple[str, str], Caller] = field(default_factory=dict)

    async def caller(self, role: str, *brands: str) -> Caller:
        """Return a caller with a fresh key, once the API knows it."""
        made = await self.admin.post("/v1/keys", {"name": f"test {role}", "brands": list(brands), "role": role})
        assert made.status_code == 201, made.text
        return Caller(self.http, made.json()["token"])

    async def brand(self, brand: str) -> dict[str, Any]:
        """Create a brand and return the answer."""
        made = await self.admin.post("/v1/brands", {"id": brand, "name": brand.title()})
        assert made.status_code == 201, made.text
        return dict(made.json())


async def _eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        await asyncio.sleep(0.02)


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[bool]], str], Awaitable[None]]:
    return _eventually


def price_rule(rule_id: str = "price-question", **changes: Any) -> dict[str, Any]:
    """Return a small rule document."""
    return {
        "id": rule_id,
        "name": "Answer price questions",
        "where": {"platforms": ["instagram", "facebook"], "kinds": ["comment"]},
        "when": {"all": [{"text": {"any": ["price", "how much"]}}]},
        "then": [{"reply": {"text": {"default": ["Hi {{author.first_name|there}}, it is 49 €."]}}}],
        **changes,
    }


@pytest.fixture
def rule_document() -> Callable[..., dict[str, Any]]:
    return price_rule


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of this folder, which share an API, share its event loop."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def _settings(kafka_bootstrap: str, mongo_uri: str, database: str) -> RulesApiSettings:
    return RulesApiSettings(
        kafka_bootstrap_servers=kafka_bootstrap,
        mongo_uri=SecretStr(mongo_uri),
        mongo_database=database,
        seal_keys=SecretStr(SEAL_KEYS),
    )


@pytest.fixture
def rules_settings(kafka_bootstrap: str, mongo_uri: str, unique_name: Callable[[str], str]) -> RulesApiSettings:
    """Settings of an API of a test's own, with a database that nobody has used."""
    return _settings(kafka_bootstrap, mongo_uri, unique_name("rules_api"))


@asynccontextmanager
async def _running(settings: RulesApiSettings) -> AsyncIterator[RunningApi]:
    made = await create_key(settings, Grant(name="test admin", brands=("*",), role=Role.ADMIN))
    async with api(settings) as (app, tasks):
        assert isinstance(app, FastAPI)
        transport = httpx.ASGITransport(app=app)
        async with background(*tasks) as failed, httpx.AsyncClient(transport=transport, base_url="http://rules") as http:
            admin = Caller(http, made.token)

            async def ready() -> bool:
                assert not failed.done(), failed.result()
                return (await http.get("/readyz")).is_success and (await admin.get("/v1/keys")).is_success

            await _eventually(ready, "the API is ready and knows its admin key")
            yield RunningApi(app, http, settings, admin)


@pytest.fixture
def run_api() -> Callable[[RulesApiSettings], AbstractAsyncContextManager[RunningApi]]:
    return _running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rules_api(kafka_bootstrap: str, mongo_uri: str, unique_name: Callable[[str], str]) -> AsyncIterator[RunningApi]:
    """The API that all tests share, each with brands of its own."""
    async with _running(_settings(kafka_bootstrap, mongo_uri, unique_name("rules_api"))) as running:
        yield running


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """A record of the configuration topic as it lies there."""

    offset: int
    headers: Mapping[str, bytes]
    record: ConfigRecord


TopicReader = Callable[..., Awaitable[list[TopicRecord]]]


@pytest.fixture
def on_topic(kafka_bootstrap: str) -> TopicReader:
    """Read all records of one key, oldest first; of another broker where one is given."""

    async def read(key: str, bootstrap: str = kafka_bootstrap) -> list[TopicRecord]:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
        partition = TopicPartition(CONFIG, 0)
        try:
            await consumer.start()
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            found: list[TopicRecord] = []
            while await consumer.position(partition) < end:
                for message in (await consumer.getmany(partition, timeout_ms=500)).get(partition, []):
                    if message.key == key.encode() and message.value:
                        found.append(TopicRecord(message.offset, dict(message.headers), ConfigRecord.FromString(message.value)))
            return found
        finally:
            await consumer.stop()

    return read


@pytest.fixture
def states_of(on_topic: TopicReader) -> Callable[[str], Awaitable[list[ConfigRecord]]]:
    """Read the states that a key went through, each once: a sweep may publish again what a request is just publishing."""

    async def read(key: str) -> list[ConfigRecord]:
        found: dict[int, ConfigRecord] = {}
        for each in await on_topic(key):
            found.setdefault(each.record.generation, each.record)
        return list(found.values())

    return read
