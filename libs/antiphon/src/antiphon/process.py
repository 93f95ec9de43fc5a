"""How a process runs: serve, work in the background, stop in order on SIGTERM or SIGINT, end loudly when a part fails."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvicorn
import uvloop
from typing_extensions import override

from antiphon import failpoints, logs
from antiphon.settings import HttpSettings
from antiphon.waiting import STOP

log = logging.getLogger(__name__)

ASGIApp = Callable[..., Awaitable[None]]

Built = tuple[ASGIApp, Sequence[Awaitable[None]]]
"""What a process consists of: the application to serve, and the tasks to run beside it."""

_DRAIN_SECONDS = 10
"""How long open requests may take to finish at a stop; shorter than any orchestrator's grace."""


class _Server(uvicorn.Server):
    """Leaves signals to the process, which may have more to stop than a server."""

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: ASGIApp, host: str, port: int) -> _Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        interface="asgi3",  # it is told, as it looks for a coroutine function otherwise
        http="httptools",
        lifespan="off",  # construction and its order belong to app.py
        log_config=None,
        access_log=False,
        proxy_headers=False,  # reading them costs on every request; whoever needs the client's address reads it there
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        timeout_keep_alive=75,  # longer than usual load balancers' 60 s, so that they close first
        backlog=4096,
    )
    return _Server(config)


@asynccontextmanager
async def background(*tasks: Awaitable[None]) -> AsyncIterator[asyncio.Future[Any]]:
    """Run tasks beside the body; they are cancelled and awaited at its end. Yields a future of the first that ends."""
    running = [asyncio.ensure_future(task) for task in tasks]
    first: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def ended(task: asyncio.Future[None]) -> None:
        if not task.cancelled() and not first.done():
            first.set_result(task.exception() or RuntimeError("a background task ended"))

    for task in running:
        task.add_done_callback(ended)
    try:
        yield first
    finally:
        first.cancel()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def keep_what_exists() -> None:
    """Spare full collections what exists by now, as it lives long and has no cycles; it still goes when nothing refers to it."""
    gc.collect()
    gc.freeze()


async def serve(app: ASGIApp, settings: HttpSettings, tasks: Sequence[Awaitable[None]] = ()) -> int:
    """Serve `app` and run `tasks` until a signal comes or a task fails; return the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def told(scope: Any, receive: Any, send: Any) -> Awaitable[None]:  # no coroutine of its own, as each request would pay for it
        scope[STOP] = stop
        return app(scope, receive, send)

    server = _server(told, settings.http_host, settings.http_port)
    keep_what_exists()
    async with background(*tasks) as failed:
        serving = asyncio.ensure_future(server.serve())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({serving, stopping, failed}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        await serving
        if failed.done():
            log.critical("ending because a part failed", exc_info=failed.result())
            return 1
    return 0 if stop.is_set() else 1


def run(
    service: str,
    settings: HttpSettings,
    build: Callable[[], AbstractAsyncContextManager[Built]],
) -> int:
    """Configure logging, log the effective settings (secrets hidden), build the service, serve it; return the exit code."""
    prepare(service, settings)

    async def main() -> int:
        async with build() as (app, tasks):
            return await serve(app, settings, tasks)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def prepare(service: str, settings: HttpSettings) -> None:
    """Configure logging and failpoints, and log the effective settings with secrets hidden."""
    gc.enable()  # `loading` turned it off
    logs.configure(service, settings.log_level)
    failpoints.arm(settings.failpoint, allowed=settings.failpoints_allowed)
    shown: Mapping[str, Any] = settings.model_dump(mode="json")
    log.info("starting", extra={"settings": shown})
