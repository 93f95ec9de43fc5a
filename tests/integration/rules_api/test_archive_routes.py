"""Decisions over HTTP: newest first, one by one, and as they come."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from antiphon import ids, mongo
from antiphon.clock import SystemClock
from antiphon.kafka import Record
from antiphon.times import to_timestamp
from antiphon.topics import DECISIONS, EVENTS
from antiphon.v1 import decision_pb2, event_pb2
from antiphon.waiting import STOP
from rules.adapters.history import archive

pytestmark = pytest.mark.local

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

Remember = Callable[..., Awaitable[list[str]]]
"""Takes a brand, and numbers of comments or whole events."""


def comment(brand: str, number: int) -> event_pb2.Event:
    return event_pb2.Event(
        event_id=ids.event_id("instagram", brand, str(number), "create", ""),
        brand=brand,
        platform=event_pb2.PLATFORM_INSTAGRAM,
        channel="ig-main",
        kind=event_pb2.EVENT_KIND_COMMENT,
        verb=event_pb2.VERB_CREATE,
        object=str(number),
        author=event_pb2.Author(id="anna", name="Anna", handle="anna.m"),
        text=f"what is the price of {number}?",
        event_time=to_timestamp(BEGIN + timedelta(seconds=number)),
        received_time=to_timestamp(BEGIN + timedelta(seconds=number + 1)),
    )


def decision(event: event_pb2.Event) -> decision_pb2.Decision:
    return decision_pb2.Decision(
        event_id=event.event_id,
        brand=event.brand,
        platform=event.platform,
        channel=event.channel,
        kind=event.kind,
        verb=event.verb,
        object=event.object,
        author=event.author,
        event_time=event.event_time,
        received_time=event.received_time,
        decided_time=to_timestamp(BEGIN + timedelta(minutes=5)),
        outcome=decision_pb2.OUTCOME_ACTED,
        language="en",
        polarity=decision_pb2.POLARITY_NEUTRAL,
        sentiment=0.25,
        flags=["question"],
        rules=[
            decision_pb2.RuleOutcome(rule_id="price", rule_version=3),
            decision_pb2.RuleOutcome(rule_id="late", rule_version=1, reason=decision_pb2.REASON_STOPPED, detail="by price"),
        ],
        actions=[
            decision_pb2.Action(
                action_id="a" * 64,
                rule_id="price",
                kind=decision_pb2.ACTION_KIND_REPLY,
                mode=decision_pb2.MODE_AUTO,
                text="49 €",
                not_before_time=event.received_time,
                expires_time=to_timestamp(BEGIN + timedelta(days=1)),
            )
        ],
    )


def offset(event: event_pb2.Event) -> int:
    return int(event.object) + (1_000 if event.verb == event_pb2.VERB_EDIT else 0)


@pytest_asyncio.fixture(loop_scope="session")
async def remember(rules_api: Any) -> AsyncIterator[Remember]:
    """Put events, and decisions on them, into the archive; returns their ids, in the same order."""
    client, database = mongo.connect(rules_api.settings)
    writer = archive.ArchiveWriter(
        database, SystemClock(), days=90, epoch=0, fill_seconds=0, archived=lambda _topic, _count: None
    )

    async def put(brand: str, *given: int | event_pb2.Event) -> list[str]:
        events = [comment(brand, one) if isinstance(one, int) else one for one in given]
        key = f"{brand}/anna".encode()
        records = [
            *(Record(EVENTS, 0, offset(event), key, event.SerializeToString()) for event in events),
            *(Record(DECISIONS, 0, offset(event), key, decision(event).SerializeToString()) for event in events),
        ]
        await writer.append([archive.decode(record) for record in records])
        return [event.event_id for event in events]

    yield put
    client.close()


async def test_a_decision_is_shown_whole(rules_api: Any, remember: Remember, unique_name: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    (event_id,) = await remember(brand, 7)
    viewer = await rules_api.caller("viewer", brand)
    shown = (await viewer.get(f"/v1/brands/{brand}/decisions/{event_id}")).json()
    assert shown["event_id"] == event_id
    assert shown["text"] == "what is the price of 7?"
    assert datetime.fromisoformat(shown["time"]) == BEGIN + timedelta(seconds=7)
    assert (shown["platform"], shown["channel"], shown["kind"]) == ("instagram", "ig-main", "comment")
    assert shown["author"] == {"id": "anna", "name": "Anna", "handle": "anna.m"}
    assert (shown["outcome"], shown["reason"]) == ("acted", "")
    assert shown["understanding"]["sentiment"] == "neutral"
    assert shown["understanding"]["flags"] == ["question"]
    assert [(rule["rule_id"], rule["reason"], rule["detail"]) for rule in shown["rules"]] == [
        ("price", "acted", ""),
        ("late", "stopped", "by price"),
    ]
    assert [(action["kind"], action["text"]) for action in shown["actions"]] == [("reply", "49 €")]


async def test_pages_and_filters(rules_api: Any, remember: Remember, unique_name: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    ids_of = await remember(brand, *range(5))
    path = f"/v1/brands/{brand}/decisions"
    first = (await rules_api.admin.get(path, params={"limit": 3})).json()
    second = (await rules_api.admin.get(path, params={"limit": 3, "after": first["next"]})).json()
    found = [item["event_id"] for item in first["items"] + second["items"]]
    assert (found, second["next"]) == (ids_of[::-1], None)
    for params, count in (
        ({"rule": "price"}, 5),
        ({"rule": "price", "reason": "stopped"}, 0),
        ({"rule": "late", "reason": "stopped"}, 5),
        ({"outcome": "no_match"}, 0),
        ({"author": "anna"}, 5),
        ({"author": "bert"}, 0),
        ({"since": (BEGIN + timedelta(seconds=4)).isoformat()}, 2),
        ({"until": (BEGIN + timedelta(seconds=4)).isoformat()}, 3),
    ):
        answer = await rules_api.admin.get(path, params=params)
        assert len(answer.json()["items"]) == count, (params, answer.text)
    for params in (
        {"outcome": "maybe"},
        {"reason": "moody"},
        {"after": "bm9uc2Vuc2U="},
        {"wait": 31},
        {"wait": 1, "after": first["next"]},
    ):
        refused = await rules_api.admin.get(path, params=params)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid"), params


async def test_what_became_of_a_comment_is_found_by_the_comment_s_own_id(
    rules_api: Any, remember: Remember, unique_name: Any
) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    channel = {"platform": "instagram", "account": brand, "name": "Acme"}
    await rules_api.admin.put(f"/v1/brands/{brand}/channels/ig-main", json=channel)
    made, *_ = await remember(brand, 41, 42, 43)
    edited = comment(brand, 41)
    edited.event_id, edited.verb = ids.event_id("instagram", brand, "41", "edit", "1:abc"), event_pb2.VERB_EDIT
    await remember(brand, edited)
    path = f"/v1/brands/{brand}/decisions"

    async def found(**params: str) -> list[str]:
        answer = await rules_api.admin.get(path, params=params)
        return [item["event_id"] for item in answer.json()["items"]]

    assert sorted(await found(object="41")) == sorted([made, edited.event_id])
    assert await found(object="4") == []
    assert await found(object="41", author="bert") == []
    assert len(await found(object="41", author="anna", rule="price")) == 2
    assert await found(object="41", rule="other") == []


async def test_followers_wait_for_what_comes(rules_api: Any, remember: Remember, unique_name: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    await remember(brand, 1)
    path = f"/v1/brands/{brand}/decisions"
    begun = (await rules_api.admin.get(path, params={"wait": 0})).json()
    assert begun["items"] == []
    waiting = asyncio.create_task(rules_api.admin.get(path, params={"after": begun["next"], "wait": 20}))
    expected = await remember(brand, 2, 3)
    grown = (await waiting).json()
    assert [item["event_id"] for item in grown["items"]] == expected
    assert grown["items"][0]["text"] == "what is the price of 2?"
    silent = (await rules_api.admin.get(path, params={"after": grown["next"], "wait": 0.1})).json()
    assert silent["items"] == []
    more = await remember(brand, 4)
    last = (await rules_api.admin.get(path, params={"after": silent["next"]})).json()
    assert [item["event_id"] for item in last["items"]] == more


async def test_followers_are_answered_when_the_process_is_told_to_stop(rules_api: Any, unique_name: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    stop = asyncio.Event()
    stop.set()

    async def stopping(scope: Any, receive: Any, send: Any) -> None:
        scope[STOP] = stop
        await rules_api.app(scope, receive, send)

    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app=stopping), base_url="http://rules") as http,
        asyncio.timeout(20),
    ):
        headers = {"Authorization": f"Bearer {rules_api.admin.token}"}
        answer = await http.get(f"/v1/brands/{brand}/decisions", params={"wait": 30}, headers=headers)
    assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_another_brand_s_decisions_do_not_exist(rules_api: Any, remember: Remember, unique_name: Any) -> None:
    own, foreign = unique_name("own"), unique_name("foreign")
    for brand in (own, foreign):
        await rules_api.brand(brand)
    (theirs,) = await remember(foreign, 1)
    viewer = await rules_api.caller("viewer", own)
    assert (await viewer.get(f"/v1/brands/{foreign}/decisions")).status_code == 404
    assert (await viewer.get(f"/v1/brands/{foreign}/decisions/{theirs}")).status_code == 404
    assert (await viewer.get(f"/v1/brands/{own}/decisions/{theirs}")).status_code == 404
    assert (await viewer.get(f"/v1/brands/{own}/decisions")).json() == {"items": [], "next": None}
    assert (await rules_api.admin.get("/v1/brands/no-such/decisions")).status_code == 404
