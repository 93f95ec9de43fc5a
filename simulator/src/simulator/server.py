"""The HTTP server, with the one thing ASGI lacks: tearing a connection down."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from types import FrameType

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: the kernel drops what was not sent and answers RST."""

HANG_SECONDS = 120.0
"""How long a caller that never gives up is kept waiting; well past any sane client's timeout."""


class AbortableProtocol(HttpToolsProtocol):
    """Shows each request the transport it came by."""

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


async def reset(request: Request) -> None:
    """Drop the caller's connection: no answer, a TCP reset."""
    transport: asyncio.Transport = request.state.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
    await _gone(request)


async def hang(request: Request) -> None:
    """Never answer; returns when the caller has given up."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            await _gone(request)
    except TimeoutError:
        await reset(request)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one.

    The protocol is named, for asyncio turns off Nagle's delay (40 ms an answer) only where it reads TCP.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


class _Server(uvicorn.Server):
    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, and do not raise the signal again: what surrounds the server still has to close."""
        self.force_exit = self.should_exit
        self.should_exit = True


def make_server(app: ASGIApp) -> uvicorn.Server:
    """A server for `app`, to be given a bound socket."""
    config = uvicorn.Config(
        app, http=AbortableProtocol, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    return _Server(config)


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve inside the running loop; yields the base URL."""
    bound = listen(host, port)
    server = make_server(app)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            await asyncio.sleep(0.005)
            if task.done():
                task.result()
                raise RuntimeError("the server ended while it started")
        yield f"http://{host}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        bound.close()
