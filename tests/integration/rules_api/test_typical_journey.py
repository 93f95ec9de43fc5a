"""From an empty installation to a rule that acts, and back."""

from collections.abc import Callable
from typing import Any

import yaml


async def test_key_brand_rule_activate_and_it_is_on_the_topic(
    rules_api: Any, on_topic: Any, unique_name: Callable[[str], str], rule_document: Any
) -> None:
    brand = unique_name("acme")
    created = await rules_api.brand(brand)
    assert (created["live"], created["generation"], created["mode"], created["held"]) == (True, 1, "auto", False)

    editor = await rules_api.caller("editor", brand)
    approver = await rules_api.caller("approver", brand)
    path = f"/v1/brands/{brand}/rules"
    draft = await editor.post(path, rule_document(), params={"comment": "first try"})
    assert (draft.status_code, draft.headers["etag"], draft.json()["state"]) == (201, '"1"', "draft")

    acting = await approver.post(f"{path}/price-question:activate", {"comment": "go"}, match=draft.headers["etag"])
    assert acting.status_code == 200, acting.text
    answer = acting.json()
    assert (answer["state"], answer["active_version"], answer["generation"], answer["live"]) == ("active", 1, 2, True)

    records = {found.offset: found for found in await on_topic(f"rule/{brand}/price-question")}
    active = records[answer["revision"]]
    assert active.record.generation == 2
    assert (active.record.rule.active, active.record.rule.version) == (True, 1)
    assert b"how much" in active.record.rule.document
    assert active.headers["ce_id"] == f"rule/{brand}/price-question@2".encode()
    first = min(records)
    assert (records[first].record.generation, records[first].record.rule.active, records[first].record.rule.document) == (
        1,
        False,
        b"",
    )

    brands = {found.offset: found for found in await on_topic(f"brand/{brand}/")}
    assert brands[created["revision"]].record.brand.name == brand.title()


async def test_versions_pause_activate_and_roll_back(
    rules_api: Any, on_topic: Any, unique_name: Callable[[str], str], rule_document: Any
) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    admin, path = rules_api.admin, f"/v1/brands/{brand}/rules"
    rule = f"{path}/price-question"
    assert (await admin.post(path, rule_document(state="active"))).json()["active_version"] == 1
    second = await admin.send(
        "PUT", rule, match=1, content=yaml.safe_dump(rule_document(priority=7)), headers={"Content-Type": "application/yaml"}
    )
    assert second.status_code == 200, second.text
    assert (second.json()["latest_version"], second.json()["active_version"], second.json()["state"]) == (2, 1, "active")
    assert (await admin.get(rule)).json()["document"]["priority"] == 7

    assert (await admin.post(f"{rule}:activate", match=2)).json()["active_version"] == 2
    assert (await admin.post(f"{rule}:rollback", {"version": 1}, match=3)).json()["active_version"] == 1
    paused = (await admin.post(f"{rule}:pause", match=4)).json()
    assert (paused["state"], paused["active_version"]) == ("paused", 1)
    refused = await admin.post(f"{rule}:rollback", {"version": 2}, match=5)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_active")
    assert (await admin.post(f"{rule}:activate", {"version": 9}, match=5)).status_code == 404
    archived = await admin.post(f"{rule}:archive", match=5)
    assert archived.json()["state"] == "archived"

    versions = (await admin.get(f"{rule}/versions")).json()
    assert [(item["version"], item["document"].get("priority")) for item in versions["items"]] == [(2, 7), (1, None)]
    newest = (await on_topic(f"rule/{brand}/price-question"))[-1].record
    assert (newest.generation, newest.rule.active, newest.rule.document) == (6, False, b"")


