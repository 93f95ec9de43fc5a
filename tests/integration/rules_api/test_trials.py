"""Trying rules on texts and events, and asking why."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from antiphon import ids, mongo
from antiphon.clock import SystemClock
from antiphon.kafka import Record
from antiphon.times import to_timestamp
from antiphon.topics import DECISIONS, EVENTS
from antiphon.v1 import event_pb2
from rules.adapters.codec import decode_event, encode_decision
from rules.adapters.history import archive
from rules.adapters.history.archive import ArchiveWriter
from rules.domain.decision import Decision, Outcome, Reason, RuleOutcome
from rules.domain.event import Understanding


@pytest_asyncio.fixture(loop_scope="session")
async def brand(rules_api: Any, unique_name: Callable[[str], str]) -> str:
    name = unique_name("acme")
    await rules_api.brand(name)
    return name


async def tried(caller: Any, brand: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await caller.post(f"/v1/brands/{brand}/rules:test", body)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_draft_on_texts(rules_api: Any, brand: str, rule_document: Any) -> None:
    editor = await rules_api.caller("editor", brand)
    document = rule_document(
        when={"all": [{"text": {"any": ["price", "how much"], "none": ["giveaway"]}}, {"language": ["en"]}]},
        schedule={"until": "2001-01-01"},
    )
    texts = [
        {"text": "How much, and what price?", "language": "en", "author": {"name": "Ada Lovelace"}},
        {"text": "price of the giveaway", "language": "en"},
        {"text": "price", "language": "fr", "platform": "instagram"},
        {"text": "hello", "language": "en"},
        {"text": "price", "language": "en", "platform": "youtube"},
    ]
    items = await tried(editor, brand, {"rule": document, "texts": texts})
    assert [(item["acts"], item["reason"]) for item in items] == [
        (True, ""),
        (False, "excluded_term"),
        (False, "language"),
        (False, ""),
        (False, ""),
    ]
    first, excluded, french, hello, elsewhere = items
    assert (first["terms"], first["detail"]) == (["price", "how much"], "found 'price', 'how much'")
    (action,) = first["actions"]
    assert (action["kind"], action["text"], action["mode"]) == ("reply", "Hi Ada, it is 49 €.", "auto")
    assert first["understanding"]["language"] == "en"
    assert (excluded["detail"], french["detail"]) == ("giveaway", "language 'fr', wants en")
    assert hello["detail"] == "found none of 'price', 'how much'"
    assert elsewhere["detail"] == "platform 'youtube', wants facebook or instagram"
    assert [outcome["reason"] for outcome in first["in_force"]["rules"]] == ["schedule"]
    assert first["in_force"]["actions"] == []
    assert (await editor.get(f"/v1/brands/{brand}/rules")).json()["items"] == []


async def test_a_saved_rule_beside_those_in_force(rules_api: Any, brand: str, rule_document: Any, eventually: Any) -> None:
    path = f"/v1/brands/{brand}/rules"
    await rules_api.admin.post(path, rule_document("first", state="active", priority=1, stop=True))
    await rules_api.admin.post(path, rule_document("second", when={"text": {"any": ["price"]}}))
    body = {"rule_id": "second", "texts": [{"text": "price"}]}

    async def is_in_force() -> bool:
        (item,) = await tried(rules_api.admin, brand, body)
        return len(item["in_force"]["rules"]) == 2

    await eventually(is_in_force, "the first rule is in force")
    (item,) = await tried(rules_api.admin, brand, body)
    assert item["acts"] is True
    outcomes = [(rule["rule_id"], rule["acts"], rule["reason"], rule["detail"]) for rule in item["in_force"]["rules"]]
    assert outcomes == [("first", True, "", ""), ("second", False, "stopped", "by first")]
    assert [action["rule_id"] for action in item["in_force"]["actions"]] == ["first"]

    changed = rule_document("first", priority=1, when={"text": {"any": ["cost"]}})
    (item,) = await tried(rules_api.admin, brand, {"rule": changed, "texts": [{"text": "price"}]})
    assert (item["acts"], item["in_force"]["rules"]) == (False, []), "the version in force does not count beside its successor"


async def test_a_whole_event(rules_api: Any, brand: str, rule_document: Any) -> None:
    document = rule_document(where={"kinds": ["review"]}, when={"rating": {"at_most": 2}}, then=[{"tag": ["bad"]}])
    body = {"rule": document, "texts": [{"text": "bad"}, {"text": "bad", "rating": 5}]}
    event = {"platform": "facebook", "kind": "review", "text": "bad", "rating": 1}
    items = await tried(rules_api.admin, brand, {**body, "event": event})
    assert [(item["acts"], item["reason"]) for item in items] == [(True, ""), (False, "rating"), (True, "")]
    (item,) = await tried(rules_api.admin, brand, {"rule": document, "event": {**event, "rating": None}})
    assert (item["acts"], item["reason"], item["detail"]) == (False, "rating", "no rating, at most 2")
    (item,) = await tried(rules_api.admin, brand, {"rule": document, "event": {**event, "echo": True}})
    assert (item["acts"], item["reason"]) == (False, "own_account")


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"texts": [{"text": "x"}]}, "/rule"),
    ({"rule": {"id": "x"}, "rule_id": "x", "texts": [{"text": "x"}]}, "/rule"),
    ({"rule": {"id": "x", "then": [{"tag": ["x"]}], "colour": 1}, "texts": [{"text": "x"}]}, "/rule/colour"),
    ({"rule_id": "x"}, "/texts"),
    ({"rule_id": "x", "texts": [{"text": "x"}] * 101}, "/texts"),
    ({"rule_id": "x", "texts": [{"text": "x", "platform": "myspace"}]}, "/texts/0/platform"),
    ({"rule_id": "x", "texts": [{"text": "x", "language": "English"}]}, "/texts/0/language"),
    ({"rule_id": "x", "event": {"platform": "x", "kind": "comment", "text": "", "brand": "y"}}, "/event/brand"),
]


async def test_faults_have_a_place(rules_api: Any, brand: str) -> None:
    for body, pointer in FAULTS:
        answer = await rules_api.admin.post(f"/v1/brands/{brand}/rules:test", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_an_unknown_rule_or_event(rules_api: Any, brand: str) -> None:
    for path, body in (
        ("rules:test", {"rule_id": "none-such", "texts": [{"text": "x"}]}),
        ("explain", {"event_id": "none-such"}),
        ("explain", {"event": {"platform": "x", "kind": "comment", "text": "x"}, "rule_id": "none-such"}),
    ):
        answer = await rules_api.admin.post(f"/v1/brands/{brand}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.text
    for body in ({}, {"event_id": "x", "event": {"platform": "x", "kind": "comment", "text": "x"}}):
        assert (await rules_api.admin.post(f"/v1/brands/{brand}/explain", body)).status_code == 422


async def test_why(rules_api: Any, brand: str, rule_document: Any, eventually: Any) -> None:
    path = f"/v1/brands/{brand}/rules"
    limits = [{"per": "author", "at_most": 1, "within": "24h"}]
    await rules_api.admin.post(path, rule_document("price", state="active", limits=limits))
    await rules_api.admin.post(path, rule_document("reviews", state="active", where={"kinds": ["review"]}))
    await rules_api.admin.post(path, rule_document("draft", when={"text": {"any": ["refund"]}}))
    viewer = await rules_api.caller("viewer", brand)
    event = {"platform": "instagram", "kind": "comment", "text": "How much?"}

    async def explained(**more: Any) -> dict[str, Any]:
        answer = await viewer.post(f"/v1/brands/{brand}/explain", {"event": event, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def is_in_force() -> bool:
        found = await explained()
        return len(found["rules"]) + len(found["others"]) == 2

    await eventually(is_in_force, "both rules are in force")
    found = await explained()
    assert (found["recorded"], found["left_off"], found["now"]["outcome"], found["now"]["cobra"]) == (
        None,
        0,
        "acted",
        "contributing",
    )
    (price,) = found["rules"]
    assert (price["rule_id"], price["active"], price["now"]["acts"], price["terms"]) == ("price", True, True, ["how much"])
    assert price["limits"] == [{"per": "author", "at_most": 1, "within_seconds": 86400.0}]
    assert [(check["name"], check["holds"]) for check in price["where"]] == [("platforms", True), ("kinds", True)]
    assert [other["rule_id"] for other in found["others"]] == ["reviews"]
    assert found["others"][0]["detail"] == "kind 'comment', wants review"

    (draft,) = (await explained(rule_id="draft"))["rules"]
    assert (draft["active"], draft["now"], draft["detail"]) == (False, None, "found none of 'refund'")
    assert draft["when"] == {
        "kind": "text",
        "pointer": "/when/text",
        "holds": False,
        "detail": "found none of 'refund'",
        "parts": [],
    }


async def test_nobody_asks_about_a_foreign_brand(rules_api: Any, brand: str, unique_name: Any, rule_document: Any) -> None:
    stranger = await rules_api.caller("admin", unique_name("other"))
    event = {"platform": "x", "kind": "comment", "text": "x"}
    for path, body in (
        ("rules:test", {"rule": rule_document(), "texts": [{"text": "x"}]}),
        ("rules:lint", {"rules": [rule_document()]}),
        ("explain", {"event": event}),
        ("explain", {"event_id": "x"}),
    ):
        answer = await stranger.post(f"/v1/brands/{brand}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest_asyncio.fixture(loop_scope="session")
async def archived(rules_api: Any, brand: str) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Put an event and the decision on it into the archive that the API reads; return the event's id."""
    client, database = mongo.connect(rules_api.settings)
    now = SystemClock().now().replace(microsecond=0)
    await archive.create_indexes(database)
    writer = ArchiveWriter(database, SystemClock(), days=1, epoch=0, fill_seconds=0, archived=lambda _topic, _count: None)

    async def put(text: str, *, with_event: bool = True) -> str:
        event = event_pb2.Event(
            event_id=ids.event_id("facebook", "page", text, "create", ""),
            brand=brand,
            platform=event_pb2.PLATFORM_FACEBOOK,
            kind=event_pb2.EVENT_KIND_COMMENT,
            verb=event_pb2.VERB_CREATE,
            object="c1",
            author=event_pb2.Author(id="anna", name="Anna"),
            text=text,
            event_time=to_timestamp(now),
            received_time=to_timestamp(now),
        )
        key = f"{brand}/anna".encode()
        incoming = decode_event(Record(EVENTS, 0, 0, key, event.SerializeToString(), ()))
        outcome = RuleOutcome("price", 1, Reason.LIMIT, "1 per author within 86400 s")
        decision = Decision(incoming.event, 7, Outcome.NOT_ACTED, Reason.UNSPECIFIED, (outcome,), (), Understanding("xx", 0.5))
        encoded = encode_decision(decision, now.timestamp())
        records = [Record(EVENTS, 0, 0, key, event.SerializeToString(), ())] if with_event else []
        await writer.append([archive.decode(record) for record in (*records, Record(DECISIONS, 0, 0, key, encoded, ()))])
        return event.event_id

    try:
        yield put
    finally:
        client.close()


