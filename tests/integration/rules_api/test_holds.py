"""Holds and the guard's settings, from the API to the topic and the audit log."""

from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from antiphon.v1.decision_pb2 import MODE_APPROVAL

GUARD = {"hold_at": 8, "notify_at": 6, "emails": ["a@acme.example"], "url": "https://crm.acme.example/h", "secret_ref": "crm"}


@pytest_asyncio.fixture(loop_scope="session")
async def brand(rules_api: Any, unique_name: Callable[[str], str]) -> str:
    name = unique_name("acme").replace("_", "-")
    await rules_api.brand(name)
    return name


async def test_a_person_sets_a_hold_and_another_ends_it(rules_api: Any, on_topic: Any, states_of: Any, brand: str) -> None:
    path, approver = f"/v1/brands/{brand}/holds", await rules_api.caller("approver", brand)
    changed = await rules_api.admin.send("PATCH", f"/v1/brands/{brand}", match="*", json={"guard": GUARD})
    assert changed.status_code == 200, changed.text
    assert changed.json()["guard"] == {"off": False, "min_events": 10, **GUARD}

    campaign = {"id": "summer-ugc", "name": "Summer", "timezone": "UTC", "start": "2026-06-01T00:00", "hashtags": ["summer"]}
    assert (await rules_api.admin.put(f"/v1/brands/{brand}/campaigns/summer-ugc", campaign)).status_code == 200
    made = await approver.post(path, {"campaign": "summer-ugc", "reason": "the hashtag is turned against us"})
    assert made.status_code == 201, made.text
    hold = made.json()["hold"]
    [found] = await states_of(f"hold/{brand}/{hold}")
    live = found.hold
    assert (live.campaign, live.mode, live.active) == ("summer-ugc", MODE_APPROVAL, True)
    assert list(live.emails) == ["a@acme.example"]
    assert [one["hold"] for one in (await approver.get(f"{path}?active=true")).json()["items"]] == [hold]

    editor = await rules_api.caller("editor", brand)
    assert (await editor.post(f"{path}/{hold}:resume", {"reason": "over"}, match=1)).status_code == 403
    assert (await approver.post(f"{path}/{hold}:resume", {"reason": ""}, match=1)).status_code == 422, "not without a reason"
    ended = await approver.post(f"{path}/{hold}:resume", {"reason": "over"}, match=1)
    assert (ended.status_code, ended.json()["active"], ended.json()["resumed_reason"]) == (200, False, "over")
    again = await approver.post(f"{path}/{hold}:resume", {"reason": "over"}, match=2)
    assert (again.status_code, again.json()["code"]) == (409, "hold_ended")
    newest = (await on_topic(f"hold/{brand}/{hold}"))[-1].record.hold
    assert (newest.active, newest.reason) == (False, "over")
    log = (await approver.get(f"/v1/brands/{brand}/audit")).json()["items"]
    assert [entry["action"] for entry in log if entry["action"].startswith("hold.")] == ["hold.set", "hold.resume"]
    assert log[-1]["detail"] == {"reason": "over"}


@pytest.mark.parametrize(
    "guard",
    [
        {"notify_at": 8, "hold_at": 6},
        {"hold_at": 11},
        {"url": "https://crm.acme.example/h"},
        {"url": "http://crm.acme.example/h", "secret_ref": "crm"},
        {"emails": ["a@acme.example\r\nBcc: b@evil.example"]},
        {"emails": ["nobody"]},
    ],
)
async def test_settings_that_make_no_sense_are_refused(rules_api: Any, brand: str, guard: dict[str, Any]) -> None:
    refused = await rules_api.admin.send("PATCH", f"/v1/brands/{brand}", match="*", json={"guard": guard})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"].startswith("/guard")


async def test_holds_are_their_brands_own_and_at_least_approval(rules_api: Any, brand: str) -> None:
    stranger = await rules_api.caller("admin", "another")
    for path in (f"/v1/brands/{brand}/holds", f"/v1/brands/{brand}/guard"):
        assert (await stranger.get(path)).status_code == 404
    auto = await rules_api.admin.post(f"/v1/brands/{brand}/holds", {"mode": "auto", "reason": "x"})
    assert auto.status_code == 422
    assert (await rules_api.admin.get(f"/v1/brands/{brand}/holds/never")).status_code == 404


async def test_a_hold_on_what_the_brand_does_not_have_would_protect_nobody(
    rules_api: Any, brand: str, rule_document: Any
) -> None:
    path = f"/v1/brands/{brand}"
    await rules_api.admin.put(f"{path}/topics/bike", {"kind": "product", "name": "Bike", "terms": ["bike"]})
    await rules_api.admin.post(f"{path}/rules", rule_document("price"))
    wrong = {"campaign": "sumer-ugc", "topic": "topic:bike", "rule": "prices", "reason": "x"}
    refused = await rules_api.admin.post(f"{path}/holds", wrong)
    assert (refused.status_code, {error["pointer"]: error["detail"] for error in refused.json()["errors"]}) == (
        422,
        {
            "/campaign": "the brand has no campaign 'sumer-ugc'",
            "/topic": "the brand has no topic 'topic:bike'",
            "/rule": "the brand has no rule 'prices'",
        },
    )
    assert (await rules_api.admin.get(f"{path}/holds")).json()["items"] == []
    right = {"platform": "facebook", "topic": "product:bike", "rule": "price", "reason": "x"}
    assert (await rules_api.admin.post(f"{path}/holds", right)).status_code == 201
    await rules_api.admin.send("DELETE", f"{path}/topics/bike", match="*")
    assert (await rules_api.admin.post(f"{path}/holds", right)).status_code == 422, "deleted"


async def test_before_anything_was_heard_the_guard_has_seen_nothing(rules_api: Any, brand: str) -> None:
    seen = await rules_api.admin.get(f"/v1/brands/{brand}/guard")
    assert seen.json() == {"brand": brand, "as_of": None, "scopes": []}
