"""The OpenAPI description of a service: stable operation ids, every error once, the headers that all routes share."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from antiphon.codes import CODES

_STATUSES = {
    400: "The request cannot be read.",
    401: "No API key, or a wrong, revoked or expired one.",
    403: "The key's role or reach does not suffice.",
    404: "It does not exist, at all or for this key.",
    409: "The present state does not allow it.",
    412: "It has changed since it was read.",
    413: "The body is larger than the API takes.",
    415: "The body's media type is not taken here.",
    422: "A field or parameter has a wrong form; `errors` points at each.",
    428: "A change needs `If-Match`.",
    429: "Wrong API keys came from this address again and again.",
    503: "Something is away; repeat after `Retry-After` seconds.",
}
"""Statuses of errors, each described once and referred to by every operation that may answer it."""

_ALWAYS = (401, 403, 404, 422, 429, 503)
_WITH_BODY = (400, 413, 415)
_CHANGES = (409, 412, 428)

_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "An error as RFC 9457 has it. `code` is stable; `detail` is for people; `errors` point at fields.",
    "type": "object",
    "required": ["type", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "example": "urn:antiphon:problem:invalid"},
        "status": {"type": "integer", "example": 422},
        "code": {"type": "string", "enum": list(CODES), "example": "invalid"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body", "example": "/where/kinds/0"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A new one for each request, a UUID for example. The same request sent again within 24 hours gets the first "
    "one's answer, with `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def operation_id(route: APIRoute) -> str:
    """Return the handler's name; a bare verb is told apart by its path: `create_rule`, `deliveries_approve`."""
    group = str(route.tags[0]) if route.tags else route.path.removeprefix("/v1").split("/")[1]
    return route.name if "_" in route.name else f"{group}_{route.name}"


def install(app: FastAPI, *, repeatable: bool) -> None:
    """Describe what all services share in the description of `app`; `repeatable`: it takes `Idempotency-Key`."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(describe(), repeatable=repeatable)
        return describe()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way of extending it


def _complete(description: dict[str, Any], *, repeatable: bool) -> None:
    components = description.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for ours in ("HTTPValidationError", "ValidationError"):
        schemas.pop(ours, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    components["responses"] = {f"Error{status}": _response(text) for status, text in _STATUSES.items()}
    components["parameters"] = {"IdempotencyKey": _IDEMPOTENCY_KEY} if repeatable else {}
    for method, operation in _operations(description):
        answers = operation.setdefault("responses", {})
        for status in _errors_of(method, operation):
            answers[str(status)] = {"$ref": f"#/components/responses/Error{status}"}
        if repeatable and method in {"post", "patch"}:
            operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})


def _response(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for operations in description.get("paths", {}).values():
        yield from operations.items()


def _errors_of(method: str, operation: dict[str, Any]) -> tuple[int, ...]:
    body = _WITH_BODY if "requestBody" in operation else ()
    return (*_ALWAYS, *body, *(() if method == "get" else _CHANGES))
