"""The API's own description: complete, and every reference in it leads somewhere."""

import re
from typing import Any

import orjson
from fastapi.routing import iter_route_contexts

OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}


async def test_every_route_is_described_and_every_reference_resolves(rules_api: Any) -> None:
    answer = await rules_api.http.get("/openapi.json")
    assert answer.status_code == 200
    description = answer.json()
    served = {context.path for context in iter_route_contexts(rules_api.app.routes)} - OPEN
    assert set(description["paths"]) == served
    references = set(re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', orjson.dumps(description).decode()))
    assert references <= set(description["components"]["schemas"])
    body = description["paths"]["/v1/brands/{brand}/rules"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/yaml"}
    assert {"id", "when", "then"} <= set(body["application/yaml"]["schema"]["properties"])


async def test_no_answer_is_described_with_a_secret(rules_api: Any) -> None:
    schemas = (await rules_api.http.get("/openapi.json")).json()["components"]["schemas"]
    with_token = sorted(name for name, schema in schemas.items() if "token" in schema.get("properties", {}))
    assert with_token == ["KeyMade"]
    assert not any(
        "secret" in field for schema in schemas.values() for field in schema.get("properties", {}) if field != "secret_ref"
    )
