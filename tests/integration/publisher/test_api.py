"""Approvals and channels over HTTP: journeys, roles, foreign brands, secrets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from antiphon.auth import new_key
from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord
from antiphon.v1.decision_pb2 import ActionKind, Mode
from antiphon.v1.delivery_pb2 import DeliveryState
from publisher.app import api
from publisher.domain import webhooks
from publisher.settings import PublisherSettings

pytestmark = pytest.mark.local

ROLES = ("viewer", "editor", "approver", "admin")


class People:
    """The API with one key a role."""

    def __init__(self, client: httpx.AsyncClient, tokens: dict[str, str], stage: Any) -> None:
        self.client, self.tokens, self.stage = client, tokens, stage

    async def __call__(self, role: str, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}
        return await self.client.request(method, path, json=body, headers=headers)


@pytest.fixture
async def people(stage_for: Callable[[], Awaitable[Any]]) -> AsyncIterator[People]:
    stage = await stage_for()
    settings = PublisherSettings(
        **{name.lower(): value for name, value in stage.env.items() if name != "SEAL_KEYS"},
        seal_keys=SecretStr(stage.env["SEAL_KEYS"]),
    )
    tokens = {role: await make_key(stage.producer, role, stage.brand) for role in ROLES}
    tokens["foreign"] = await make_key(stage.producer, "admin", "foreign")
    async with api(settings) as (app, tasks):
        running = [asyncio.ensure_future(task) for task in tasks]
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            found = People(client, tokens, stage)
            async with asyncio.timeout(20):
                while (await found("foreign", "GET", "/v1/channels?brand=foreign")).status_code != 200:  # noqa: ASYNC110 (no event)
                    await asyncio.sleep(0.05)
            yield found
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def make_key(producer: AIOKafkaProducer, role: str, brand: str) -> str:
    key = new_key()
    record = ConfigRecord(
        generation=1, api_key=ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, brands=[brand], role=role)
    )
    await producer.send_and_wait(CONFIG, record.SerializeToString(), key=f"api_key//{key.key_id}".encode())
    return key.token


async def test_a_person_approves_another_text_and_it_is_posted(people: People) -> None:
    stage = people.stage
    await stage.started()
    comment = stage.network.comment("facebook", stage.account, "is it vegan?")
    decision = stage.decision(comment, mode=Mode.MODE_APPROVAL)
    name = decision.actions[0].action_id
    await stage.decide(decision)
    assert (await stage.rest([name]))[name].state == DeliveryState.DELIVERY_STATE_WAITING_APPROVAL

    listed = (await people("viewer", "GET", f"/v1/deliveries?brand={stage.brand}&state=waiting_approval")).json()
    assert [one["action_id"] for one in listed["items"]] == [name]
    path = f"/v1/deliveries/{name}"
    assert (await people("editor", "POST", f"{path}:approve")).status_code == 403
    assert (await people("foreign", "GET", path)).status_code == 404
    assert (await people("foreign", "POST", f"{path}:approve", {})).status_code == 404
    approved = await people("approver", "POST", f"{path}:approve", {"text": "Yes, it is!"})
    assert (approved.status_code, approved.json()["text"]) == (200, "Yes, it is!")
    while stage.deliveries[name][-1].state != DeliveryState.DELIVERY_STATE_POSTED:
        await stage.read()
    assert stage.deliveries[name][-1].actor == people.tokens["approver"].split("_")[1]
    assert (await people("approver", "POST", f"{path}:reject")).status_code == 409
    history = (await people("viewer", "GET", path)).json()["history"]
    assert [line["state"] for line in history][-1] == "posted"
    found = stage.network.client.get(f"/{comment}/comments", params={"access_token": f"token-{stage.account}"}).json()
    assert [one["message"] for one in found["data"]] == ["Yes, it is!"]


async def test_a_parked_reply_is_resolved_or_sent_again(people: People) -> None:
    stage = people.stage
    await stage.started()
    one, two = (stage.network.comment("facebook", stage.account, text) for text in ("one", "two"))
    stage.network.fault("reset_before_apply", "reply", stage.account, times=2)
    decisions = [stage.decision(one), stage.decision(two)]
    names = [decision.actions[0].action_id for decision in decisions]
    await stage.decide(*decisions)
    assert {last.state for last in (await stage.rest(names)).values()} == {DeliveryState.DELIVERY_STATE_PARKED}
    assert (await people("approver", "POST", f"/v1/deliveries/{names[0]}:resolve", {"posted": False})).json()["state"] == "failed"
    again = await people("approver", "POST", f"/v1/deliveries/{names[1]}:send-again")
    assert again.json()["state"] == "new"
    while stage.deliveries[names[1]][-1].state != DeliveryState.DELIVERY_STATE_POSTED:
        await stage.read()
    assert [stage.network.replies().get(comment, 0) for comment in (one, two)] == [0, 1]


async def test_a_credential_goes_in_and_never_comes_out(people: People) -> None:
    stage = people.stage
    path = f"/v1/channels/{stage.brand}/shop"
    stage.network.account("instagram", account := str(int(stage.account) + 1))
    body = {"platform": "instagram", "account": account, "token": f"token-{account}", "rate": {"per_second": 2, "burst": 5}}
    assert (await people("approver", "PUT", path, body)).status_code == 403
    assert (await people("foreign", "PUT", path, body)).status_code == 404
    made = await people("admin", "PUT", path, body)
    assert (made.status_code, made.json()["credential"]) == (200, "usable")
    kept = await people("admin", "PUT", path, {"platform": "instagram", "account": account})
    assert kept.json()["credential"] == "usable"
    assert (await people("admin", "POST", f"{path}:check")).json() == {"ok": True, "name": "Demo"}
    wrong = await people("admin", "PUT", path, body | {"token": "wrong"})
    checked = await people("admin", "POST", f"{path}:check")
    assert checked.json()["ok"] is False
    for response in (made, kept, wrong, checked, await people("viewer", "GET", f"/v1/channels?brand={stage.brand}")):
        assert "token-" not in response.text
    taken = await people("admin", "PUT", f"/v1/channels/{stage.brand}/twin", body)
    assert taken.status_code == 409
    for url in ("http://169.254.169.254/latest", "http://graph.facebook.com/v23.0", "https://graph.facebook.com.evil.example"):
        refused = await people("admin", "PUT", path, body | {"api_url": url})
        assert (refused.status_code, refused.json()["code"]) == (422, "host_not_allowed"), url
    allowed = await people("admin", "PUT", path, body | {"api_url": "https://graph.facebook.com/v24.0"})
    assert allowed.json()["api_url"] == "https://graph.facebook.com/v24.0"
    assert (await people("admin", "DELETE", path)).status_code == 204
    assert (await people("admin", "GET", path)).status_code == 404


async def test_a_secret_is_shown_once_when_made_and_never_when_given(people: People) -> None:
    stage = people.stage
    base = f"/v1/brands/{stage.brand}/secrets"
    for role, status in (("viewer", 403), ("editor", 403), ("approver", 403), ("foreign", 404)):
        assert (await people(role, "PUT", f"{base}/crm", {})).status_code == status
        assert (await people(role, "GET", base)).status_code == status
        assert (await people(role, "DELETE", f"{base}/crm")).status_code == status
    made = await people("admin", "PUT", f"{base}/crm")
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    first = made.json()["secret"]
    assert len(webhooks.key_of(first)) == 32
    given = webhooks.secret_of(bytes(range(40)))
    stored = await people("admin", "PUT", f"{base}/crm", {"secret": given, "overlap_seconds": 60})
    assert (stored.status_code, stored.json()["secret"]) == (200, None)
    assert stored.json()["previous_until_time"] is not None
    await people("admin", "PUT", f"{base}/other", {})
    listed = await people("admin", "GET", base)
    assert [line["name"] for line in listed.json()["items"]] == ["crm", "other"]
    assert listed.json()["next"] is None
    for response in (stored, listed):
        assert first not in response.text
        assert given not in response.text
    at_once = await people("admin", "PUT", f"{base}/crm", {"overlap_seconds": 0})
    assert at_once.json()["previous_until_time"] is None
    assert (await people("admin", "DELETE", f"{base}/crm")).status_code == 204
    assert (await people("admin", "DELETE", f"{base}/crm")).status_code == 404
    assert [line["name"] for line in (await people("admin", "GET", base)).json()["items"]] == ["other"]


BAD_SECRETS: list[Any] = [
    {"secret": "whsec_c2hvcnQ="}, {"secret": "no-prefix-but-long-enough-to-be-one"}, {"secret": ""}, {"secret": 1},
    {"overlap_seconds": -1}, {"overlap_seconds": 1e9}, {"other": 1}, [],
]  # fmt: skip


async def test_a_bad_secret_is_refused_and_not_repeated(people: People) -> None:
    for body in BAD_SECRETS:
        refused = await people("admin", "PUT", f"/v1/brands/{people.stage.brand}/secrets/crm", body)
        assert refused.status_code == 422, body
        assert "long-enough" not in refused.text
        assert "c2hvcnQ" not in refused.text


async def test_a_list_goes_page_by_page_and_filters(people: People) -> None:
    stage = people.stage
    await stage.started()
    tags = [stage.decision(f"9_{n}", rule=f"r{n % 2}", kind=ActionKind.ACTION_KIND_TAG) for n in range(5)]
    names = sorted(decision.actions[0].action_id for decision in tags)
    await stage.decide(*tags)
    await stage.rest(names)
    found, after = [], ""
    while True:
        page = (await people("viewer", "GET", f"/v1/deliveries?brand={stage.brand}&limit=2&after={after}")).json()
        found += [one["action_id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == names
    for query, count in (
        ("kind=tag", 5), ("kind=reply", 0), ("rule_id=r0", 3), ("rule_id=r1&kind=tag&state=posted&platform=facebook", 2),
        ("platform=instagram", 0), ("state=failed", 0),
    ):  # fmt: skip
        page = (await people("viewer", "GET", f"/v1/deliveries?brand={stage.brand}&{query}")).json()
        assert len(page["items"]) == count, query
    assert (await people("viewer", "GET", f"/v1/deliveries?brand={stage.brand}&kind=none")).status_code == 422


GARBAGE: list[Any] = [{"$gt": ""}, [], 1, {"platform": {"$gt": ""}, "account": "a"}, {"platform": "facebook", "account": "../x"}]


@pytest.mark.parametrize("body", GARBAGE)
async def test_a_body_of_the_wrong_form_is_refused(people: People, body: Any) -> None:
    brand = people.stage.brand
    assert (await people("admin", "PUT", f"/v1/channels/{brand}/x", body)).status_code == 422
    assert (await people("approver", "POST", "/v1/deliveries/none:resolve", body)).status_code in {404, 422}
    assert (await people("viewer", "GET", f"/v1/deliveries?brand={brand}&after[$gt]=")).status_code == 422
    assert (await people("viewer", "GET", f"/v1/deliveries?brand={brand}&state[$ne]=x&limit=1000")).status_code == 422


async def test_nobody_without_a_key(people: People) -> None:
    for path in ("/v1/deliveries?brand=b", "/v1/deliveries/x", "/v1/channels?brand=b"):
        assert (await people.client.get(path)).status_code == 401


async def test_a_held_brand_shows_why_its_actions_wait(people: People) -> None:
    stage = people.stage
    await stage.configure(held=True, held_reason="storm")
    await stage.started()
    comment = stage.network.comment("facebook", stage.account, "spam")
    decision = stage.decision(comment, kind=ActionKind.ACTION_KIND_HIDE)
    name = decision.actions[0].action_id
    await stage.decide(decision)
    shown: dict[str, Any] = {}
    async with asyncio.timeout(20):
        while shown.get("waiting") != "storm":
            shown = (await people("viewer", "GET", f"/v1/deliveries/{name}")).json()
            await asyncio.sleep(0.05)
    assert (shown["state"], shown["reason"], stage.deliveries[name]) == ("new", "held", [])
    await stage.configure(held=False)
    assert (await stage.rest([name]))[name].state == DeliveryState.DELIVERY_STATE_POSTED
