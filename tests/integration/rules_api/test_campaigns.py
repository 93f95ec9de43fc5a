"""Campaigns, topics and links: from the API to the topic, with a version for each save and a reason for each move."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from antiphon.links import LinkCode, read_code
from antiphon.v1.config_pb2 import CampaignState
from rules.settings import RulesApiSettings


@pytest_asyncio.fixture(loop_scope="session")
async def path(rules_api: Any, unique_name: Callable[[str], str]) -> str:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    return f"/v1/brands/{brand}"


def summer(**changes: Any) -> dict[str, Any]:
    usual = {
        "id": "summer",
        "name": "Summer",
        "timezone": "Europe/Berlin",
        "start": "2026-06-01T00:00",
        "end": "2099-09-01T00:00",
        "hashtags": ["AcmeSummer"],
        "rights": {"terms": "You let Acme show this.", "request": "May we?"},
    }
    return {**usual, **changes}


WHY = {"reason": "terms checked"}


async def test_a_campaign_lives(rules_api: Any, states_of: Any, path: str) -> None:
    brand, at = path.rsplit("/", 1)[1], f"{path}/campaigns/summer"
    editor, approver = await rules_api.caller("editor", brand), await rules_api.caller("approver", brand)
    made = await editor.put(at, summer())
    assert (made.status_code, made.json()["state"], made.json()["rights_version"]) == (200, "draft", 1), made.text
    assert (await editor.put(at, summer())).status_code == 428
    assert (await editor.post(f"{at}:activate", WHY, match=1)).status_code == 403
    assert (await approver.post(f"{at}:activate", {}, match=1)).status_code == 422, "a move needs its reason"
    active = await approver.post(f"{at}:activate", WHY, match=1)
    assert (active.status_code, active.json()["state"], active.headers["etag"]) == (200, "active", '"2"')

    assert (await editor.put(at, summer(name="Summer!"), match=2)).status_code == 403, "what is in force, an approver changes"
    renamed = await approver.put(at, summer(name="Summer!"), match=2)
    assert (renamed.json()["latest_version"], renamed.json()["rights_version"], renamed.json()["state"]) == (2, 1, "active")
    reworded = await approver.put(at, summer(rights={"terms": "For a year.", "request": "May we?"}), match=3)
    assert (reworded.json()["latest_version"], reworded.json()["rights_version"]) == (3, 2)

    for move, state in (("pause", "paused"), ("activate", "active"), ("close", "closed")):
        assert (await approver.post(f"{at}:{move}", WHY, match="*")).json()["state"] == state
    again = await approver.post(f"{at}:activate", WHY, match="*")
    assert (again.status_code, again.json()["code"]) == (409, "not_possible"), "a closed campaign stays closed"
    assert (await approver.send("DELETE", at, match="*")).status_code == 409
    assert (await approver.post(f"{at}:archive", WHY, match="*")).status_code == 200

    versions = (await editor.get(f"{at}/versions")).json()["items"]
    assert [(one["version"], one["document"]["name"]) for one in versions] == [(3, "Summer"), (2, "Summer!"), (1, "Summer")]
    records = [found.campaign for found in await states_of(f"campaign/{brand}/summer")]
    assert [CampaignState.Name(record.state).removeprefix("CAMPAIGN_STATE_") for record in records] == [
        *("DRAFT", "ACTIVE", "ACTIVE", "ACTIVE", "PAUSED", "ACTIVE", "CLOSED", "ARCHIVED")
    ]
    assert [record.rights.version for record in records] == [1, 1, 1, 2, 2, 2, 2, 2]
    log = (await rules_api.admin.get(f"{path}/audit")).json()["items"]
    told = [(one["action"], one["detail"].get("reason", "")) for one in log if one["target"].startswith("campaign/")]
    assert told[:2] == [("campaign.save", ""), ("campaign.activate", "terms checked")]
    assert told[-1] == ("campaign.archive", "terms checked")

    assert (await approver.send("DELETE", at, match="*")).json()["deleted"] is True
    assert (await approver.get(at)).status_code == 404
    reborn = await editor.put(at, summer())
    assert (reborn.json()["state"], reborn.json()["latest_version"], reborn.json()["rights_version"]) == ("draft", 4, 3)


async def test_a_campaign_that_is_over_is_not_activated(rules_api: Any, path: str) -> None:
    at = f"{path}/campaigns/summer"
    await rules_api.admin.put(at, summer(start="2020-01-01T00:00", end="2020-02-01T00:00"))
    refused = await rules_api.admin.post(f"{at}:activate", WHY, match=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")


CAMPAIGN, LINK = ("unknown_campaign", "/then/0/enter/campaign"), ("unknown_link", "/then/1/reply/text/default/0")


async def _linted(caller: Any, path: str, body: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the findings that are about names, of all rules."""
    items = (await caller.post(f"{path}/rules:lint", body)).json()["items"]
    found = [one for item in items for one in item["findings"] if one["code"].startswith("unknown_")]
    return [(one["severity"], one["code"], one["pointer"]) for one in found]


