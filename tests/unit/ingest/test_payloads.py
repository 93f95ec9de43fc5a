"""Every documented delivery of Facebook and Instagram becomes what it means."""

from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from antiphon.ids import event_id
from ingest.adapters.platforms.registry import serving
from ingest.domain import Event, Ignored, Rejected, Result

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("payloads.yaml").read_text(encoding="utf-8"))
ACCOUNTS = {"100", "101"}


def body_of(case: dict[str, Any]) -> object:
    if "body" in case:
        return case["body"]
    name = "page" if case["platform"] == "facebook" else "instagram"
    if "item" in case:
        entry = {"id": "100", "time": 1457764198246, "messaging": [case["item"]]}
    else:
        entry = {"id": "100", "time": 1500000000, "changes": [{"field": case["field"], "value": case["value"]}]}
    return {"object": name, "entry": [entry]}


def normalised(platform: str, body: object) -> list[Result]:
    adapter = serving()[platform]
    return list(adapter.normalise(adapter.decode(orjson.dumps(body)), ACCOUNTS))


def shown(result: Result, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a result as the data file writes it."""
    if isinstance(result, Ignored):
        return {"ignored": result.reason}
    if isinstance(result, Rejected):
        return {"rejected": str(result.reason)}
    defaults = {one.name: one.default for one in fields(Event) if one.default is not MISSING}
    found = {name: value for name, value in asdict(result).items() if name not in defaults or value != defaults[name]}
    for name in ("event_id", "platform"):
        del found[name]
    found["event_time"] = result.event_time.isoformat()
    for name in ("account", "event_time"):
        if name not in wanted:
            del found[name]
    found["author"] = {name: value for name, value in found["author"].items() if value} if result.author.id else None
    if result.raw:
        found["raw"] = orjson.loads(result.raw)
    if "media" in found:
        found["media"] = list(found["media"])
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_delivery_means_what_is_documented(case: dict[str, Any]) -> None:
    results = normalised(case["platform"], body_of(case))
    assert len(results) == len(case["expect"])
    for result, wanted in zip(results, case["expect"], strict=True):
        assert shown(result, wanted) == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_same_delivery_has_same_ids_however_it_is_batched(case: dict[str, Any]) -> None:
    body = body_of(case)
    alone = [result.event_id for result in normalised(case["platform"], body) if isinstance(result, Event)]
    one = body[0] if isinstance(body, list) else body
    assert isinstance(one, dict)
    twice = {
        **one,
        "entry": [
            *one.get("entry", []),
            *[entry | ({"time": 1600000000} if "time" in entry else {}) for entry in one.get("entry", [])],
        ],
    }
    batched = [result.event_id for result in normalised(case["platform"], twice) if isinstance(result, Event)]
    assert batched == alone * 2
    assert len(set(alone)) == len(alone)


def test_put_aside_update_is_a_body_that_can_be_sent_again() -> None:
    change = {"field": "feed", "value": {"item": "comment", "verb": "add", "comment_id": "901_903", "created_time": 1449135003}}
    body = {"object": "page", "entry": [{"id": "999", "time": 1500000000, "changes": [change, {"field": "feed"}]}]}
    adapter = serving()["facebook"]
    aside = adapter.normalise(body, ACCOUNTS)
    assert [(one.reason, one.account) for one in aside if isinstance(one, Rejected)] == [("unknown_account", "999")] * 2
    assert isinstance(aside[0], Rejected)
    again = adapter.normalise(adapter.decode(aside[0].raw), {"999"})
    assert [one.object for one in again if isinstance(one, Event)] == ["901_903"]


def test_identity_is_the_contracts() -> None:
    created, edited = (case for case in CASES if case["name"] in ("facebook comment at the top", "facebook comment edited"))
    (create,) = normalised("facebook", body_of(created))
    (edit,) = normalised("facebook", body_of(edited))
    assert isinstance(create, Event)
    assert isinstance(edit, Event)
    assert create.event_id == event_id("facebook", "100", "901_903", "create", "")
    assert edit.event_id != create.event_id


def variants(value: dict[str, Any], **changed: object) -> list[str]:
    body = {"object": "page", "entry": [{"id": "100", "time": 1, "changes": [{"field": "feed", "value": value | changed}]}]}
    return [result.event_id for result in normalised("facebook", body) if isinstance(result, Event)]


def test_edits_and_reactions_are_told_apart() -> None:
    edit = {"item": "comment", "verb": "edited", "comment_id": "1_2", "post_id": "100_1", "created_time": 5, "message": "a"}
    assert variants(edit) == variants(edit)
    assert variants(edit) != variants(edit, message="b")
    assert variants(edit) != variants(edit, created_time=6)
    like = {
        "item": "reaction",
        "verb": "add",
        "comment_id": "1_2",
        "reaction_type": "like",
        "from": {"id": "7"},
        "created_time": 5,
    }
    assert variants(like) == variants(like, **{"from": {"id": "7", "name": "now named"}})
    assert variants(like) != variants(like, **{"from": {"id": "8"}})
    assert variants(like) != variants(like, reaction_type="love")
    assert variants(like) != variants(like, verb="remove")
    assert variants(like) != variants(like, created_time=6)


def test_too_much_is_put_aside_not_produced() -> None:
    base = {"item": "comment", "verb": "add", "comment_id": "1_2", "post_id": "100_1", "created_time": 5}

    def reason(**changed: object) -> tuple[str, int]:
        body = {"object": "page", "entry": [{"id": "100", "time": 1, "changes": [{"field": "feed", "value": base | changed}]}]}
        (result,) = normalised("facebook", body)
        assert isinstance(result, Rejected)
        return result.reason, len(result.raw)

    assert reason(message="x" * 100_001)[0] == "too_large"
    assert reason(strange="x" * 300_001)[0] == "too_large"
    assert reason(strange="x" * 3_000_000) == ("too_large", 500_000)
    deep: object = 1
    for _ in range(240):
        deep = [deep]
    assert reason(comment_id="", strange=deep)[0] == "bad_id"
