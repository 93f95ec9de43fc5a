"""Nobody overwrites what they have not seen."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest


async def test_of_two_changes_at_once_one_wins(
    rules_api: Any, on_topic: Any, unique_name: Callable[[str], str], rule_document: Any
) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    rule = f"/v1/brands/{brand}/rules/price-question"
    await rules_api.admin.post(f"/v1/brands/{brand}/rules", rule_document())
    for round_ in range(1, 4):
        answers = await asyncio.gather(
            *(rules_api.admin.put(rule, rule_document(priority=10 * round_ + n), match=round_) for n in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert winner.json()["latest_version"] == round_ + 1
    versions = (await rules_api.admin.get(f"{rule}/versions")).json()["items"]
    assert [item["version"] for item in versions] == [4, 3, 2, 1]
    assert (await on_topic(f"rule/{brand}/price-question"))[-1].record.generation == 4


async def test_changes_that_do_not_mind_what_they_replace_all_get_through(
    rules_api: Any, on_topic: Any, unique_name: Callable[[str], str]
) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    people = f"/v1/brands/{brand}/people/blocked/facebook"
    answers = await asyncio.gather(*(rules_api.admin.put(f"{people}/{n}", match="*") for n in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(answer.json()["generation"] for answer in answers) == [2, 3, 4, 5, 6, 7]
    newest = (await on_topic(f"brand/{brand}/"))[-1].record
    assert (newest.generation, len(newest.brand.blocked_authors)) == (7, 6)


CHANGES = [
    ("PATCH", "", {"name": "New"}),
    ("POST", "/hold", {"reason": "x"}),
    ("POST", "/resume", {"reason": "x"}),
    ("PUT", "/people/blocked/facebook/1", None),
    ("DELETE", "/people/opted-out/facebook/2", None),
    ("PUT", "/channels/ig", {"platform": "instagram", "account": "1", "name": "x"}),
    ("DELETE", "/channels/ig", None),
    ("PUT", "/rules/price-question", {}),
    ("POST", "/rules/price-question:activate", None),
    ("POST", "/rules/price-question:pause", None),
    ("POST", "/rules/price-question:archive", None),
    ("POST", "/rules/price-question:rollback", {"version": 1}),
]


@pytest.mark.parametrize(("header", "status"), [(None, 428), ('"99"', 412), ("W/x", 422), ('"1", "2"', 422)])
async def test_every_change_of_what_exists_needs_its_etag(
    rules_api: Any, unique_name: Callable[[str], str], rule_document: Any, header: str | None, status: int
) -> None:
    brand = unique_name("acme")
    base = f"/v1/brands/{brand}"
    await rules_api.brand(brand)
    await rules_api.admin.post(f"{base}/rules", rule_document(state="active"))
    channel = {"platform": "instagram", "account": unique_name("1"), "name": "x"}
    assert (await rules_api.admin.put(f"{base}/channels/ig", channel)).status_code == 200
    for method, path, body in CHANGES:
        json = rule_document() if body == {} else body
        answer = await rules_api.admin.send(method, base + path, json=json, match=header)
        assert answer.status_code == status, (method, path, answer.text)
    assert (await rules_api.admin.get(base)).headers["etag"] == '"1"'
    assert (await rules_api.admin.get(f"{base}/rules/price-question")).headers["etag"] == '"1"'


async def test_what_exists_is_not_created_again(rules_api: Any, unique_name: Callable[[str], str], rule_document: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    again = await rules_api.admin.post("/v1/brands", {"id": brand, "name": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "exists")
    await rules_api.admin.post(f"/v1/brands/{brand}/rules", rule_document())
    again = await rules_api.admin.post(f"/v1/brands/{brand}/rules", rule_document())
    assert (again.status_code, again.json()["code"]) == (409, "exists")
