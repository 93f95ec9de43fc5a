"""Subscriptions are managed by those who own every brand in them; their secrets never come out."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute

from ingest.adapters.webhooks import Webhooks

NEW: dict[str, Any] = {
    "platform": "facebook",
    "verify_token": "canary-verify-token",
    "secret": "canary-app-secret",
    "accounts": [{"account": "555", "brand": "acme", "channel": "page"}],
}
BODY = b'{"object":"page","entry":[]}'


async def created(edge: Any, key: dict[str, str], **changed: object) -> dict[str, Any]:
    answer = await edge.client.post("/v1/sources", json=NEW | changed, headers=key)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_life_of_a_subscription(edge: Any) -> None:
    admin = edge.key("admin", "acme")
    source = await created(edge, admin, id="acme-page")
    path = source["callback_path"]
    assert path == "/webhooks/facebook/acme-page"
    query = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "canary-verify-token"}
    assert (await edge.client.get(path, params=query)).text == "42"
    assert (await edge.deliver(BODY, secret=b"canary-app-secret", to="facebook/acme-page")).status_code == 200

    accounts = [{"account": "556", "brand": "acme", "channel": "other"}]
    changed = await edge.client.put("/v1/sources/acme-page", json={"accounts": accounts}, headers=admin | {"If-Match": '"1"'})
    assert (changed.json()["accounts"], changed.headers["etag"]) == (accounts, '"2"')
    stale = await edge.client.put("/v1/sources/acme-page", json={"accounts": accounts}, headers=admin | {"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    listed = (await edge.client.get("/v1/sources", headers=admin)).json()
    assert [one["id"] for one in listed["items"]] == ["acme-page"]

    assert (await edge.client.delete("/v1/sources/acme-page", headers=admin)).status_code == 204
    assert (await edge.client.get("/v1/sources/acme-page", headers=admin)).status_code == 404
    assert (await edge.deliver(BODY, secret=b"canary-app-secret", to="facebook/acme-page")).status_code == 404
    again = await created(edge, admin, id="acme-page")
    assert again["generation"] == 4
    assert (await edge.client.post("/v1/sources", json=NEW | {"id": "acme-page"}, headers=admin)).status_code == 409


async def test_secrets_overlap_and_the_old_one_ends(edge: Any) -> None:
    admin = edge.key("admin", "acme")
    source = await created(edge, admin)
    to = source["callback_path"].removeprefix("/webhooks/")
    ends = (edge.clock.now() + timedelta(hours=1)).isoformat()
    body = {"secret": "canary-next-secret", "old_expires_time": ends}
    answer = await edge.client.post(f"/v1/sources/{source['id']}/secrets", json=body, headers=admin)
    assert answer.status_code == 201
    assert [one["expires_time"] for one in answer.json()["secrets"]] == [None, ends]

    async def codes() -> list[int]:
        secrets = (b"canary-app-secret", b"canary-next-secret")
        return [(await edge.deliver(BODY, secret=secret, to=to)).status_code for secret in secrets]

    assert await codes() == [200, 200]
    edge.clock.advance(3601)
    assert await codes() == [401, 200]


async def test_secrets_in_force_are_few(edge: Any) -> None:
    admin = edge.key("admin", "acme")
    source = await created(edge, admin)
    path = f"/v1/sources/{source['id']}/secrets"
    codes = [(await edge.client.post(path, json={"secret": f"another-{n}"}, headers=admin)).status_code for n in range(5)]
    assert codes == [201] * 4 + [409]
    assert (await edge.client.get(f"/v1/sources/{source['id']}", headers=admin)).json()["generation"] == 5


async def test_secrets_never_come_out(edge: Any, caplog: pytest.LogCaptureFixture) -> None:
    admin = edge.key("admin", "acme")
    source = await created(edge, admin)
    path = f"/v1/sources/{source['id']}"
    seen = [
        (await edge.client.get(address, headers=admin)).text for address in (path, "/v1/sources", "/metrics", "/openapi.json")
    ]
    seen.append((await edge.client.post("/v1/sources", json=NEW | {"secret": "canary"}, headers=admin)).text)
    seen.append((await edge.client.post("/v1/sources", json=NEW | {"secret": ["canary"]}, headers=admin)).text)
    seen.append(repr(await edge.store.load([source["id"]])))
    seen.append(caplog.text)
    assert not [text for text in seen if "canary" in text]


async def test_subscription_of_several_brands_exists_only_for_who_sees_them_all(edge: Any) -> None:
    both, one, other = edge.key("admin", "acme", "zeta"), edge.key("admin", "acme"), edge.key("admin", "*")
    accounts = [{"account": "1", "brand": "acme", "channel": "a"}, {"account": "2", "brand": "zeta", "channel": "b"}]
    source = await created(edge, both, accounts=accounts)
    path = f"/v1/sources/{source['id']}"
    for method, suffix, body in (
        ("GET", "", None),
        ("PUT", "", {"accounts": accounts[:1]}),
        ("DELETE", "", None),
        ("POST", "/secrets", {"secret": "another-one"}),
    ):
        answer = await edge.client.request(method, path + suffix, json=body, headers=one)
        assert (method, answer.status_code) == (method, 404)
    assert (await edge.client.get("/v1/sources", headers=one)).json()["items"] == []
    assert (await edge.client.post("/v1/sources", json=NEW | {"accounts": accounts}, headers=one)).status_code == 404
    assert (await edge.client.get(path, headers=other)).status_code == 200


async def test_list_is_paged_over_what_is_visible(edge: Any) -> None:
    admin, foreign = edge.key("admin", "acme"), edge.key("admin", "zeta")
    for number in range(7):
        await created(edge, admin, id=f"s{number}")
        await created(edge, foreign, id=f"s{number}-z", accounts=[{"account": "1", "brand": "zeta", "channel": "z"}])
    found, after = [], ""
    while after is not None:
        answer = (await edge.client.get("/v1/sources", params={"limit": 3, "after": after}, headers=admin)).json()
        found += [one["id"] for one in answer["items"]]
        after = answer["next"]
    assert found == [f"s{number}" for number in range(7)]


def routes(edge: Any) -> list[tuple[str, str, str]]:
    """Return (method, path, role) of every route about subscriptions of the real application."""
    front = edge.client._transport.app
    assert isinstance(front, Webhooks)
    found = []
    for route in front._app._app.routes:  # type: ignore[attr-defined]
        if isinstance(route, APIRoute) and route.path.startswith("/v1/sources"):
            roles = [part.call.required_role for part in route.dependant.dependencies if hasattr(part.call, "required_role")]
            assert len(roles) == 1, route.path
            found += [(method, route.path, roles[0].name.lower()) for method in route.methods]
    return found


async def test_every_route_asks_for_its_role(edge: Any) -> None:
    ranks = ["viewer", "editor", "approver", "admin"]
    keys = {role: edge.key(role, "acme") for role in ranks}
    found = routes(edge)
    assert len(found) == 6
    for method, path, needed in found:
        assert needed == ("viewer" if method == "GET" else "admin")
        address = path.format(source="none")
        assert (await edge.client.request(method, address)).status_code == 401
        wrong = {"Authorization": "Bearer ak_000000000000_" + "x" * 43}
        assert (await edge.client.request(method, address, headers=wrong)).status_code == 401
        for role in ranks:
            code = (await edge.client.request(method, address, headers=keys[role])).status_code
            assert (code == 403) == (ranks.index(role) < ranks.index(needed)), (method, path, role)


@pytest.mark.parametrize("field", ["platform", "verify_token", "secret", "id"])
@pytest.mark.parametrize("value", [{"$gt": ""}, ["x"], 7, "", "../etc", "x" * 600, "\u0000"])
async def test_values_that_are_no_values(edge: Any, field: str, value: object) -> None:
    answer = await edge.client.post("/v1/sources", json=NEW | {field: value}, headers=edge.key("admin", "*"))
    assert answer.status_code == 422 or (field in {"verify_token", "secret"} and value == "../etc")
    assert not answer.is_success or field in {"verify_token", "secret"}
    if answer.status_code == 422:
        assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")


@pytest.mark.parametrize("accounts", [[], {}, [{}], [{"account": "1", "brand": {"$gt": ""}, "channel": "a"}], "x"])
async def test_accounts_that_are_none(edge: Any, accounts: object) -> None:
    answer = await edge.client.post("/v1/sources", json=NEW | {"accounts": accounts}, headers=edge.key("admin", "*"))
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a":NaN}', b"[" * 5000])
async def test_garbage_is_no_500(edge: Any, body: bytes) -> None:
    headers = edge.key("admin", "*") | {"Content-Type": "application/json"}
    answer = await edge.client.post("/v1/sources", content=body, headers=headers)
    assert answer.status_code in {400, 422}
