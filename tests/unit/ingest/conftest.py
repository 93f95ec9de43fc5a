"""The service in one process: the real application on fakes of the log and the store."""

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from antiphon.auth import KeyRing, NewKey, new_key
from antiphon.config_feed import Change
from antiphon.process import background
from antiphon.testing import FakeClock
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord
from ingest.adapters.directory import Directory
from ingest.app import build
from ingest.domain import Account, Secret, Source
from ingest.settings import IngestSettings
from ingest.testing import MemoryEventLog, MemorySourceStore

SECRET = b"app_secret"
LINK_KEY = b"k" * 32


@dataclass(slots=True)
class Edge:
    client: httpx.AsyncClient
    log: MemoryEventLog
    store: MemorySourceStore
    clock: FakeClock
    keys: KeyRing
    directory: Directory
    revision: int = 0

    def configure(self, key: str, **entity: Any) -> None:
        """Apply a record of the configuration topic; without an entity, its removal."""
        self.revision += 1
        record = ConfigRecord(generation=self.revision, **entity) if entity else None
        self.directory.apply([Change(self.revision, key, record)])

    async def deliver(self, body: bytes, *, secret: bytes = SECRET, to: str = "facebook/main", **headers: str) -> httpx.Response:
        signature = "sha256=" + hmac.digest(secret, body, "sha256").hex()
        return await self.client.post(f"/webhooks/{to}", content=body, headers={"X-Hub-Signature-256": signature} | headers)

    def key(self, role: str, *brands: str) -> dict[str, str]:
        """Return the header of a new key."""
        made: NewKey = new_key()
        record = ApiKeyConfig(key_id=made.key_id, secret_sha256=made.secret_sha256, brands=brands, role=role)
        self.keys.apply([Change(0, f"api_key//{made.key_id}", ConfigRecord(generation=1, api_key=record))])
        return {"Authorization": f"Bearer {made.token}"}

    async def metric(self, line: str) -> float:
        """Return the value of a series by its name and labels."""
        text = (await self.client.get("/metrics")).text
        (found,) = [one for one in text.splitlines() if one.startswith(line + " ")]
        return float(found.rpartition(" ")[2])


def subscription(source_id: str, platform: str) -> Source:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    accounts = {name: Account(name, f"brand-{name}", "main") for name in ("100", "101")}
    return Source(source_id, platform, b"meatyhamhock", (Secret("s1", SECRET, made),), accounts)


@pytest.fixture
def settings() -> IngestSettings:
    return IngestSettings(
        seal_keys=SecretStr("k1:" + base64.b64encode(bytes(32)).decode()),
        ingest_sources_poll_seconds=0.02,
        ingest_max_body_bytes=300_000,
        ingest_max_in_flight_events=50,
        link_key=SecretStr(base64.b64encode(LINK_KEY).decode()),
        ingest_click_wait_seconds=0.02,
        ingest_max_in_flight_clicks=3,
    )


@pytest.fixture
async def edge(settings: IngestSettings) -> AsyncIterator[Edge]:
    clock, log = FakeClock(), MemoryEventLog()
    store = MemorySourceStore(subscription("main", "facebook"), subscription("insta", "instagram"))
    keys = KeyRing(clock)
    directory = Directory()
    building = build(settings, clock=clock, event_log=log, store=store, keys=keys, directory=directory)
    async with building as (app, tasks), background(*tasks):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge.test") as client:
            while not (await client.get("/readyz")).is_success:  # noqa: ASYNC110 (no event to wait for)
                await asyncio.sleep(0.01)
            yield Edge(client, log, store, clock, keys, directory)
