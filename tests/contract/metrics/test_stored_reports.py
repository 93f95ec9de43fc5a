"""The stored reports that the page's tests are drawn from have the very form that the API gives."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from metrics.adapters.schema import EwomReport, ReportOf, SummaryReport
from metrics.domain.reports.campaigns import Campaigns
from metrics.domain.reports.cobra import Cobra
from metrics.domain.reports.guard import GuardReport
from metrics.domain.reports.influencers import Influencers
from metrics.domain.reports.responses import Responses

STORED = Path(__file__).parents[2] / "unit" / "cli" / "data" / "reports.json"

FORMS: dict[str, type[BaseModel]] = {
    "summary": SummaryReport,
    "cobra": ReportOf[Cobra],
    "ewom": EwomReport,
    "campaigns": ReportOf[Campaigns],
    "influencers": ReportOf[Influencers],
    "responses": ReportOf[Responses],
    "guard": ReportOf[GuardReport],
}


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return json.loads(STORED.read_text())


@pytest.mark.parametrize("name", FORMS)
def test_a_stored_report_is_one_that_the_api_could_give(stored: dict[str, Any], name: str) -> None:
    schema = TypeAdapter(FORMS[name]).json_schema(mode="serialization", by_alias=True)
    assert fields(stored[name], schema, schema.get("$defs", {})) == []


def fields(value: Any, schema: dict[str, Any], definitions: dict[str, Any], at: str = "") -> list[str]:
    """Return where a value has other fields than its schema, at any depth."""
    if reference := schema.get("$ref"):
        schema = definitions[reference.rsplit("/", 1)[1]]
    if "anyOf" in schema:
        schema = next((one for one in schema["anyOf"] if (one.get("type") == "null") == (value is None)), {})
        return [] if value is None else fields(value, schema, definitions, at)
    if isinstance(value, list):
        return [found for one in value for found in fields(one, schema.get("items", {}), definitions, f"{at}[]")]
    if not isinstance(value, dict):
        return []
    if (others := schema.get("additionalProperties")) and "properties" not in schema:
        inner = others if isinstance(others, dict) else {}
        return [found for key, one in value.items() for found in fields(one, inner, definitions, f"{at}.{key}")]
    known = schema.get("properties", {})
    differing = [f"{at}.{name}" for name in set(known) ^ set(value)]
    return differing + [
        found for key in set(known) & set(value) for found in fields(value[key], known[key], definitions, f"{at}.{key}")
    ]
