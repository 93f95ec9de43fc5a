"""What every process serves: health, readiness, metrics, and its API beside them."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from antiphon import description, problems
from antiphon.answers import Answers
from antiphon.auth import KeyRing
from antiphon.idempotency import IdempotencyMiddleware
from antiphon.observing import ObservedRequests, RequestMeter, show_process
from antiphon.telemetry import Telemetry

MAX_BODY_BYTES = 2**20
"""A stranger's larger body is refused before it fills memory; frameworks read bodies before they look at keys."""

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""Asked at each `/readyz`: dependency name → reachable. Must not raise and answers within a second or two."""


class _Application(FastAPI):
    """Answers a body that is too large with a problem document: the framework's own words for it are plain text."""

    @override
    def build_middleware_stack(self) -> ASGIApp:
        limited = super().build_middleware_stack()

        async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
            replaced = False

            async def worded(message: Message) -> None:
                nonlocal replaced
                if message["type"] == "http.response.start" and _is_plain_413(message):
                    replaced = True
                    problem = problems.Problem(413, "too_large", "The body is larger than this API takes.")
                    await problems.problem_response(problem)(scope, receive, send)
                elif not replaced:
                    await send(message)

            await limited(scope, receive, worded)

        return outermost


def _is_plain_413(start: Message) -> bool:
    kind: bytes = dict(start["headers"]).get(b"content-type", b"")
    return start["status"] == 413 and kind.startswith(b"text/plain")


def build_api(
    title: str,
    *,
    telemetry: Telemetry,
    readiness: Readiness,
    keys: KeyRing | None = None,
    answers: Answers | None = None,
) -> FastAPI:
    """Return an application with `/healthz`, `/readyz`, `/metrics` and problem documents; routes are added by the caller.

    `/healthz` says that the event loop turns; it ignores dependencies, so that their outage never restarts us.
    With `answers` (and `keys`) it takes `Idempotency-Key`.
    """
    app = _Application(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        max_body_size=MAX_BODY_BYTES,
        generate_unique_id_function=description.operation_id,
    )
    app.state.keys = keys
    problems.install(app)
    description.install(app, repeatable=answers is not None)
    if keys and answers:
        app.add_middleware(IdempotencyMiddleware, keys=keys, answers=answers)
    app.add_middleware(ObservedRequests, meter=RequestMeter(telemetry))
    show_process(telemetry)
    _add_probes(app, telemetry, readiness)
    return app


def _add_probes(app: FastAPI, telemetry: Telemetry, readiness: Readiness) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return Response(b"ok", media_type="text/plain")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        checks = dict(await readiness())
        return Response(orjson.dumps(checks), 200 if all(checks.values()) else 503, media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)
