"""Every error is a problem document that points at its fields and shows nothing of our inside."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field

from antiphon.errors import Invalid, Transient
from antiphon.http import MAX_BODY_BYTES, build_api
from antiphon.problems import Problem, pointer
from antiphon.telemetry import Telemetry


class Inner(BaseModel):
    kinds: list[Annotated[int, Field(ge=0)]]


class Outer(BaseModel):
    where: Inner
    names: dict[str, int] = {}


@pytest.fixture
def app() -> FastAPI:
    async def ready() -> dict[str, bool]:
        return {"kafka": True, "store": False}

    app = build_api("test", telemetry=Telemetry("test"), readiness=ready)
    errors: dict[str, Exception] = {
        "problem": Problem(409, "conflict", "It has changed.", headers={"ETag": "7"}),
        "invalid": Invalid("bad_rule", "the rule is empty"),
        "transient": Transient("the store is away"),
        "slow": Transient("the platform is busy", retry_after=7.4),
        "bug": RuntimeError("/srv/secret/place.py"),
    }

    @app.post("/things")
    async def things(body: Outer) -> str:
        return "ok"

    @app.get("/raise/{name}")
    async def fail(name: str, limit: int = 5) -> str:
        raise errors[name]

    return app


async def ask(app: FastAPI, method: str, path: str, **arguments: Any) -> httpx.Response:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test"
    ) as client:
        return await client.request(method, path, **arguments)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (("body", "where", "kinds", 0), "/where/kinds/0"),
        (("query", "from"), "/from"),
        (("header", "if-match"), "/if-match"),
        (("body",), ""),
        ((), ""),
        (("body", "names", "a/b~c"), "/names/a~1b~0c"),
        (("where", "body"), "/where/body"),
    ],
)
def test_locations_become_json_pointers(location: tuple[str | int, ...], expected: str) -> None:
    assert pointer(location) == expected


async def test_wrong_fields_are_pointed_at(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/things", json={"where": {"kinds": [1, -1, "x"]}, "names": {"a/b": "y"}})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/where/kinds/1", "/where/kinds/2", "/names/a~1b"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"where": 1e999}', b"[" * 5_000, b"null"])
async def test_garbage_is_the_callers_error(app: FastAPI, body: bytes) -> None:
    answer = await ask(app, "POST", "/things", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_is_no_json_is_told_from_what_is_wrong_json(app: FastAPI) -> None:
    headers = {"content-type": "application/json"}
    for body, status, code in ((b'{"where": ', 400, "unreadable"), (b'{"where": 1}', 422, "invalid")):
        answer = await ask(app, "POST", "/things", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(("method", "path"), [("POST", "/things"), ("GET", "/raise/problem"), ("GET", "/nowhere")])
async def test_too_large_a_body_is_a_problem_whoever_finds_it(app: FastAPI, method: str, path: str) -> None:
    answer = await ask(app, method, path, content=b"x" * (MAX_BODY_BYTES + 1), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/raise/problem", 409, "conflict"),
        ("GET", "/raise/invalid", 422, "invalid"),
        ("GET", "/raise/transient", 503, "unavailable"),
        ("GET", "/raise/bug", 500, "internal"),
        ("GET", "/raise/problem?limit=x", 422, "invalid"),
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/things", 405, "method_not_allowed"),
    ],
)
async def test_each_error_has_its_status_and_code(app: FastAPI, method: str, path: str, status: int, code: str) -> None:
    answer = await ask(app, method, path)
    document = answer.json()
    assert (answer.status_code, document["status"], document["code"]) == (status, status, code)
    assert document["type"] == f"urn:antiphon:problem:{code}"
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_headers_of_the_remedy_are_sent(app: FastAPI) -> None:
    assert (await ask(app, "GET", "/raise/problem")).headers["etag"] == "7"
    assert (await ask(app, "GET", "/raise/transient")).headers["retry-after"] == "2"
    assert (await ask(app, "GET", "/raise/slow")).headers["retry-after"] == "7"


async def test_health_ignores_dependencies_and_readiness_names_them(app: FastAPI) -> None:
    assert (await ask(app, "GET", "/healthz")).text == "ok"
    readiness = await ask(app, "GET", "/readyz")
    assert (readiness.status_code, readiness.json()) == (503, {"kafka": True, "store": False})