async def test_lists_come_in_pages_and_by_state(rules_api: Any, unique_name: Callable[[str], str], rule_document: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    path = f"/v1/brands/{brand}/rules"
    for number in range(5):
        state = "active" if number % 2 else "draft"
        assert (await rules_api.admin.post(path, rule_document(f"rule-{number}", state=state))).status_code == 201
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await rules_api.admin.get(path, params={"limit": 2, "after": after})).json()
        seen += [item["rule_id"] for item in page["items"]]
        after = page["next"]
    assert seen == [f"rule-{number}" for number in range(5)]
    active = (await rules_api.admin.get(path, params={"state": "active"})).json()["items"]
    assert [item["rule_id"] for item in active] == ["rule-1", "rule-3"]
    assert (await rules_api.admin.get(path, params={"limit": 101})).status_code == 422


async def test_hold_and_resume_are_live(rules_api: Any, states_of: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    approver = await rules_api.caller("approver", brand)
    held = await approver.post(f"/v1/brands/{brand}/hold", {"reason": "a storm"}, match="*")
    assert (held.status_code, held.json()["held"], held.json()["live"]) == (200, True, True)
    resumed = await approver.post(f"/v1/brands/{brand}/resume", {"reason": "over"}, match=held.headers["etag"])
    assert (resumed.json()["held"], resumed.json()["held_reason"]) == (False, "")
    states = [(found.brand.held, found.brand.held_reason) for found in await states_of(f"brand/{brand}/")]
    assert states[-2:] == [(True, "a storm"), (False, "")]


async def test_people_are_listed_and_taken_off(rules_api: Any, on_topic: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    editor = await rules_api.caller("editor", brand)
    people = f"/v1/brands/{brand}/people"
    assert (await editor.put(f"{people}/blocked/facebook/100042", match=1)).status_code == 200
    assert (await editor.put(f"{people}/opted-out/instagram/7", match=2)).status_code == 200
    read = (await editor.get(f"/v1/brands/{brand}")).json()
    assert (read["blocked_authors"], read["opted_out_authors"]) == (["facebook:100042"], ["instagram:7"])
    assert (await editor.send("DELETE", f"{people}/blocked/facebook/100042", match="*")).status_code == 200
    assert (await editor.send("DELETE", f"{people}/blocked/facebook/100042", match="*")).status_code == 404
    newest = (await on_topic(f"brand/{brand}/"))[-1].record.brand
    assert (list(newest.blocked_authors), list(newest.opted_out_authors)) == ([], ["instagram:7"])


async def test_an_account_belongs_to_one_channel_of_the_installation(
    rules_api: Any, on_topic: Any, unique_name: Callable[[str], str]
) -> None:
    one, two, account = unique_name("one"), unique_name("two"), unique_name("178")
    await rules_api.brand(one)
    await rules_api.brand(two)
    identity = {"platform": "instagram", "account": account, "name": "Shop"}
    made = await rules_api.admin.put(f"/v1/brands/{one}/channels/ig-main", identity)
    assert (made.status_code, made.json()["live"]) == (200, True)
    taken = await rules_api.admin.put(f"/v1/brands/{two}/channels/ig-main", identity)
    assert (taken.status_code, taken.json()["code"]) == (409, "account_taken")
    assert one not in taken.text

    assert (await rules_api.admin.put(f"/v1/brands/{one}/channels/ig-main", identity)).status_code == 428
    gone = await rules_api.admin.send("DELETE", f"/v1/brands/{one}/channels/ig-main", match=1)
    assert gone.json()["deleted"] is True
    assert (await rules_api.admin.get(f"/v1/brands/{one}/channels/ig-main")).status_code == 404
    assert (await rules_api.admin.put(f"/v1/brands/{two}/channels/ig-main", identity)).status_code == 200
    again = await rules_api.admin.put(f"/v1/brands/{one}/channels/ig-main", {**identity, "account": account + "9"})
    assert (again.status_code, again.json()["generation"]) == (200, 3)
    newest = (await on_topic(f"channel/{one}/ig-main"))[-1].record
    assert (newest.generation, newest.channel.deleted, newest.channel.account) == (3, False, account + "9")
    listed = (await rules_api.admin.get(f"/v1/brands/{one}/channels")).json()["items"]
    assert [item["channel"] for item in listed] == ["ig-main"]
