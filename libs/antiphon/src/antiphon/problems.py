"""Errors of the HTTP APIs: RFC 9457 problem documents with a stable code (see `antiphon.codes`) and the remedy in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from antiphon.errors import Invalid, Transient

_STATUS_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
"""Codes of what the framework refuses before a handler is asked."""

_WORDS = {"extra_forbidden": "there is no such field"}
"""Types of faults whose own words tell people nothing."""

_RETRY_SECONDS = 2.0
"""Told to callers of what is away: long enough for an election of the store, short enough for people to wait."""


class Problem(Exception):
    """An answer that is no success. `errors` point at fields: `{"pointer": "/where/kinds/0", "detail": "…"}`."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = dict(headers or {})
        self.errors = list(errors)


def problem_response(problem: Problem) -> Response:
    """Return the problem as `application/problem+json`."""
    body: dict[str, Any] = {
        "type": f"urn:antiphon:problem:{problem.code}",
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return Response(orjson.dumps(body), problem.status, problem.headers, "application/problem+json")


def unavailable(error: Transient) -> Problem:
    """Return the answer to what may succeed later."""
    seconds = _RETRY_SECONDS if error.retry_after is None else error.retry_after
    return Problem(503, "unavailable", f"{error}; try again.", headers={"Retry-After": f"{max(1.0, seconds):.0f}"})


def pointer(location: Sequence[int | str]) -> str:
    """Return pydantic's location as a JSON pointer into the body, or as `/<name>` of a parameter."""
    parts = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def malformed(error: RequestValidationError) -> Problem:
    """Return the answer to a request that has not the form it must have: 400 when its body is no JSON at all, else 422."""
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return Problem(400, "unreadable", "The body is no JSON.")
    errors = [{"pointer": pointer(fault["loc"]), "detail": _WORDS.get(fault["type"], fault["msg"])} for fault in faults]
    return Problem(422, "invalid", "The request does not have the form it must have; see errors.", errors=errors)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document; none shows a traceback or a path."""

    async def on_problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101 (registered for it)
        return problem_response(error)

    async def on_validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return problem_response(malformed(error))

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        code = _STATUS_CODES.get(error.status_code, "http_error")
        return problem_response(Problem(error.status_code, code, str(error.detail), headers=error.headers))

    async def on_invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, Invalid)  # noqa: S101
        return problem_response(Problem(422, "invalid", str(error), errors=[{"pointer": "", "detail": str(error)}]))

    async def on_transient(_: Request, error: Exception) -> Response:
        assert isinstance(error, Transient)  # noqa: S101
        return problem_response(unavailable(error))

    async def on_bug(_: Request, _error: Exception) -> Response:
        return problem_response(Problem(500, "internal", "Something went wrong on our side; it has been logged."))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Invalid, on_invalid)
    app.add_exception_handler(Transient, on_transient)
    app.add_exception_handler(Exception, on_bug)
