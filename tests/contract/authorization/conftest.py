"""The applications of all services in this process, on a real store and without a topic: their key rings are filled by hand."""

import base64
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr

import ingest.app
import metrics.app
import publisher.app
import rules.app
from antiphon.auth import KeyRing, new_key
from antiphon.clock import SystemClock
from antiphon.config_feed import Change
from antiphon.mongo import connect
from antiphon.settings import MongoSettings
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord
from ingest.adapters.directory import Directory
from ingest.settings import IngestSettings
from ingest.testing import MemoryEventLog
from metrics.settings import MetricsSettings
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.domain.machine import fresh
from publisher.domain.model import Entry, Kind, Mode, Order
from publisher.settings import PublisherSettings
from rules.adapters.mongo import MongoConfigStore
from rules.adapters.records import encode
from rules.entities import ApiKey, Brand
from rules.settings import RulesApiSettings
from rules.trail import Trail

NOW = datetime.now(UTC).replace(microsecond=0)
CANARY = "canary-of-the-first-brand"
SEAL_KEYS = SecretStr("k1:" + base64.b64encode(bytes(32)).decode())


@dataclass(frozen=True, slots=True)
class House:
    """All applications, the tokens of every kind of caller, and records of the brand `own` that others must not see."""

    apps: Mapping[str, FastAPI]
    tokens: Mapping[str, str]
    own: str
    records: Mapping[str, str]

    async def ask(self, service: str, caller: str, request: tuple[str, str], **more: Any) -> httpx.Response:
        """Send one request. Each comes from an address of its own, so that none is slowed for the wrong tokens of another."""
        token = self.tokens.get(caller)
        match = '"1"' if service == "ingest" else "*"
        headers = {"If-Match": match, **({"Authorization": f"Bearer {token}"} if token else {})}
        transport = httpx.ASGITransport(app=self.apps[service], client=(f"{caller} {request}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as http:
            return await http.request(*request, headers=headers, **more)


def _key(role: str, brands: tuple[str, ...], **fields: Any) -> tuple[str, ApiKey]:
    made = new_key()
    values: dict[str, Any] = {"expires_time": NOW + timedelta(days=1), "changed_time": NOW, "actor": "-", **fields}
    values.setdefault("name", CANARY)
    entity = ApiKey(key_id=made.key_id, secret_sha256=made.secret_sha256, brands=brands, role=role, **values)
    return made.token, entity


def _keys(own: str, other: str) -> dict[str, tuple[str, ApiKey]]:
    roles = {role: _key(role, (own,)) for role in ("viewer", "editor", "approver", "admin")}
    return {
        **roles,
        "foreign": _key("admin", (other,), name="foreign"),
        "everywhere": _key("admin", ("*",)),
        "expired": _key("admin", (own,), expires_time=NOW - timedelta(seconds=1)),
        "revoked": _key("admin", (own,), revoked=True),
    }


def _entry(brand: str) -> Entry:
    now = NOW.timestamp()
    order = Order(
        action_id="action-of-own", event_id="e", brand=brand, platform="facebook", account="p", channel="main", target=CANARY,
        parent="", root="r", author="u", event_kind="comment", verb="create", rule_id="rule", rule_version=1,
        kind=Kind.REPLY, mode=Mode.AUTO, not_before=0.0, expires=now + 3600, event_time=now, received_time=now,
    )  # fmt: skip
    return Entry(order, fresh(order, CANARY, now))


def _ingest(own: str) -> dict[str, Any]:
    """Return what ingest is built on: a log that takes events, and a configuration that knows the brand."""
    directory = Directory()
    brand = BrandConfig(brand=own)
    directory.apply([Change(0, f"brand/{own}/", ConfigRecord(generation=1, brand=brand))])
    return {"event_log": MemoryEventLog(), "keys": KeyRing(SystemClock()), "directory": directory}


def _source(own: str) -> dict[str, Any]:
    accounts = [{"account": "1", "brand": own, "channel": "main"}]
    return {"id": own, "platform": "facebook", "verify_token": "12345678", "secret": "12345678", "accounts": accounts}


async def _application(stack: AsyncExitStack, builder: Any) -> FastAPI:
    app, tasks = await stack.enter_async_context(builder)
    for task in tasks:
        if inspect.iscoroutine(task):
            task.close()  # nothing runs beside the applications
    while not isinstance(app, FastAPI):
        app = app._app  # what stands in front of it
    return app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(mongo_uri: str, unique_name: Callable[[str], str]) -> AsyncIterator[House]:
    own, other = unique_name("own"), unique_name("other")
    where: dict[str, Any] = {"mongo_uri": SecretStr(mongo_uri), "mongo_database": unique_name("house")}
    sealed = {**where, "seal_keys": SEAL_KEYS}
    client, database = connect(MongoSettings(**where))
    made = _keys(own, other)
    async with AsyncExitStack() as stack:
        stack.callback(client.close)
        apps = {
            "rules": await _application(stack, rules.app.api(RulesApiSettings(**sealed))),
            "publisher": await _application(stack, publisher.app.api(PublisherSettings(**sealed))),
            "ingest": await _application(stack, ingest.app.build(IngestSettings(**sealed), **_ingest(own))),
            "metrics": await _application(
                stack, metrics.app.build(MetricsSettings(**sealed, metrics_person_key=SecretStr("k" * 16)))
            ),
        }
        store = MongoConfigStore(database)
        for _, entity in made.values():
            await store.create(entity, Trail(notes=()))
            for app in apps.values():
                app.state.keys.apply([Change(0, entity.key, encode(entity))])
        await store.create(Brand(brand=own, name=CANARY, changed_time=NOW, actor="-"), Trail(notes=()))
        await MongoLedger(database).insert([_entry(own)], 0)
        tokens = {"garbage": "ak_000000000000_x", **{name: token for name, (token, _) in made.items()}}
        records = {"key": made["viewer"][1].key_id, "action_id": "action-of-own", "source": own}
        house = House(apps, tokens, own, records)
        stored = await house.ask("ingest", "admin", ("POST", "/v1/sources"), json=_source(own))
        assert stored.status_code == 201, stored.text
        yield house
