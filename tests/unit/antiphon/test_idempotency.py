"""A request that comes twice is done once: through a real application on a real store."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from pydantic import SecretStr

from antiphon.answers import KEPT, RUNNING, MongoAnswers
from antiphon.auth import Editor, KeyRing, NewKey, new_key
from antiphon.config_feed import Change
from antiphon.errors import Transient
from antiphon.http import build_api
from antiphon.mongo import Database, connect
from antiphon.problems import Problem
from antiphon.seal import Sealer
from antiphon.settings import MongoSettings
from antiphon.telemetry import Telemetry
from antiphon.testing import FakeClock
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord

pytestmark = pytest.mark.local

SECRET = "a-token-that-is-shown-once"


@dataclass(slots=True)
class Stage:
    """An application whose one route counts, and what its next call is to do."""

    app: FastAPI
    ring: KeyRing
    clock: FakeClock
    database: Database
    keys: dict[str, NewKey]
    done: list[bytes] = field(default_factory=list)
    fails: Exception | None = None
    held: asyncio.Event | None = None
    padding: str = ""
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, key: str | None, body: Any = None, *, who: str = "one", **more: Any) -> httpx.Response:
        given = {} if key is None else {"Idempotency-Key": key}
        headers = {"Authorization": f"Bearer {self.keys[who].token}", **given, **more.pop("headers", {})}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.request(more.pop("method", "POST"), more.pop("path", "/things"), json=body, headers=headers, **more)


def grant(ring: KeyRing, key: NewKey, generation: int = 1, **fields: Any) -> None:
    entity = ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, role="editor", brands=["acme"], **fields)
    ring.apply([Change(0, f"api_key//{key.key_id}", ConfigRecord(generation=generation, api_key=entity))])


async def nothing() -> dict[str, bool]:
    return {}


def with_route(stage: Stage) -> Stage:
    numbers = itertools.count(1)

    @stage.app.post("/things", status_code=201)
    @stage.app.patch("/things")
    @stage.app.put("/things")
    async def make(request: Request, caller: Editor, response: Response) -> dict[str, Any]:
        body = await request.body()
        stage.entered.set()
        if stage.held:
            await stage.held.wait()
        if stage.fails:
            raise stage.fails
        stage.done.append(body)
        number = next(numbers)
        response.headers["ETag"] = f'"{number}"'
        return {"number": number, "token": f"{SECRET}-{number}", "by": caller.key_id, "padding": stage.padding}

    return stage


@pytest.fixture
async def stage(mongo_uri: str, unique_name: Callable[[str], str]) -> AsyncIterator[Stage]:
    clock = FakeClock(datetime.now(UTC))  # near the store's own, by which it deletes answers that have expired
    client, database = connect(MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=unique_name("answers")))
    answers = MongoAnswers(database, "test", Sealer({"k1": bytes(32)}), clock)
    await answers.prepare()
    ring, keys = KeyRing(clock), {"one": new_key(), "two": new_key()}
    for key in keys.values():
        grant(ring, key)
    app = build_api("test", telemetry=Telemetry("test"), readiness=nothing, keys=ring, answers=answers)
    yield with_route(Stage(app, ring, clock, database, keys))
    client.close()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_the_same_request_gets_the_same_answer_and_is_done_once(stage: Stage, method: str) -> None:
    first = await stage.post("k-1", {"a": 1}, method=method)
    again = await stage.post("k-1", {"a": 1}, method=method)
    quoted = await stage.post('"k-1"', {"a": 1}, method=method)
    assert "idempotency-replayed" not in first.headers
    for replayed in (again, quoted):
        assert replayed.headers["idempotency-replayed"] == "true"
        assert (replayed.status_code, replayed.json(), replayed.headers["etag"]) == (first.status_code, first.json(), '"1"')
        assert replayed.headers["content-type"] == first.headers["content-type"]
    assert len(stage.done) == 1


async def test_without_a_key_and_on_other_methods_everything_is_done_again(stage: Stage) -> None:
    for key, method in ((None, "POST"), (None, "POST"), ("k", "PUT"), ("k", "PUT")):
        assert (await stage.post(key, {}, method=method)).is_success
    assert len(stage.done) == 4


@pytest.mark.parametrize(
    "other",
    [
        {"body": {"a": 2}},
        {"body": {"a": 1}, "params": {"comment": "x"}},
        {"body": {"a": 1}, "headers": {"If-Match": '"3"'}},
        {"body": {"a": 1}, "method": "PATCH"},
    ],
    ids=["body", "query", "precondition", "method"],
)
async def test_a_key_belongs_to_one_request(stage: Stage, other: dict[str, Any]) -> None:
    await stage.post("k", {"a": 1})
    refused = await stage.post("k", **other)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert len(stage.done) == 1


async def test_callers_never_meet(stage: Stage) -> None:
    one, two = await stage.post("k", {}, who="one"), await stage.post("k", {}, who="two")
    assert (one.json()["by"], two.json()["by"]) == (stage.keys["one"].key_id, stage.keys["two"].key_id)
    assert len(stage.done) == 2


async def test_a_key_that_has_ended_gets_no_old_answer(stage: Stage) -> None:
    assert (await stage.post("k", {})).status_code == 201
    grant(stage.ring, stage.keys["one"], 2, revoked=True)
    refused = await stage.post("k", {})
    assert (refused.status_code, SECRET in refused.text) == (401, False)


async def test_of_two_at_once_one_is_done_and_the_other_told_to_wait(stage: Stage) -> None:
    stage.held = asyncio.Event()
    first = asyncio.ensure_future(stage.post("k", {}))
    await asyncio.wait_for(stage.entered.wait(), 10)
    second = await stage.post("k", {})
    assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (409, "still_running", "1")
    stage.held.set()
    assert (await first).status_code == 201
    assert (await stage.post("k", {})).headers["idempotency-replayed"] == "true"
    assert len(stage.done) == 1


async def test_of_many_at_once_exactly_one_is_done(stage: Stage) -> None:
    answers = await asyncio.gather(*(stage.post("k", {}) for _ in range(12)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(stage.done) == 1


async def test_one_whose_process_died_is_done_again_after_a_while(stage: Stage) -> None:
    stage.held = asyncio.Event()
    dying = asyncio.ensure_future(stage.post("k", {}))
    await asyncio.wait_for(stage.entered.wait(), 10)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    stage.held = None
    assert (await stage.post("k", {})).status_code == 409
    stage.clock.advance(RUNNING.total_seconds())
    assert (await stage.post("k", {})).status_code == 201
    assert (await stage.post("k", {})).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("error", "status"),
    [(Problem(412, "changed_meanwhile", "no"), 412), (Transient("away"), 503), (RuntimeError("a bug"), 500)],
)
async def test_what_failed_is_tried_again(stage: Stage, error: Exception, status: int) -> None:
    stage.fails = error
    assert (await stage.post("k", {})).status_code == status
    stage.fails = None
    again = await stage.post("k", {})
    assert (again.status_code, "idempotency-replayed" in again.headers) == (201, False)


async def test_after_a_day_it_is_another_request(stage: Stage) -> None:
    await stage.post("k", {"a": 1})
    stage.clock.advance(KEPT.total_seconds() - 1)
    assert (await stage.post("k", {"a": 1})).headers["idempotency-replayed"] == "true"
    stage.clock.advance(1)
    assert "idempotency-replayed" not in (await stage.post("k", {"a": 2})).headers
    assert len(stage.done) == 2


async def test_no_secret_lies_in_the_store(stage: Stage) -> None:
    made = await stage.post("the-key-of-the-caller", {"name": "somebody"})
    assert SECRET in made.text
    kept = repr(await stage.database["test_answers"].find().to_list(None))
    assert stage.keys["one"].key_id in kept
    for secret in (SECRET, "somebody", "the-key-of-the-caller", base64.b64encode(SECRET.encode()).decode()[:20]):
        assert secret not in kept


async def test_an_answer_that_cannot_be_opened_is_said_to_be_lost(stage: Stage) -> None:
    await stage.post("k", {})
    await stage.database["test_answers"].update_one({}, {"$set": {"sealed": "gone.x"}})
    lost = await stage.post("k", {})
    assert (lost.status_code, lost.json()["code"]) == (409, "answer_lost")
    assert len(stage.done) == 1


async def test_an_answer_that_is_too_large_to_keep_is_said_to_be_lost(stage: Stage) -> None:
    stage.padding = "x" * 2**20
    assert (await stage.post("k", {})).status_code == 201
    lost = await stage.post("k", {})
    assert (lost.status_code, lost.json()["code"]) == (409, "answer_lost")
    assert len(stage.done) == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", '"', '"a"b"', "a b"])
async def test_a_key_has_a_form(stage: Stage, key: str) -> None:
    refused = await stage.post(None, {}, headers={"Idempotency-Key": key.encode()})
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_malformed")
    assert stage.done == []


async def test_a_body_that_is_too_large_is_no_first_request(stage: Stage) -> None:
    refused = await stage.post("k", {"a": "x" * 2**20})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await stage.post("k", {"a": "x"})).status_code == 201


async def test_without_the_store_nothing_is_done(stage: Stage) -> None:
    clock = FakeClock()
    away = MongoSettings(mongo_uri=SecretStr("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100"), mongo_database="away")
    client, database = connect(away)
    answers = MongoAnswers(database, "test", Sealer({"k1": bytes(32)}), clock)
    app = build_api("test", telemetry=Telemetry("test"), readiness=nothing, keys=stage.ring, answers=answers)
    other = with_route(Stage(app, stage.ring, clock, database, stage.keys))
    refused = await other.post("k", {})
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "unavailable", "2")
    assert other.done == []
    assert (await other.post(None, {})).status_code == 201
    client.close()
