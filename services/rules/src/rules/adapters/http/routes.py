"""The configuration API: all its routes on one application."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI

from rules.adapters.http.campaigns import CAMPAIGN_SCHEMAS
from rules.adapters.http.examples import EXAMPLES
from rules.adapters.http.rules import RULE_SCHEMAS


def register_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Add the API's routes and describe them."""
    for router in routers:
        app.include_router(router)
    _describe_rules(app)


def _describe_rules(app: FastAPI) -> None:
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        description = describe()
        description["components"]["schemas"].update({**CAMPAIGN_SCHEMAS, **RULE_SCHEMAS})
        for operations in description["paths"].values():
            for operation in operations.values():
                _exemplify(operation)
        return description

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way of extending it


def _exemplify(operation: dict[str, Any]) -> None:
    example = EXAMPLES.get(operation["operationId"])
    for content in operation["requestBody"]["content"].values() if example else ():
        content["example"] = example