async def test_why_it_was_not_answered_then(rules_api: Any, brand: str, archived: Any, rule_document: Any) -> None:
    await rules_api.admin.post(f"/v1/brands/{brand}/rules", rule_document("price"))
    event_id = await archived("what is the price?")
    answer = await rules_api.admin.post(f"/v1/brands/{brand}/explain", {"event_id": event_id, "rule_id": "price"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    then = found["recorded"]
    assert (then["whole"], then["decision"]["outcome"], then["decision"]["config_revision"]) == (True, "not_acted", 7)
    assert [(rule["rule_id"], rule["reason"], rule["detail"]) for rule in then["decision"]["rules"]] == [
        ("price", "limit", "1 per author within 86400 s")
    ]
    assert (found["event"]["text"], found["understanding"]["language"]) == ("what is the price?", "xx")
    (rule,) = found["rules"]
    assert (rule["active"], rule["when"]["holds"], rule["terms"], rule["detail"]) == (False, True, ["price"], "")


async def test_a_draft_on_a_recorded_event(rules_api: Any, brand: str, archived: Any, rule_document: Any) -> None:
    event_id = await archived("what is the price?")
    document = rule_document(when={"all": [{"text": {"any": ["price"]}}, {"language": ["en"]}]})
    (item,) = await tried(rules_api.admin, brand, {"rule": document, "event_id": event_id})
    assert (item["text"], item["acts"], item["detail"]) == ("what is the price?", False, "language 'xx', wants en")
    answer = await rules_api.admin.post(f"/v1/brands/{brand}/rules:test", {"rule": document, "event_id": "none-such"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_event_whose_text_is_gone_says_so(rules_api: Any, brand: str, archived: Any, unique_name: Any) -> None:
    event_id = await archived("what is the price?", with_event=False)
    found = (await rules_api.admin.post(f"/v1/brands/{brand}/explain", {"event_id": event_id})).json()
    assert (found["recorded"]["whole"], found["event"]["text"]) == (False, "")
    other = unique_name("other")
    await rules_api.brand(other)
    foreign = await rules_api.admin.post(f"/v1/brands/{other}/explain", {"event_id": event_id})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
