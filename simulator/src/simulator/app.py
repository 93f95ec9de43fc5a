"""The only place where the simulator is put together."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from random import Random
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.budget import Budgets
from simulator.chaos import Chaos, DeliveryOptions
from simulator.clock import Clock, ScaledClock
from simulator.control import Controls, control_router
from simulator.delivery import DeliveryQueue
from simulator.faults import Faults
from simulator.feeder import Feeder
from simulator.graph import Graph
from simulator.graph_http import GraphEndpoint
from simulator.network import Network
from simulator.page import page_router
from simulator.people import write_comment
from simulator.requests import CommentIn
from simulator.sender import Sender
from simulator.settings import Settings
from simulator.world import NotFoundError, World

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def open_simulator(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[ASGIApp]:
    """The whole simulator as an ASGI application; deliveries run while the context is open."""
    clock = clock or ScaledClock(settings.clock_scale)
    seed = secrets.randbits(32) if settings.seed is None else settings.seed
    limits = httpx.Limits(max_connections=settings.delivery_concurrency + 4)
    async with httpx.AsyncClient(timeout=settings.delivery_timeout_seconds, limits=limits, trust_env=False) as client:
        controls = build(settings, clock=clock, client=client, seed=seed)
        sending = asyncio.create_task(controls.sender.run())
        sending.add_done_callback(_report)
        logger.info("seed %d, platform clock %g times real time", seed, settings.clock_scale)
        try:
            yield SameOrigin(make_app(controls))
        finally:
            await controls.feeder.stop()
            await controls.endpoint.stop()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        logger.critical("deliveries have ended", exc_info=task.exception())


def build(settings: Settings, *, clock: Clock, client: httpx.AsyncClient, seed: int) -> Controls:
    """Every part, wired. Each user of chance has its own stream, so that one does not disturb another."""
    options = DeliveryOptions.of(settings)
    queue = DeliveryQueue(_stream(seed, "queue"), options, Chaos(), settings.clock_scale)
    world = World(first_id=int(clock.wall() * 1000) * 1000)
    network = Network(world=world, queue=queue, clock=clock, rng=_stream(seed, "network"))
    graph = Graph(network=network, clock=clock, private_reply_days=settings.private_reply_days)
    faults, budgets = Faults(_stream(seed, "faults")), Budgets(settings.calls_per_hour)
    return Controls(
        network=network,
        sender=Sender(
            client=client,
            queue=queue,
            clock=clock,
            rng=_stream(seed, "sender"),
            concurrency=settings.delivery_concurrency,
        ),
        graph=graph,
        endpoint=GraphEndpoint(world=world, graph=graph, faults=faults, budgets=budgets, clock=clock, scale=settings.clock_scale),
        faults=faults,
        budgets=budgets,
        feeder=Feeder[CommentIn](lambda wanted: write_comment(network, wanted)),
        clock=clock,
        options=options,
        seed=seed,
    )


def _stream(seed: int, name: str) -> Random:
    return Random(f"{seed}:{name}")  # noqa: S311 - faults that a seed can repeat, not secrets


def make_app(controls: Controls) -> FastAPI:
    """Routes: the page, `/control`, `/healthz`, and every other path as the Graph API."""
    app = FastAPI(title="Antiphon simulator", docs_url=None, redoc_url=None, openapi_url="/control/openapi.json")
    app.include_router(control_router(controls))
    app.include_router(page_router(controls))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @app.exception_handler(NotFoundError)
    async def not_found(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, 404)

    async def unknown(request: Request) -> Response:
        return JSONResponse({"detail": f"no such call: {request.method} {request.url.path}"}, 404)

    async def graph(request: Request) -> Response:
        return await controls.endpoint(request)

    app.router.routes.append(Route("/control/{path:path}", unknown, methods=["GET", "POST", "PUT", "DELETE"]))
    app.router.routes.append(Route("/{path:path}", graph, methods=["GET", "POST", "DELETE"]))
    return app


class SameOrigin:
    """Turns away browsers that another site sent: the control API has no login, so the origin is all there is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != headers.get("host"):
                await JSONResponse({"detail": "cross-origin requests are refused"}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)
