"""A simulator and a receiver of its webhooks, both real servers on loopback in the test's own loop."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator.app import open_simulator
from simulator.server import serving
from simulator.settings import Settings

SECRET = "app-secret"
PAGE, INSTAGRAM = "100100", "17841400000000001"


@dataclass
class HookReceiver:
    """Takes webhooks: answers what it is told to, refuses wrong signatures, keeps every body it accepted."""

    url: str = ""
    verify_token: str = "verify me"
    answers: list[int] = field(default_factory=list)
    always: int = 200
    bodies: list[bytes] = field(default_factory=list)
    seen: int = 0
    refused: int = 0

    async def __call__(self, request: Request) -> Response:
        if request.method == "GET":
            ok = request.query_params["hub.verify_token"] == self.verify_token
            return PlainTextResponse(request.query_params["hub.challenge"], 200) if ok else Response(status_code=403)
        raw = await request.body()
        self.seen += 1
        digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        if request.headers["x-hub-signature-256"] != f"sha256={digest}":
            self.refused += 1
            return Response(status_code=401)
        status = self.answers.pop(0) if self.answers else self.always
        if status == 200:
            self.bodies.append(raw)
        return Response(status_code=status)

    def entries(self) -> list[dict[str, Any]]:
        parsed = [orjson.loads(raw) for raw in self.bodies]
        flat = [one for body in parsed for one in (body if isinstance(body, list) else [body])]
        return [entry for body in flat for entry in body["entry"]]

    def changes(self) -> list[dict[str, Any]]:
        """Every change, both Instagram shapes alike."""
        return [item for entry in self.entries() for item in entry.get("changes", [entry] if "field" in entry else [])]

    def values(self) -> list[dict[str, Any]]:
        return [change["value"] for change in self.changes()]

    def messages(self) -> list[dict[str, Any]]:
        return [item for entry in self.entries() for item in entry.get("messaging", [])]


@dataclass
class Box:
    """The simulator under test, seen from outside."""

    http: httpx.AsyncClient
    hook: HookReceiver

    async def account(self, platform: str = "facebook", **changes: object) -> dict[str, Any]:
        name = PAGE if platform == "facebook" else INSTAGRAM
        wanted = {
            "platform": platform, "account": name, "name": "Brand", "token": f"token-{platform}",
            "app_secret": SECRET, "webhook_url": self.hook.url, "verify_token": self.hook.verify_token,
        }  # fmt: skip
        return await self.control("POST", "accounts", {**wanted, **changes})

    async def control(self, method: str, path: str, json: object = None) -> Any:
        answer = await self.http.request(method, f"/control/{path}", json=json)
        assert answer.is_success, answer.text
        return answer.json()

    async def comment(self, text: str = "hello", platform: str = "facebook", **more: object) -> str:
        name = PAGE if platform == "facebook" else INSTAGRAM
        author = {"id": "p1", "name": "Pat"}
        wanted = {"platform": platform, "account": name, "author": author, "text": text, **more}
        return str((await self.control("POST", "comments", wanted))["id"])

    async def graph(self, method: str, path: str, platform: str = "facebook", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer token-{platform}"}
        return await self.http.request(method, f"/v23.0/{path}", headers=headers, **options)

    async def reply(self, comment: str, text: str = "thanks", **options: Any) -> httpx.Response:
        return await self.graph("POST", f"{comment}/comments", json={"message": text}, **options)

    async def drained(self, every: float = 0.01) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if (await self.control("GET", "drained"))["drained"]:
                return
            await asyncio.sleep(every)
        raise AssertionError(await self.control("GET", "stats"))

    async def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.control("GET", "stats")
        return found


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.01)


@pytest.fixture
async def hook() -> AsyncIterator[HookReceiver]:
    receiver = HookReceiver()
    app = Starlette(routes=[Route("/hook", receiver.__call__, methods=["GET", "POST"])])
    async with serving(app) as url:
        receiver.url = f"{url}/hook"
        yield receiver


@pytest.fixture
def settings() -> Settings:
    return Settings(seed=11, clock_scale=3600, linger_ms=2)


@pytest.fixture
async def box(settings: Settings, hook: HookReceiver) -> AsyncIterator[Box]:
    print(f"seed {settings.seed}")
    async with (
        open_simulator(settings) as app,
        serving(app) as url,
        httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as http,
    ):
        yield Box(http, hook)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Any]:
    return until
