"""The configuration API: all its routes on one application."""

from typing import Any

from fastapi import APIRouter, FastAPI

from antiphon.seal import Sealer
from rules.adapters.http.audit import audit_routes
from rules.adapters.http.brands import brand_routes
from rules.adapters.http.campaigns import CAMPAIGN_SCHEMAS, campaign_routes
from rules.adapters.http.examples import EXAMPLES
from rules.adapters.http.keys import key_routes
from rules.adapters.http.people import people_routes
from rules.adapters.http.rules import RULE_SCHEMAS, rule_routes
from rules.adapters.http.segments import segment_routes
from rules.adapters.http.watching import link_routes, topic_routes
from rules.campaigns import CampaignService
from rules.configuration import ConfigurationService
from rules.keys import KeyService
from rules.people import PeopleService
from rules.ports import ConfigStore
from rules.revisions import RuleService
from rules.segments import SegmentService
from rules.watching import LinkService, TopicService


def register_routes(
    app: FastAPI,
    *,
    configuration: ConfigurationService,
    rules: RuleService,
    trials: APIRouter,
    decisions: APIRouter,
    backtests: APIRouter,
    segments: SegmentService,
    topics: TopicService,
    links: LinkService,
    campaigns: CampaignService,
    holds: APIRouter,
    keys: KeyService,
    people: PeopleService,
    store: ConfigStore,
    sealer: Sealer,
) -> None:
    """Add the API's routes and describe them."""
    app.include_router(brand_routes(configuration, sealer))
    app.include_router(segment_routes(segments))
    app.include_router(topic_routes(topics))
    app.include_router(link_routes(links))
    app.include_router(campaign_routes(campaigns))
    app.include_router(holds)
    app.include_router(rule_routes(rules))
    app.include_router(trials)
    app.include_router(decisions)
    app.include_router(backtests)
    app.include_router(audit_routes(configuration, store))
    app.include_router(key_routes(keys))
    app.include_router(people_routes(people))
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
