"""The configuration API: all its routes on one application."""

from typing import Any

from fastapi import FastAPI

from rules.adapters.http_brands import brand_routes
from rules.adapters.http_keys import key_routes
from rules.adapters.http_rules import RULE_SCHEMAS, rule_routes
from rules.configuration import ConfigurationService
from rules.keys import KeyService
from rules.ports import ConfigStore
from rules.revisions import RuleService


def register_routes(
    app: FastAPI, *, configuration: ConfigurationService, rules: RuleService, keys: KeyService, store: ConfigStore
) -> None:
    """Add the API's routes and describe them."""
    app.include_router(brand_routes(configuration, store))
    app.include_router(rule_routes(rules))
    app.include_router(key_routes(keys))
    _describe_rules(app)


def _describe_rules(app: FastAPI) -> None:
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        description = describe()
        description["components"]["schemas"].update(RULE_SCHEMAS)
        return description

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way of extending it
