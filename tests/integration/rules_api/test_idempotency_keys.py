"""A client that lost an answer asks again: nothing is made twice, and nobody else is shown what it got."""

from collections.abc import Callable
from typing import Any

from pymongo import MongoClient


async def test_a_lost_answer_is_given_again(rules_api: Any, unique_name: Callable[[str], str], rule_document: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    path, key = f"/v1/brands/{brand}/rules", {"Idempotency-Key": "5d2b"}
    first = await rules_api.admin.post(path, rule_document(), headers=key)
    again = await rules_api.admin.post(path, rule_document(), headers=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (again.headers["idempotency-replayed"], again.headers["etag"]) == ("true", first.headers["etag"])
    other = await rules_api.admin.post(path, rule_document("other"), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    moved = [
        await rules_api.admin.post(f"{path}/price-question:activate", match=1, headers={"Idempotency-Key": "77"})
        for _ in range(2)
    ]
    assert [(answer.status_code, answer.json()["generation"]) for answer in moved] == [(200, 2), (200, 2)]
    log = (await rules_api.admin.get(f"/v1/brands/{brand}/audit")).json()["items"]
    assert [entry["action"] for entry in log] == ["brand.create", "rule.create", "rule.activate"]


async def test_a_lost_token_is_shown_again_to_its_maker_alone(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand, headers = unique_name("acme"), {"Idempotency-Key": "one"}
    body = {"name": "bot", "brands": [brand], "role": "viewer"}
    first = await rules_api.admin.post("/v1/keys", body, headers=headers)
    again = await rules_api.admin.post("/v1/keys", body, headers=headers)
    assert (again.json()["token"], again.headers["cache-control"]) == (first.json()["token"], "no-store")
    other = await rules_api.caller("admin", brand)
    theirs = await other.post("/v1/keys", body, headers=headers)
    assert (theirs.status_code, theirs.json()["token"] != first.json()["token"]) == (201, True)
    client: MongoClient[dict[str, Any]] = MongoClient(rules_api.settings.mongo_uri.get_secret_value())
    with client:
        database = client[rules_api.settings.mongo_database]
        kept = repr([list(database[name].find()) for name in database.list_collection_names()])
    assert first.json()["key_id"] in kept
    assert first.json()["token"].split("_", 2)[2] not in kept
