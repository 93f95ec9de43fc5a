"""Who did what, when and why: complete, in order, and any alteration shows."""

import asyncio
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient


async def test_every_change_is_in_the_chain_once(rules_api: Any, unique_name: Callable[[str], str], rule_document: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    rule = f"/v1/brands/{brand}/rules/price-question"
    await rules_api.admin.post(f"/v1/brands/{brand}/rules", rule_document(), params={"comment": "for the sale"})
    await rules_api.admin.post(f"{rule}:activate", {"comment": "agreed"}, match=1)
    await rules_api.admin.post(f"/v1/brands/{brand}/hold", {"reason": "a storm"}, match="*")
    await rules_api.caller("editor", brand)
    log = (await rules_api.admin.get(f"/v1/brands/{brand}/audit")).json()
    assert [(entry["action"], entry["sequence"]) for entry in log["items"]] == [
        ("brand.create", 1),
        ("rule.create", 2),
        ("rule.activate", 3),
        ("brand.hold", 4),
        ("key.create", 5),
    ]
    assert log["intact"] is True
    assert [entry["detail"].get("comment") for entry in log["items"][1:3]] == ["for the sale", "agreed"]
    assert log["items"][3]["detail"]["held_reason"] == "a storm"
    actor = rules_api.admin.token.split("_")[1]
    assert {entry["actor"] for entry in log["items"]} == {actor}
    assert all(one["hash"] == two["previous"] for one, two in zip(log["items"], log["items"][1:], strict=False))

    page = (await rules_api.admin.get(f"/v1/brands/{brand}/audit", params={"after": 2, "limit": 2})).json()
    assert ([entry["sequence"] for entry in page["items"]], page["intact"], page["next"]) == ([3, 4], True, 4)


async def test_changes_at_the_same_time_all_find_their_place(
    rules_api: Any, unique_name: Callable[[str], str], rule_document: Any
) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    made = await asyncio.gather(
        *(rules_api.admin.post(f"/v1/brands/{brand}/rules", rule_document(f"rule-{n}")) for n in range(12))
    )
    assert [answer.status_code for answer in made] == [201] * 12
    log = (await rules_api.admin.get(f"/v1/brands/{brand}/audit")).json()
    assert [entry["sequence"] for entry in log["items"]] == list(range(1, 14))
    assert {entry["target"] for entry in log["items"][1:]} == {f"rule/{brand}/rule-{n}" for n in range(12)}
    assert log["intact"] is True


async def test_tampering_shows(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    for number in range(4):
        await rules_api.admin.post(f"/v1/brands/{brand}/hold", {"reason": f"reason {number}"}, match="*")
    path = f"/v1/brands/{brand}/audit"

    async def intact(**page: int) -> bool:
        return bool((await rules_api.admin.get(path, params=page)).json()["intact"])

    assert await intact()
    client: MongoClient[dict[str, Any]] = MongoClient(rules_api.settings.mongo_uri.get_secret_value())
    with client:
        audit = client[rules_api.settings.mongo_database]["audit"]
        third = audit.find_one({"brand": brand, "sequence": 3})
        assert third is not None
        audit.update_one({"_id": third["_id"]}, {"$set": {"detail.held_reason": "nothing"}})
        assert not await intact()
        audit.replace_one({"_id": third["_id"]}, third)
        assert await intact()
        audit.delete_one({"_id": third["_id"]})
        assert not await intact()
        assert not await intact(after=3)
        assert await intact(limit=2)


async def test_a_whole_chain_is_verified(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    for number in range(3):
        await rules_api.admin.post(f"/v1/brands/{brand}/hold", {"reason": f"reason {number}"}, match="*")
    path = f"/v1/brands/{brand}/audit"
    whole = (await rules_api.admin.get(f"{path}:verify")).json()
    last = (await rules_api.admin.get(path)).json()["items"][-1]["hash"]
    assert whole == {"intact": True, "entries": 4, "first_broken": None, "last_hash": last}
    client: MongoClient[dict[str, Any]] = MongoClient(rules_api.settings.mongo_uri.get_secret_value())
    with client:
        client[rules_api.settings.mongo_database]["audit"].update_one(
            {"brand": brand, "sequence": 3}, {"$set": {"actor": "nobody"}}
        )
    broken = (await rules_api.admin.get(f"{path}:verify")).json()
    assert (broken["intact"], broken["first_broken"]) == (False, 3)


async def test_what_concerns_no_single_brand_is_in_the_installations_chain(
    rules_api: Any, unique_name: Callable[[str], str]
) -> None:
    made = await rules_api.admin.post("/v1/keys", {"name": "everywhere", "brands": ["*"], "role": "viewer"})
    log = (await rules_api.admin.get("/v1/audit")).json()
    assert [entry["action"] for entry in log["items"]] == ["key.create", "key.create"]
    assert log["items"][-1]["target"] == f"api_key//{made.json()['key_id']}"
    verdict = (await rules_api.admin.get("/v1/audit:verify")).json()
    assert (verdict["intact"], verdict["entries"], verdict["last_hash"]) == (True, 2, log["items"][-1]["hash"])
    somebody = await rules_api.caller("admin", unique_name("acme"))
    assert (await somebody.get("/v1/audit")).status_code == 403
