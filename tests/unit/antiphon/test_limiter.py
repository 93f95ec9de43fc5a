"""Wrong API keys again and again: the caller is told to wait, and nobody with a good key notices."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from antiphon import bad_tokens
from antiphon.auth import KeyRing, Viewer, new_key
from antiphon.bad_tokens import ALLOWED, WINDOW_SECONDS, BadTokens
from antiphon.config_feed import Change
from antiphon.http import build_api
from antiphon.telemetry import Telemetry
from antiphon.testing import FakeClock
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(clock: FakeClock) -> BadTokens:
    return BadTokens(clock)


def test_past_the_allowance_the_rest_of_the_minute_is_waited_for(limiter: BadTokens, clock: FakeClock) -> None:
    assert [limiter.wait("192.0.2.1") for _ in range(ALLOWED)] == [0] * ALLOWED
    clock.advance(20)
    assert limiter.wait("192.0.2.1") == WINDOW_SECONDS - 20
    assert limiter.wait("192.0.2.2") == 0
    clock.advance(40)
    assert limiter.wait("192.0.2.1") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("no address", "no address", True),
    ],
)
def test_an_address_is_what_one_caller_holds(limiter: BadTokens, one: str, other: str, same: bool) -> None:
    for _ in range(ALLOWED):
        limiter.wait(one)
    assert (limiter.wait(other) > 0) is same


def test_a_flood_of_addresses_costs_no_memory(limiter: BadTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bad_tokens, "_MOST_ADDRESSES", 100)
    for number in range(1_000):
        limiter.wait(f"192.0.{number // 250}.{number % 250}")
    assert len(limiter._seen) == 100
    assert "192.0.3.249" in limiter._seen


@pytest.fixture
def ask(clock: FakeClock) -> Callable[..., Awaitable[httpx.Response]]:
    ring, key = KeyRing(clock), new_key()
    entity = ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, role="viewer", brands=["acme"])
    ring.apply([Change(0, f"api_key//{key.key_id}", ConfigRecord(generation=1, api_key=entity))])

    async def ready() -> dict[str, bool]:
        return {}

    app: FastAPI = build_api("test", telemetry=Telemetry("test"), readiness=ready, keys=ring)

    @app.get("/mine")
    async def mine(caller: Viewer) -> str:
        return caller.key_id

    async def send(token: str, address: str = "192.0.2.1") -> httpx.Response:
        token = key.token if token == "good" else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.get("/mine", headers=headers)

    return send


async def test_a_good_key_is_never_limited(ask: Callable[..., Awaitable[httpx.Response]]) -> None:
    wrong = [(await ask("ak_000000000000_x")).status_code for _ in range(ALLOWED)]
    assert set(wrong) == {401}
    limited: httpx.Response = await ask("ak_000000000000_x")
    assert (limited.status_code, limited.json()["code"]) == (429, "too_many_wrong_keys")
    assert 1 <= int(limited.headers["retry-after"]) <= WINDOW_SECONDS
    assert (await ask("good")).status_code == 200
    assert (await ask("ak_000000000000_x", "192.0.2.9")).status_code == 401


async def test_calls_without_a_key_are_not_counted(ask: Callable[..., Awaitable[httpx.Response]]) -> None:
    answers = [(await ask("")).status_code for _ in range(2 * ALLOWED)]
    assert set(answers) == {401}
