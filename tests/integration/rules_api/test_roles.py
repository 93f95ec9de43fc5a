"""What a role and a reach mean in the API itself; who may call which route is in the table of all services' routes."""

from typing import Any


async def test_lists_show_what_exists_for_the_caller(rules_api: Any, unique_name: Any) -> None:
    own, foreign = unique_name("own"), unique_name("foreign")
    await rules_api.brand(own)
    await rules_api.brand(foreign)
    await rules_api.admin.post("/v1/keys", {"name": "foreign", "brands": [foreign], "role": "viewer"})
    caller = await rules_api.caller("admin", own)
    brands = (await caller.get("/v1/brands")).json()["items"]
    assert [item["brand"] for item in brands] == [own]
    keys = (await caller.get("/v1/keys")).json()["items"]
    assert [item["brands"] for item in keys] == [[own]]
    everything = {item["brand"] for item in (await rules_api.admin.get("/v1/brands", params={"limit": 100})).json()["items"]}
    assert {own, foreign} <= everything


async def test_who_may_create_which_brand(rules_api: Any, unique_name: Any) -> None:
    mine, other = unique_name("mine"), unique_name("other")
    caller = await rules_api.caller("admin", mine)
    assert (await caller.post("/v1/brands", {"id": mine, "name": "Mine"})).status_code == 201
    assert (await caller.post("/v1/brands", {"id": other, "name": "Other"})).status_code == 404


async def test_an_editor_saves_drafts_only(rules_api: Any, unique_name: Any, rule_document: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    editor, path = await rules_api.caller("editor", brand), f"/v1/brands/{brand}/rules"
    for state in ("active", "paused", "archived"):
        refused = await editor.post(path, rule_document(state=state))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await editor.post(path, rule_document())).status_code == 201
    assert (await editor.put(f"{path}/price-question", rule_document(state="active"), match=1)).status_code == 403
    saved = await editor.put(f"{path}/price-question", rule_document(priority=3), match=1)
    assert (saved.status_code, saved.json()["state"], saved.json()["active_version"]) == (200, "draft", 0)