async def test_what_is_named_must_be_there(rules_api: Any, path: str) -> None:
    admin = rules_api.admin
    nowhere = await admin.put(f"{path}/campaigns/summer", summer(channels=["ig-main"]))
    assert (nowhere.status_code, nowhere.json()["errors"][0]["pointer"]) == (422, "/channels/0")
    link = await admin.put(f"{path}/links/shop", {"url": "https://acme.example/", "campaign": "summer"})
    assert (link.status_code, link.json()["errors"][0]["pointer"]) == (422, "/campaign")
    rule = {
        "id": "enter",
        "state": "active",
        "when": {"text": {"any": ["mine"]}},
        "then": [{"enter": {"campaign": "summer"}}, {"reply": {"text": "See {{link.shop}}"}}],
    }
    unsafe = await admin.post(f"{path}/rules", rule)
    assert (unsafe.status_code, unsafe.json()["code"]) == (422, "unsafe_rule")
    assert [(one["code"], one["pointer"]) for one in unsafe.json()["errors"]] == [CAMPAIGN, LINK]
    together = {"rules": [rule, {**rule, "state": "draft"}]}
    assert await _linted(admin, path, together) == [
        ("error", *CAMPAIGN),
        ("error", *LINK),
        ("warning", *CAMPAIGN),
        ("warning", *LINK),
    ]
    assert await _linted(admin, path, {**together, "campaigns": ["summer"], "links": ["shop"]}) == []
    draft = await admin.post(f"{path}/rules", {**rule, "state": "draft"})
    assert draft.status_code == 201, "a draft may be ahead of what it names"
    assert (await admin.post(f"{path}/rules/enter:activate", {}, match=1)).status_code == 409
    assert (await admin.put(f"{path}/campaigns/summer", summer())).status_code == 200
    assert (await admin.put(f"{path}/links/shop", {"url": "https://acme.example/", "campaign": "summer"})).status_code == 200
    assert (await admin.post(f"{path}/rules/enter:activate", {}, match=1)).status_code == 200


async def test_a_link_shows_the_address_that_people_publish_by_hand(
    rules_settings: RulesApiSettings, run_api: Any, unique_name: Callable[[str], str]
) -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    signing = {"link_key": SecretStr(key), "link_base_url": "https://go.acme.example"}
    async with run_api(rules_settings.model_copy(update=signing)) as running:
        brand = unique_name("acme")
        await running.brand(brand)
        at = f"/v1/brands/{brand}/links"
        saved = (await running.admin.put(f"{at}/shop", {"url": "https://acme.example/"})).json()
        base, _, code = saved["tracked_url"].rpartition("/l/")
        assert (base, read_code(bytes(range(32)), code)) == ("https://go.acme.example", LinkCode(brand, "shop"))
        one, listed = (await running.admin.get(f"{at}/shop")).json(), (await running.admin.get(at)).json()["items"]
        assert one["tracked_url"] == listed[0]["tracked_url"] == saved["tracked_url"]
        deleted = await running.admin.send("DELETE", f"{at}/shop", match=1)
        assert (deleted.status_code, deleted.json()["tracked_url"]) == (200, None)


@pytest.mark.parametrize(
    "url", ["http://acme.example/", "https://user:secret@acme.example/", "https://", "ftp://acme.example", "https://a b/"]
)
async def test_links_lead_to_safe_addresses_only(rules_api: Any, path: str, url: str) -> None:
    refused = await rules_api.admin.put(f"{path}/links/shop", {"url": url})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/url")


async def test_a_topic_has_terms_that_can_be_found(rules_api: Any, on_topic: Any, path: str) -> None:
    brand = path.rsplit("/", 1)[1]
    made = await rules_api.admin.put(f"{path}/topics/bike", {"kind": "product", "name": "Bike", "terms": ["bike one", "#bike"]})
    assert made.status_code == 200, made.text
    read = (await rules_api.admin.get(f"{path}/topics/bike")).json()
    assert (read["kind"], read["terms"]) == ("product", ["bike one", "#bike"])
    for term in ("\u200b", "@acme", "https://acme.example"):
        refused = await rules_api.admin.put(f"{path}/topics/bad", {"name": "Bad", "terms": [term]})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/terms/0")
    assert (await rules_api.admin.send("DELETE", f"{path}/topics/bike", match=1)).status_code == 200
    newest = (await on_topic(f"topic/{brand}/bike"))[-1].record.topic
    assert (newest.deleted, list(newest.terms)) == (True, [])
