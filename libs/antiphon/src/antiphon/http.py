"""What every process serves: health, readiness, metrics, and its API beside them."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from antiphon import problems
from antiphon.auth import KeyRing
from antiphon.telemetry import Telemetry

MAX_BODY_BYTES = 2**20
"""A stranger's larger body is refused before it fills memory; frameworks read bodies before they look at keys."""

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""Asked at each `/readyz`: dependency name → reachable. Must not raise and answers within a second or two."""


def build_api(
    title: str, *, telemetry: Telemetry, readiness: Readiness, keys: KeyRing | None = None, version: str = "1"
) -> FastAPI:
    """Return an application with `/healthz`, `/readyz`, `/metrics` and problem documents; routes are added by the caller.

    `/healthz` says that the event loop turns; it ignores dependencies, so that their outage never restarts us.
    """
    app = FastAPI(
        title=title, version=version, docs_url=None, redoc_url=None, openapi_url="/openapi.json", max_body_size=MAX_BODY_BYTES
    )
    app.state.keys = keys
    problems.install(app)

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

    return app
