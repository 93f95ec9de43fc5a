"""One base URL over several services, over real connections."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route as Path
from starlette.types import ASGIApp

from antiphon_local.ports import LOOPBACK, free_ports
from antiphon_local.router import Router
from antiphon_local.routes import Route

ROUTES = [
    Route("/webhooks", "ingest"),
    Route("/v1/brands", "rules"),
    Route("/v1/reports", "metrics"),
    Route("/v1/broken", "broken"),
]


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    with socket.create_server((LOOPBACK, 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=2))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await asyncio.sleep(0.01)
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


async def echo(request: Request) -> Response:
    body = await request.body()
    seen = {"target": request.scope["raw_path"].decode(), "query": request.url.query, "size": len(body)}
    answer = JSONResponse(seen | {"headers": dict(request.headers)}, status_code=207)
    answer.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"connection", b"x-private"), (b"x-private", b"1")]
    return answer


class Ticker:
    """An endless answer that knows when its client has gone."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        return StreamingResponse(self._ticks(), media_type="text/event-stream")

    async def _ticks(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"data: tick\n\n"
                await asyncio.sleep(0.02)
        finally:
            self.ended.set()


@pytest.fixture
async def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
async def client(ticker: Ticker) -> AsyncIterator[httpx.AsyncClient]:
    service = Starlette(
        routes=[
            Path("/webhooks/{rest:path}", echo, methods=["GET", "POST"]),
            Path("/v1/brands/{rest:path}", ticker.answer, methods=["GET"]),
        ]
    )
    (nobody,) = free_ports(1)
    async with served(service) as url, _breaking_off() as broken:
        services = {"ingest": url, "rules": url, "broken": broken, "metrics": f"http://{LOOPBACK}:{nobody}"}
        async with served(Router(services, routes=ROUTES)) as base, httpx.AsyncClient(base_url=base, trust_env=False) as made:
            yield made


@asynccontextmanager
async def _breaking_off() -> AsyncIterator[str]:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang_up, LOOPBACK, 0) as server:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"


async def test_a_request_arrives_as_it_was_sent(client: httpx.AsyncClient) -> None:
    headers = {"x-hub-signature-256": "sha256=abc", "connection": "keep-alive, x-hop", "x-hop": "1", "host": "brand.example"}
    answer = await client.post("/webhooks/facebook/a%2Fb?hub.mode=subscribe&x=%20y", content=b"x" * 300_000, headers=headers)
    seen = answer.json()
    assert (answer.status_code, seen["size"]) == (207, 300_000)
    assert (seen["target"], seen["query"]) == ("/webhooks/facebook/a%2Fb", "hub.mode=subscribe&x=%20y")
    assert seen["headers"]["x-hub-signature-256"] == "sha256=abc"
    assert seen["headers"]["host"] == "brand.example"
    assert seen["headers"]["x-forwarded-for"] == LOOPBACK
    assert "x-hop" not in seen["headers"]
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert "x-private" not in answer.headers


async def test_a_body_of_unknown_length_is_streamed(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"y" * 1000

    answer = await client.post("/webhooks/x", content=pieces())
    assert answer.json()["size"] == 5000


async def test_an_endless_answer_flows_and_ends_with_its_client(client: httpx.AsyncClient, ticker: Ticker) -> None:
    async with client.stream("GET", "/v1/brands/acme/live") as answer:
        async for chunk in answer.aiter_raw():
            assert chunk.startswith(b"data: tick")
            break
        assert not ticker.ended.is_set()
    await asyncio.wait_for(ticker.ended.wait(), 10)


@pytest.mark.parametrize(
    ("path", "status", "code", "service"),
    [
        ("/v1/reports/summary", 503, "service_away", "metrics"),
        ("/v1/broken", 502, "service_broke_off", "broken"),
        ("/nowhere", 404, "no_route", None),
    ],
)
async def test_a_service_that_is_away_is_named(
    client: httpx.AsyncClient, path: str, status: int, code: str, service: str | None
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"], problem.get("service")) == (status, code, service)
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)


async def test_the_router_itself_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200
