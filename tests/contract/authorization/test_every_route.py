"""Who may call what, of every service: one table, which must name every route. What nobody declared here, nobody may add."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from antiphon.auth import Role
from antiphon_local.routes import find_service, load_routes, longest_first

pytestmark = pytest.mark.asyncio(loop_scope="module")

V, E, P, A = Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.ADMIN
STRANGERS = ("nobody", "garbage", "expired", "revoked")
MEMBERS = {"viewer": V, "editor": E, "approver": P, "admin": A}

CANARY = "canary-of-the-first-brand"
NEVER = "never-existed"

NAMES = {
    "campaign": NEVER,
    "channel": NEVER,
    "rule": NEVER,
    "segment": NEVER,
    "topic": NEVER,
    "link": NEVER,
    "hold": NEVER,
    "secret": NEVER,
    "name": NEVER,
    "people": "blocked",
    "platform": "facebook",
    "author": "1",
    "person": "facebook:1",
    "key": "0" * 12,
    "action_id": NEVER,
    "source": NEVER,
    "job": "0" * 24,
    "event_id": "0" * 64,
    "version": "1",
    "entry": NEVER,
    "token": NEVER,
    "sha256": "0" * 64,
}
"""A value for each parameter of a path, besides the brand; a new parameter must be given one here."""


@dataclass(frozen=True, slots=True)
class Access:
    """The least role, and whether the path, the query or an id names the brand. `body`: valid, where it is looked at first."""

    role: Role
    body: Any = None
    query: bool = False
    record: bool = False
    everywhere: bool = False
    params: Mapping[str, str] = field(default_factory=dict)


OPEN = {"GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json"}
"""For everybody inside: the one base URL does not route them."""

PUBLIC = {"GET /c/{token}", "POST /c/{token}", "GET /g/{brand}/{campaign}", "GET /media/{sha256}"}
"""For everybody outside: consent forms behind signed links, galleries of cleared media, and those media."""

_TOPIC = {"name": "Bike", "terms": ["bike"]}
_LINK = {"url": "https://acme.example/"}
_CAMPAIGN = {"id": NEVER, "name": "Summer", "timezone": "UTC", "start": "2026-06-01T00:00", "hashtags": ["summer"]}
_WHY = {"reason": "because"}
_CHANNEL = {"platform": "facebook", "account": "1"}
_ENTRY = {"reference": "1", "person": {"id": "1"}}
_ACCOUNTS = {"accounts": [{"account": "1", "brand": "{brand}", "channel": "main"}]}

TABLE: dict[str, dict[str, Access]] = {
    "rules": {
        "GET /v1/audit": Access(A, everywhere=True),
        "GET /v1/audit:verify": Access(A, everywhere=True),
        "GET /v1/brands": Access(V),
        "POST /v1/brands": Access(A),
        "GET /v1/brands/{brand}": Access(V),
        "PATCH /v1/brands/{brand}": Access(A),
        "POST /v1/brands/{brand}/hold": Access(P),
        "POST /v1/brands/{brand}/resume": Access(P),
        "PUT /v1/brands/{brand}/people/{people}/{platform}/{author}": Access(E),
        "DELETE /v1/brands/{brand}/people/{people}/{platform}/{author}": Access(E),
        "GET /v1/brands/{brand}/people/{person}": Access(A),
        "DELETE /v1/brands/{brand}/people/{person}": Access(A),
        "GET /v1/brands/{brand}/people/{person}/erasure": Access(A),
        "GET /v1/brands/{brand}/segments": Access(V),
        "GET /v1/brands/{brand}/segments/{segment}": Access(V),
        "PUT /v1/brands/{brand}/segments/{segment}": Access(E),
        "DELETE /v1/brands/{brand}/segments/{segment}": Access(E),
        "POST /v1/brands/{brand}/segments/{segment}:add": Access(E),
        "POST /v1/brands/{brand}/segments/{segment}:remove": Access(E),
        "GET /v1/brands/{brand}/topics": Access(V),
        "GET /v1/brands/{brand}/topics/{topic}": Access(V),
        "PUT /v1/brands/{brand}/topics/{topic}": Access(E, _TOPIC),
        "DELETE /v1/brands/{brand}/topics/{topic}": Access(E),
        "GET /v1/brands/{brand}/links": Access(V),
        "GET /v1/brands/{brand}/links/{link}": Access(V),
        "PUT /v1/brands/{brand}/links/{link}": Access(E, _LINK),
        "DELETE /v1/brands/{brand}/links/{link}": Access(E),
        "GET /v1/brands/{brand}/campaigns": Access(V),
        "GET /v1/brands/{brand}/campaigns/{campaign}": Access(V),
        "GET /v1/brands/{brand}/campaigns/{campaign}/versions": Access(V),
        "PUT /v1/brands/{brand}/campaigns/{campaign}": Access(E, _CAMPAIGN),
        "DELETE /v1/brands/{brand}/campaigns/{campaign}": Access(P),
        "POST /v1/brands/{brand}/campaigns/{campaign}:activate": Access(P, _WHY),
        "POST /v1/brands/{brand}/campaigns/{campaign}:pause": Access(P, _WHY),
        "POST /v1/brands/{brand}/campaigns/{campaign}:close": Access(P, _WHY),
        "POST /v1/brands/{brand}/campaigns/{campaign}:archive": Access(P, _WHY),
        "GET /v1/brands/{brand}/guard": Access(V),
        "GET /v1/brands/{brand}/holds": Access(V),
        "POST /v1/brands/{brand}/holds": Access(P),
        "GET /v1/brands/{brand}/holds/{hold}": Access(V),
        "POST /v1/brands/{brand}/holds/{hold}:resume": Access(P),
        "GET /v1/brands/{brand}/channels": Access(V),
        "GET /v1/brands/{brand}/channels/{channel}": Access(V),
        "PUT /v1/brands/{brand}/channels/{channel}": Access(A),
        "DELETE /v1/brands/{brand}/channels/{channel}": Access(A),
        "GET /v1/brands/{brand}/audit": Access(V),
        "GET /v1/brands/{brand}/audit:verify": Access(V),
        "GET /v1/brands/{brand}/rules": Access(V),
        "POST /v1/brands/{brand}/rules": Access(E),
        "GET /v1/brands/{brand}/rules/{rule}": Access(V),
        "PUT /v1/brands/{brand}/rules/{rule}": Access(E),
        "GET /v1/brands/{brand}/rules/{rule}/versions": Access(V),
        "POST /v1/brands/{brand}/rules/{rule}:activate": Access(P),
        "POST /v1/brands/{brand}/rules/{rule}:pause": Access(P),
        "POST /v1/brands/{brand}/rules/{rule}:archive": Access(P),
        "POST /v1/brands/{brand}/rules/{rule}:rollback": Access(P),
        "POST /v1/brands/{brand}/rules:lint": Access(E),
        "POST /v1/brands/{brand}/rules:test": Access(E),
        "POST /v1/brands/{brand}/rules:backtest": Access(E),
        "GET /v1/brands/{brand}/backtests": Access(V),
        "GET /v1/brands/{brand}/backtests/{job}": Access(V),
        "POST /v1/brands/{brand}/backtests/{job}:cancel": Access(E),
        "POST /v1/brands/{brand}/explain": Access(V),
        "GET /v1/brands/{brand}/decisions": Access(V),
        "GET /v1/brands/{brand}/decisions/{event_id}": Access(V),
        "GET /v1/keys": Access(A),
        "POST /v1/keys": Access(A),
        "GET /v1/keys/{key}": Access(A, record=True),
        "DELETE /v1/keys/{key}": Access(A, record=True),
        "POST /v1/keys/{key}:rotate": Access(A, record=True),
    },
    "publisher": {
        "GET /v1/brands/{brand}/people/{person}/deliveries": Access(A),
        "GET /v1/brands/{brand}/people/{person}/entries": Access(A),
        "GET /v1/deliveries": Access(V, query=True),
        "GET /v1/deliveries/{action_id}": Access(V, record=True),
        "POST /v1/deliveries/{action_id}:approve": Access(P, record=True),
        "POST /v1/deliveries/{action_id}:reject": Access(P, record=True),
        "POST /v1/deliveries/{action_id}:resolve": Access(P, {"posted": True}, record=True),
        "POST /v1/deliveries/{action_id}:send-again": Access(P, record=True),
        "GET /v1/channels": Access(V, query=True),
        "GET /v1/channels/{brand}/{channel}": Access(V),
        "PUT /v1/channels/{brand}/{channel}": Access(A, _CHANNEL),
        "DELETE /v1/channels/{brand}/{channel}": Access(A),
        "POST /v1/channels/{brand}/{channel}:check": Access(A),
        "GET /v1/brands/{brand}/secrets": Access(A),
        "PUT /v1/brands/{brand}/secrets/{name}": Access(A),
        "DELETE /v1/brands/{brand}/secrets/{name}": Access(A),
        "GET /v1/brands/{brand}/campaigns/{campaign}/entries": Access(V),
        "GET /v1/brands/{brand}/campaigns/{campaign}/entries/{entry}": Access(V),
        "POST /v1/brands/{brand}/campaigns/{campaign}/entries/{entry}:request-rights": Access(E),
        "POST /v1/brands/{brand}/campaigns/{campaign}/entries/{entry}:grant": Access(P, {"reason": "by letter"}),
        "POST /v1/brands/{brand}/campaigns/{campaign}/entries/{entry}:refuse": Access(P, {"reason": "by letter"}),
        "POST /v1/brands/{brand}/campaigns/{campaign}/entries/{entry}:revoke": Access(P, {"reason": "by letter"}),
        "POST /v1/brands/{brand}/campaigns/{campaign}/entries/{entry}:feature": Access(P, {"use": "gallery"}),
        "GET /v1/brands/{brand}/campaigns/{campaign}/gallery": Access(V),
        "GET /v1/brands/{brand}/campaigns/{campaign}/contest": Access(V),
        "POST /v1/brands/{brand}/campaigns/{campaign}/contest:commit": Access(A),
        "POST /v1/brands/{brand}/campaigns/{campaign}/contest:draw": Access(P),
        "GET /v1/brands/{brand}/campaigns/{campaign}/contest/certificate": Access(V),
    },
    "ingest": {
        "GET /v1/sources": Access(V),
        "POST /v1/sources": Access(A),
        "GET /v1/sources/{source}": Access(V, record=True),
        "PUT /v1/sources/{source}": Access(A, _ACCOUNTS, record=True),
        "DELETE /v1/sources/{source}": Access(A, record=True),
        "POST /v1/conversions": Access(E, {"brand": "{brand}", "reference": "order-1"}),
        "POST /v1/brands/{brand}/campaigns/{campaign}/submissions": Access(E, _ENTRY),
        "POST /v1/sources/{source}/secrets": Access(A, {"secret": "12345678"}, record=True),
    },
    "metrics": {
        "GET /v1/brands/{brand}/people/{person}/measures": Access(A),
        **{
            f"GET /v1/reports/{name}": Access(V, query=True)
            for name in ("summary", "cobra", "ewom", "campaigns", "influencers", "responses", "guard")
        },
    },
}


def routes(app: FastAPI) -> Iterator[str]:
    """Yield `METHOD path` of every route."""
    for context in iter_route_contexts(app.routes):
        for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {context.path}"


def request(route: str, brand: str, **names: str) -> tuple[str, str]:
    method, _, path = route.partition(" ")
    return method, path.format_map({**NAMES, "brand": brand, **names})


def told(access: Access, brand: str) -> dict[str, Any]:
    """Return body and query of a request."""
    body = orjson.loads(orjson.dumps(access.body).replace(b"{brand}", brand.encode()))
    query = {**access.params, **({"brand": brand} if access.query else {})}
    return {**({"json": body} if body is not None else {}), **({"params": query} if query else {})}


def declared() -> Iterator[tuple[str, str, Access]]:
    for service, table in TABLE.items():
        for route, access in table.items():
            yield service, route, access


async def test_the_table_names_every_route_and_no_other(house: Any) -> None:
    for service, app in house.apps.items():
        assert set(routes(app)) - OPEN - PUBLIC == set(TABLE[service]), service


async def test_the_one_base_url_leads_every_route_to_its_service() -> None:
    table = longest_first(load_routes())
    for service, route, _ in declared():
        assert find_service(table, request(route, "acme")[1]) == service, route
    assert {find_service(table, request(route, "acme")[1]) for route in PUBLIC} == {"publisher"}
    assert [route for route in OPEN if find_service(table, route.split()[1])] == []


async def test_no_route_without_a_good_key(house: Any) -> None:
    for service, route, access in declared():
        for stranger in STRANGERS:
            answer = await house.ask(service, stranger, request(route, house.own), **told(access, house.own))
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), (stranger, route, answer.text)


@pytest.mark.parametrize("member", MEMBERS)
async def test_each_role_may_do_what_the_table_says(house: Any, member: str) -> None:
    for service, route, access in declared():
        answer = await house.ask(service, member, request(route, house.own), **told(access, house.own))
        if MEMBERS[member] < access.role or access.everywhere:
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (route, answer.text)
        else:
            assert answer.status_code not in {401, 403}, (route, answer.text)
            assert answer.status_code < 500, (route, answer.text)


async def test_a_key_for_all_brands_is_refused_nothing(house: Any) -> None:
    for service, route, access in declared():
        answer = await house.ask(service, "everywhere", request(route, house.own), **told(access, house.own))
        assert answer.status_code not in {401, 403}, (route, answer.text)
        assert answer.status_code < 500, (route, answer.text)


async def test_a_parameter_that_no_call_knows_is_refused_by_each(house: Any) -> None:
    for service, route, access in declared():
        given = told(access, house.own)
        given["params"] = {**given.get("params", {}), "colour": "red"}
        answer = await house.ask(service, "everywhere", request(route, house.own), **given)
        assert (answer.status_code, [fault["pointer"] for fault in answer.json()["errors"]]) == (422, ["/colour"]), route


async def test_a_foreign_brand_answers_like_one_that_never_existed(house: Any) -> None:
    hidden = 0
    for service, route, access in declared():
        if access.everywhere:
            continue
        names = {name: value for name, value in house.records.items() if access.record and f"{{{name}}}" in route}
        theirs = await house.ask(service, "foreign", request(route, house.own, **names), **told(access, house.own))
        assert CANARY not in theirs.text, (route, theirs.text)
        if "{brand}" not in route and not access.query and not access.record:
            continue  # a list, or the making of something: it shows what exists for its caller
        assert access.record == bool(names), f"{route}: give the table a record of the foreign brand"
        nothing = await house.ask(service, "foreign", request(route, NEVER), **told(access, NEVER))
        assert (theirs.status_code, nothing.status_code) == (404, 404), (route, theirs.text, nothing.text)
        seen = theirs.text
        for name, value in {**names, "brand": house.own}.items():
            seen = seen.replace(value, {**NAMES, "brand": NEVER}[name])
        assert seen == nothing.text, route
        hidden += 1
    assert hidden >= 40, "too few routes were tried with a foreign brand"


async def test_lists_hold_nothing_of_a_foreign_brand(house: Any) -> None:
    for service, path in (("rules", "/v1/brands"), ("rules", "/v1/keys"), ("ingest", "/v1/sources")):
        mine = await house.ask(service, "admin", ("GET", path))
        assert mine.json()["items"], path
        theirs = await house.ask(service, "foreign", ("GET", path))
        assert house.own not in theirs.text, path
