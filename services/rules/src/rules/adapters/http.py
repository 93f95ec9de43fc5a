"""The configuration API: all its routes on one application."""

from fastapi import FastAPI

from rules.adapters.http_bodies import MAX_BODY_BYTES
from rules.adapters.http_brands import brand_routes
from rules.adapters.http_keys import key_routes
from rules.adapters.http_rules import rule_routes
from rules.configuration import ConfigurationService
from rules.keys import KeyService
from rules.ports import ConfigStore
from rules.revisions import RuleService


def register_routes(
    app: FastAPI, *, configuration: ConfigurationService, rules: RuleService, keys: KeyService, store: ConfigStore
) -> None:
    """Add the API's routes; none takes a body above `MAX_BODY_BYTES`."""
    app.max_body_size = MAX_BODY_BYTES
    app.include_router(brand_routes(configuration, store))
    app.include_router(rule_routes(rules))
    app.include_router(key_routes(keys))
