"""One base URL for people: a small reverse proxy over the services, as the Ingress is in a cluster.

`python -m antiphon_local.router --port 8000 --service ingest=http://127.0.0.1:8001 --service rules=…`
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing

import httpx
import orjson
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from antiphon_local.ports import LOOPBACK
from antiphon_local.routes import Route, find_service, load_routes, longest_first

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""Headers of one connection (RFC 9110 §7.6.1): passed on they would describe a connection that does not exist."""

CONNECT_S, ANSWER_S = 1.0, 30.0
"""On loopback a connection takes microseconds; an answer may wait for what the service itself waits for."""


class Router:
    """The ASGI application. `services`: base URLs by service name; one without is away. Give `client` to share or fake it."""

    def __init__(
        self, services: Mapping[str, str], *, routes: Iterable[Route] | None = None, client: httpx.AsyncClient | None = None
    ) -> None:
        self._services = {name: httpx.URL(url) for name, url in services.items()}
        self._routes = longest_first(load_routes() if routes is None else routes)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._client = client or httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S), limits=limits, follow_redirects=False, trust_env=False
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003})
        elif scope["path"] in ("/healthz", "/readyz"):
            await _answer(send, 200, b"application/json", b'{"status":"ok"}')
        else:
            await self._route(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = find_service(self._routes, scope["path"])
        if name is None:
            await _problem(send, 404, "no_route", f"no service answers {scope['path']}")
        elif name not in self._services:
            await _problem(send, 503, "service_away", f"the service {name} is not part of this run", name)
        else:
            await self._forward(name, scope, receive, send)

    async def _forward(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        request = _request(self._services[name], scope, receive)
        try:
            response = await self._client.send(request, stream=True)
        except _ClientGoneError:
            return
        except (httpx.ConnectError, httpx.ConnectTimeout):
            await _problem(send, 503, "service_away", f"the service {name} is away: try again in a moment", name)
        except httpx.TimeoutException:
            await _problem(send, 504, "service_silent", f"the service {name} did not answer within {ANSWER_S:g} s", name)
        except httpx.TransportError as error:
            await _problem(send, 502, "service_broke_off", f"the service {name} broke off: {type(error).__name__}", name)
        else:
            async with aclosing(response):
                await _until_gone(_relay(response, send), receive)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._client.aclose()
        await send({"type": "lifespan.shutdown.complete"})


class _ClientGoneError(Exception):
    """The client hung up before its request was complete: nobody is left to answer."""


def _request(base: httpx.URL, scope: Scope, receive: Receive) -> httpx.Request:
    target: bytes = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    names = {name for name, _ in scope["headers"]}
    headers = _end_to_end(scope["headers"])
    if scope.get("client"):
        headers.append((b"x-forwarded-for", scope["client"][0].encode()))
    headers.append((b"x-forwarded-proto", scope["scheme"].encode()))
    has_body = b"content-length" in names or b"transfer-encoding" in names
    return httpx.Request(
        scope["method"], base.copy_with(raw_path=target), headers=headers, content=_body(receive) if has_body else None
    )


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGoneError
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _relay(response: httpx.Response, send: Send) -> None:
    headers = _end_to_end(response.headers.raw)
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    async for chunk in response.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(relay: Coroutine[object, object, None], receive: Receive) -> None:
    """Relay the answer, and stop when the client hangs up: an endless stream would otherwise keep its service busy."""
    answer = asyncio.create_task(relay)
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            answer.result()
    finally:
        for task in (answer, gone):
            task.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    message: Message = {"type": "http.request"}
    while message["type"] != "http.disconnect":
        message = await receive()


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    lowered = [(name.lower(), value) for name, value in headers]
    named = {token.strip().lower() for name, value in lowered if name == b"connection" for token in value.split(b",")}
    return [(name, value) for name, value in lowered if name not in HOP_BY_HOP and name not in named]


async def _problem(send: Send, status: int, code: str, detail: str, service: str | None = None) -> None:
    body = {"type": f"urn:antiphon:problem:{code}", "status": status, "code": code, "detail": detail}
    if service:
        body["service"] = service
    await _answer(
        send, status, b"application/problem+json", orjson.dumps(body), [(b"retry-after", b"1")] if status == 503 else []
    )


async def _answer(send: Send, status: int, kind: bytes, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m antiphon_local.router", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--service", action="append", default=[], metavar="NAME=URL", help="where a service answers; repeat for each"
    )
    options = parser.parse_args(arguments)
    services = dict(pair.split("=", 1) for pair in options.service)
    uvicorn.run(
        Router(services),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        date_header=False,  # answers come with their service's
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main()
