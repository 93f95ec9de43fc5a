"""Every route × every role × own and foreign brand, generated from the routes themselves: what nobody declared, nobody may."""

from collections.abc import Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from antiphon.auth import Role

OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
CANARY = "canary-of-the-foreign-brand"


def required_role(dependant: Dependant) -> int:
    """Return the highest role that the route's dependencies ask for, 0 if none does."""
    own = getattr(dependant.call, "required_role", 0)
    return max([int(own), *(required_role(inner) for inner in dependant.dependencies)])


def routes(app: Any) -> Iterator[tuple[str, str, int]]:
    """Yield method, path and required role of every route of the API."""
    for context in iter_route_contexts(app.routes):
        path = context.path
        if path in OPEN:
            continue
        for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path, required_role(context.dependant)


def filled(path: str, brand: str, key_id: str) -> str:
    """Return the path with a value for each of its parameters; a new parameter must be given one here."""
    values = {
        "brand": brand,
        "channel": "none-such",
        "rule": "none-such",
        "people": "blocked",
        "platform": "facebook",
        "author": "1",
        "key": key_id,
    }
    return path.format_map(values)


async def foreign_key(api: Any, brand: str) -> str:
    made = await api.admin.post("/v1/keys", {"name": CANARY, "brands": [brand], "role": "viewer"})
    return str(made.json()["key_id"])


async def test_every_route_asks_for_a_role(rules_api: Any) -> None:
    declared = {(method, path): role for method, path, role in routes(rules_api.app)}
    assert len(declared) >= 25, "the walk over the routes finds too few of them"
    assert [route for route, role in declared.items() if role == 0] == []
    assert declared["POST", "/v1/brands/{brand}/hold"] == Role.APPROVER
    assert declared["POST", "/v1/brands/{brand}/rules"] == Role.EDITOR
    assert declared["POST", "/v1/brands/{brand}/rules/{rule}:activate"] == Role.APPROVER
    assert declared["PUT", "/v1/brands/{brand}/channels/{channel}"] == Role.ADMIN
    assert declared["GET", "/v1/keys"] == Role.ADMIN


async def test_every_route_for_every_role_and_brand(rules_api: Any, unique_name: Any) -> None:
    own, foreign = unique_name("own"), unique_name("foreign")
    await rules_api.brand(own)
    assert (await rules_api.admin.post("/v1/brands", {"id": foreign, "name": CANARY})).status_code == 201
    key_id = await foreign_key(rules_api, foreign)
    checked = 0
    for role in Role:
        caller = await rules_api.caller(role.name.lower(), own)
        for method, path, needed in routes(rules_api.app):
            mine = await caller.send(method, filled(path, own, "0" * 12), match="*")
            if role < needed:
                assert mine.status_code == 403, (role, method, path, mine.text)
            else:
                assert mine.status_code not in {401, 403}, (role, method, path, mine.text)
                assert mine.status_code < 500, (role, method, path, mine.text)
            theirs = await caller.send(method, filled(path, foreign, key_id), match="*")
            assert CANARY not in theirs.text, (role, method, path)
            if "{brand}" in path:
                assert theirs.status_code == 404, (role, method, path, theirs.text)
            elif "{key}" in path:
                assert theirs.status_code == (404 if role >= needed else 403), (role, method, path, theirs.text)
            checked += 2
    assert checked >= 200
    untouched = await rules_api.admin.get(f"/v1/brands/{foreign}")
    assert untouched.headers["etag"] == '"1"'
    assert (await rules_api.admin.get(f"/v1/keys/{key_id}")).headers["etag"] == '"1"'


async def test_no_route_without_a_good_key(rules_api: Any) -> None:
    for method, path, _ in routes(rules_api.app):
        for headers in ({}, {"Authorization": "Bearer ak_000000000000_x"}, {"Authorization": "Bearer nonsense"}):
            answer = await rules_api.http.request(method, filled(path, "any", "0" * 12), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), (method, path, answer.text)


async def test_lists_show_what_exists_for_the_caller(rules_api: Any, unique_name: Any) -> None:
    own, foreign = unique_name("own"), unique_name("foreign")
    await rules_api.brand(own)
    await rules_api.brand(foreign)
    await foreign_key(rules_api, foreign)
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
