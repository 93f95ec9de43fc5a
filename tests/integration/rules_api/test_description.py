"""The API's own description: complete, committed, every reference leads somewhere, every example works."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from fastapi.routing import iter_route_contexts

OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
COMMITTED = Path(__file__).resolve().parents[3] / "docs/openapi"


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


async def test_every_route_is_described_and_every_reference_resolves(rules_api: Any) -> None:
    answer = await rules_api.http.get("/openapi.json")
    assert answer.status_code == 200
    description = answer.json()
    served = {context.path for context in iter_route_contexts(rules_api.app.routes)} - OPEN
    assert set(description["paths"]) == served
    for kind, name in set(
        re.findall(
            r'"\$ref":"#/components/([a-z]+)/([^"]+)"',
            orjson.dumps(description, option=orjson.OPT_SORT_KEYS).decode(),
            re.IGNORECASE,
        )
    ):
        assert name in description["components"][kind], (kind, name)
    body = description["paths"]["/v1/brands/{brand}/rules"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/yaml"}
    assert {"id", "when", "then"} <= set(body["application/yaml"]["schema"]["properties"])


async def test_every_operation_has_its_id_its_security_and_its_errors(rules_api: Any) -> None:
    description = (await rules_api.http.get("/openapi.json")).json()
    ids = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(ids) == len(set(ids)) > 30
    assert {"create_rule", "activate_rule", "create_brand", "rotate_key", "put_segment"} <= set(ids)
    for method, path, operation in operations(description):
        assert operation["security"] == [{"HTTPBearer": []}], (method, path)
        described = {status for status in operation["responses"] if int(status) >= 400}
        assert {"401", "403", "404", "422", "429", "503"} <= described, (method, path)
        assert all(set(operation["responses"][status]) == {"$ref"} for status in described), "each error is described once"
        repeatable = {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", [])
        assert repeatable == (method in {"post", "patch"}), (method, path)


async def test_no_answer_is_described_with_a_secret(rules_api: Any) -> None:
    schemas = (await rules_api.http.get("/openapi.json")).json()["components"]["schemas"]
    with_token = {
        name: schema["properties"]["token"] for name, schema in schemas.items() if "token" in schema.get("properties", {})
    }
    assert sorted(with_token) == ["KeyMade", "RemoteModelIn"]
    assert with_token["RemoteModelIn"]["anyOf"][0]["writeOnly"] is True
    assert not any(
        "secret" in field for schema in schemas.values() for field in schema.get("properties", {}) if field != "secret_ref"
    )


async def test_the_committed_description_is_this_one(rules_api: Any) -> None:
    served = (await rules_api.http.get("/openapi.json")).json()
    assert orjson.loads((COMMITTED / "rules.json").read_bytes()) == served, "stale: make openapi"


def examples(description: dict[str, Any]) -> dict[str, Any]:
    """Return the examples of bodies by operation."""
    found = {}
    for _, _, operation in operations(description):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        example = content.get("example") or description["components"]["schemas"].get(name, {}).get("example")
        if example is not None:
            found[operation["operationId"]] = example
    return found


CAMPAIGN = {"id": "summer-ugc", "name": "Summer", "timezone": "UTC", "start": "2026-06-01T00:00", "hashtags": ["summer"]}
"""What examples name."""


async def test_every_example_works(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    found = examples((await rules_api.http.get("/openapi.json")).json())
    brand = unique_name("acme")
    path = f"/v1/brands/{brand}"
    sent = {
        "create_brand": await rules_api.admin.post("/v1/brands", {**found["create_brand"], "id": brand}),
        "create_rule": await rules_api.admin.post(f"{path}/rules", found["create_rule"]),
        "save_rule": await rules_api.admin.put(f"{path}/rules/price-question", found["save_rule"], match=1),
        "test_rule": await rules_api.admin.post(f"{path}/rules:test", found["test_rule"]),
        "lint_rules": await rules_api.admin.post(f"{path}/rules:lint", found["lint_rules"]),
        "start_backtest": await rules_api.admin.post(f"{path}/rules:backtest", found["start_backtest"]),
        "put_segment": await rules_api.admin.put(f"{path}/segments/vip", found["put_segment"]),
        "add_to_segment": await rules_api.admin.post(f"{path}/segments/vip:add", found["add_to_segment"], match=1),
        "put_topic": await rules_api.admin.put(f"{path}/topics/bike", found["put_topic"]),
        "put_link": await rules_api.admin.put(f"{path}/links/shop", {"url": found["put_link"]["url"]}),
        "put_campaign": await rules_api.admin.put(f"{path}/campaigns/{CAMPAIGN['id']}", CAMPAIGN),
        "set_hold": await rules_api.admin.post(f"{path}/holds", found["set_hold"]),
        "remove_from_segment": await rules_api.admin.post(f"{path}/segments/vip:remove", found["remove_from_segment"], match=2),
    }
    assert {name: answer.text for name, answer in sent.items() if not answer.is_success} == {}
    assert set(found) - set(sent) <= {"rules_explain"}, "send it here as well"
