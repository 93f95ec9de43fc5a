"""Keys: only the right, living token opens, and every refusal looks the same."""

from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel, Field

from antiphon.auth import Admin, Approver, Editor, KeyRing, NewKey, Role, Viewer, new_key
from antiphon.config_feed import Change
from antiphon.http import build_api
from antiphon.problems import Problem
from antiphon.telemetry import Telemetry
from antiphon.testing import FakeClock
from antiphon.times import to_timestamp
from antiphon.v1.config_pb2 import ApiKeyConfig, BrandConfig, ConfigRecord


def config(key: NewKey, *, generation: int = 1, role: str = "viewer", **fields: object) -> Change:
    entity = ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, role=role, brands=["acme"], **fields)  # type: ignore[arg-type]
    return Change(generation, f"api_key//{key.key_id}", ConfigRecord(generation=generation, api_key=entity))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ring(clock: FakeClock) -> KeyRing:
    return KeyRing(clock)


def test_the_right_token_opens(ring: KeyRing) -> None:
    key = new_key()
    ring.apply([config(key, role="editor")])
    principal = ring.authenticate(key.token)
    assert principal is not None
    assert (principal.key_id, principal.role, principal.brands) == (key.key_id, Role.EDITOR, frozenset({"acme"}))


def test_tokens_differ_and_never_contain_what_is_stored() -> None:
    keys = [new_key() for _ in range(50)]
    assert len({key.token for key in keys}) == len({key.key_id for key in keys}) == 50
    assert all(key.secret_sha256.hex() not in key.token for key in keys)


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "x",
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("ak_", "AK_"),
        lambda token: token.split("_", 2)[2],
        lambda token: "ak_" + "0" * 12 + "_" + token.split("_", 2)[2],
        lambda token: "ak__",
        lambda token: "ü" * 60,
    ],
)
def test_anything_else_does_not(ring: KeyRing, forge: "object") -> None:
    key = new_key()
    ring.apply([config(key)])
    assert ring.authenticate(forge(key.token)) is None  # type: ignore[operator]


def test_a_key_ends_when_it_expires_or_is_revoked_or_removed(ring: KeyRing, clock: FakeClock) -> None:
    expiring, revoked, removed = new_key(), new_key(), new_key()
    ring.apply(
        [config(expiring, expires_time=to_timestamp(clock.now() + timedelta(seconds=10))), config(revoked), config(removed)]
    )
    assert all(ring.authenticate(key.token) for key in (expiring, revoked, removed))
    clock.advance(10)
    ring.apply([config(revoked, generation=2, revoked=True), Change(9, f"api_key//{removed.key_id}", None)])
    assert [ring.authenticate(key.token) for key in (expiring, revoked, removed)] == [None, None, None]


def test_an_older_record_that_comes_late_does_not_give_a_revoked_key_back(ring: KeyRing) -> None:
    key = new_key()
    ring.apply([config(key, generation=2, revoked=True), config(key, generation=1)])
    assert ring.authenticate(key.token) is None


def test_a_role_of_a_newer_release_gives_no_rights(ring: KeyRing) -> None:
    key = new_key()
    ring.apply([config(key, role="owner")])
    assert ring.authenticate(key.token) is None


def test_other_records_are_none_of_its_business(ring: KeyRing) -> None:
    ring.apply([Change(0, "brand/acme/", ConfigRecord(brand=BrandConfig(brand="acme"))), Change(1, "brand/acme/", None)])
    assert ring.authenticate("ak_acme_x") is None


def test_a_foreign_brand_does_not_exist(ring: KeyRing) -> None:
    key, everywhere = new_key(), new_key()
    ring.apply([config(key)])
    record = ApiKeyConfig(key_id=everywhere.key_id, secret_sha256=everywhere.secret_sha256, role="viewer", brands=["*"])
    ring.apply([Change(1, f"api_key//{everywhere.key_id}", ConfigRecord(generation=1, api_key=record))])
    mine, all_seeing = ring.authenticate(key.token), ring.authenticate(everywhere.token)
    assert mine is not None
    assert all_seeing is not None
    assert (mine.check("acme"), all_seeing.check("other")) == ("acme", "other")
    with pytest.raises(Problem) as caught:
        mine.check("other")
    assert caught.value.status == 404


async def test_each_role_may_do_what_the_lower_ones_may(ring: KeyRing) -> None:
    app = guarded_app(ring)
    keys = {role: new_key() for role in Role}
    ring.apply([config(key, role=role.name.lower()) for role, key in keys.items()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for role, key in keys.items():
            for needed in Role:
                answer = await client.get(f"/{needed.name.lower()}", headers={"authorization": f"Bearer {key.token}"})
                assert answer.status_code == (200 if role >= needed else 403), (role, needed)
        for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": f"Basic {keys[Role.ADMIN].token}"}):
            answer = await client.get("/viewer", headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert answer.json()["code"] == "unauthorized"


async def test_a_parameter_that_the_call_does_not_know_is_named_with_those_it_does(ring: KeyRing) -> None:
    app, key = guarded_app(ring), new_key()
    ring.apply([config(key)])

    class Cut(BaseModel):
        begin: int = Field(0, alias="from")
        until: int = 9

    def page(limit: int = 5) -> int:
        return limit

    @app.get("/list")
    async def listed(
        _: Viewer, cut: Annotated[Cut, Query()], limit: Annotated[int, Depends(page)], kind: str = ""
    ) -> list[object]:
        return [cut.begin, cut.until, limit, kind]

    headers = {"authorization": f"Bearer {key.token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:
        assert (await client.get("/list?from=1&until=2&limit=3&kind=reply")).json() == [1, 2, 3, "reply"]
        answer = await client.get("/list?Kind=reply&from=1&state=")
        assert (answer.status_code, answer.json()["errors"]) == (
            422,
            [
                {"pointer": "/Kind", "detail": "unknown; this call takes from, kind, limit, until"},
                {"pointer": "/state", "detail": "unknown; this call takes from, kind, limit, until"},
            ],
        )
        assert (await client.get("/viewer?state=1")).json()["errors"] == [
            {"pointer": "/state", "detail": "unknown; this call takes no parameters"}
        ]
        assert (await client.get("/healthz?fbclid=1")).status_code == 200, "not asked of what needs no key"


def guarded_app(ring: KeyRing) -> FastAPI:
    async def ready() -> dict[str, bool]:
        return {}

    app = build_api("test", telemetry=Telemetry("test"), readiness=ready, keys=ring)

    @app.get("/viewer")
    async def viewer(caller: Viewer) -> str:
        return caller.key_id

    @app.get("/editor")
    async def editor(caller: Editor) -> str:
        return caller.key_id

    @app.get("/approver")
    async def approver(caller: Approver) -> str:
        return caller.key_id

    @app.get("/admin")
    async def admin(caller: Admin) -> str:
        return caller.key_id

    return app
