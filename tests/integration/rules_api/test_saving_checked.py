"""What a rule must pass before it is saved, and before it may act."""

from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio


@pytest_asyncio.fixture(loop_scope="session")
async def rules(rules_api: Any, unique_name: Callable[[str], str]) -> tuple[str, str]:
    """Return the id of a fresh brand and the path of its rules."""
    brand = unique_name("acme")
    await rules_api.brand(brand)
    return brand, f"/v1/brands/{brand}/rules"


@pytest.fixture
def in_force(rules_api: Any, eventually: Any) -> Callable[[str, str], Any]:
    """Wait until a rule counts as in force for the checks: they read the topic, a moment behind."""

    async def wait(brand: str, rule_id: str) -> None:
        async def known() -> bool:
            event = {"platform": "flickr", "kind": "follow", "text": ""}
            answer = await rules_api.admin.post(f"/v1/brands/{brand}/explain", {"event": event})
            assert answer.status_code == 200, answer.text
            return rule_id in {rule["rule_id"] for rule in answer.json()["others"]}

        await eventually(known, f"{rule_id} is in force")

    return wait


LOOPING: dict[str, Any] = {"then": [{"reply": {"text": {"default": ["It is 49 €", "The price is 49 €"]}}}]}


async def test_a_rule_that_fails_its_examples_is_never_saved(rules_api: Any, rules: Any, rule_document: Any) -> None:
    _, path = rules
    examples = [{"text": "how much?", "acts": True}, {"text": "price", "acts": False}, {"text": "hello", "acts": True}]
    refused = await rules_api.admin.post(path, rule_document(examples=examples))
    assert (refused.status_code, refused.json()["code"]) == (422, "example_failed")
    assert [(fault["pointer"], fault["detail"]) for fault in refused.json()["errors"]] == [
        ("/examples/1", "acted, though it should not: found 'price'"),
        ("/examples/2", "did not act: found none of 'price', 'how much'"),
    ]
    assert (await rules_api.admin.get(f"{path}/price-question")).status_code == 404
    saved = await rules_api.admin.post(path, rule_document(examples=examples[:1]))
    assert (saved.status_code, saved.json()["findings"]) == (201, [])
    again = await rules_api.admin.put(f"{path}/price-question", rule_document(examples=examples), match=1)
    assert (again.status_code, again.json()["code"]) == (422, "example_failed")


async def test_a_draft_is_saved_with_its_findings_and_may_not_act(rules_api: Any, rules: Any, rule_document: Any) -> None:
    _, path = rules
    saved = await rules_api.admin.post(path, rule_document(**LOOPING))
    assert saved.status_code == 201, saved.text
    (finding,) = saved.json()["findings"]
    assert (finding["severity"], finding["code"], finding["pointer"]) == (
        "error",
        "self_triggering",
        "/then/0/reply/text/default/1",
    )
    for answer in (
        await rules_api.admin.post(f"{path}/price-question:activate", match=1),
        await rules_api.admin.post(f"{path}/price-question:activate", {"version": 1}, match="*"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "unsafe_rule")
        assert answer.json()["errors"] == [finding]
    for state, status in (("active", 422), ("paused", 201), ("archived", 201)):
        answer = await rules_api.admin.post(path, rule_document(f"as-{state}", state=state, **LOOPING))
        assert answer.status_code == status, answer.text
    replaced = await rules_api.admin.put(f"{path}/price-question", rule_document(state="active", **LOOPING), match=1)
    assert (replaced.status_code, replaced.json()["code"]) == (422, "unsafe_rule")
    untouched = (await rules_api.admin.get(f"{path}/price-question")).json()
    assert (untouched["state"], untouched["latest_version"], untouched["generation"]) == ("draft", 1, 1)


async def test_warnings_come_back_and_hinder_nothing(rules_api: Any, rules: Any, rule_document: Any) -> None:
    _, path = rules
    document = rule_document(state="active", when={"text": {"any": ["price", "price list"]}})
    saved = await rules_api.admin.post(path, document)
    assert (saved.status_code, saved.json()["state"]) == (201, "active")
    expected = [("warning", "covered_term", "/when/text/any/1")]
    assert [(found["severity"], found["code"], found["pointer"]) for found in saved.json()["findings"]] == expected
    paused = await rules_api.admin.post(f"{path}/price-question:pause", match=1)
    assert paused.json()["findings"] == []
    resumed = await rules_api.admin.post(f"{path}/price-question:activate", match=2)
    assert [found["code"] for found in resumed.json()["findings"]] == ["covered_term"]


async def test_rules_in_force_count_both_ways(rules_api: Any, rules: Any, rule_document: Any, in_force: Any) -> None:
    brand, path = rules
    says = [{"reply": {"text": {"default": ["Thank you, it is 49 €."]}}}]
    assert (await rules_api.admin.post(path, rule_document(state="active", then=says))).status_code == 201
    await in_force(brand, "price-question")
    thanks = rule_document("thanks", when={"text": {"any": ["thank you"]}}, then=[{"reply": {"text": "Welcome"}}])
    draft = await rules_api.admin.post(path, thanks)
    assert draft.status_code == 201
    refused = await rules_api.admin.post(f"{path}/thanks:activate", match=1)
    assert refused.status_code == 409, refused.text
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], "'price-question'" in fault["detail"]) == ("/when", True)

    stops = rule_document("first", state="active", priority=1, when={"text": {"any": ["cost"]}}, then=[{"tag": ["x"]}], stop=True)
    assert (await rules_api.admin.post(path, stops)).status_code == 201
    await in_force(brand, "first")
    behind = await rules_api.admin.post(path, rule_document("behind", state="active", when={"text": {"any": ["cost plan"]}}))
    assert behind.status_code == 422
    assert [(fault["code"], "'first'" in fault["detail"]) for fault in behind.json()["errors"]] == [("shadowed", True)]


async def test_a_rollback_is_checked_too(rules_api: Any, rules: Any, rule_document: Any) -> None:
    _, path = rules
    await rules_api.admin.post(path, rule_document(**LOOPING))
    assert (await rules_api.admin.put(f"{path}/price-question", rule_document(state="active"), match=1)).status_code == 200
    refused = await rules_api.admin.post(f"{path}/price-question:rollback", {"version": 1}, match=2)
    assert (refused.status_code, refused.json()["code"]) == (409, "unsafe_rule")
    assert (await rules_api.admin.post(f"{path}/price-question:rollback", {"version": 7}, match=2)).status_code == 404
    assert (await rules_api.admin.get(f"{path}/price-question")).json()["active_version"] == 2


async def test_lint_saves_nothing_and_takes_documents_together(rules_api: Any, rules: Any, rule_document: Any) -> None:
    brand, path = rules
    editor = await rules_api.caller("editor", brand)
    documents = [
        rule_document("a", state="active", then=[{"reply": {"text": "Thank you!"}}]),
        rule_document("b", state="active", when={"text": {"any": ["thank you"]}}, then=[{"reply": {"text": "Welcome"}}]),
        rule_document("c", colour="red"),
        rule_document("d", examples=[{"text": "hello", "acts": True}]),
        "nothing",
    ]
    answer = await editor.post(f"{path}:lint", {"rules": documents})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [(item["id"], [(found["code"], found["pointer"]) for found in item["findings"]]) for item in items] == [
        ("a", [("self_triggering", "/then/0/reply/text/default/0")]),
        ("b", []),
        ("c", [("invalid", "/colour")]),
        ("d", [("example_failed", "/examples/0"), ("slot_always_taken", "/then/0")]),
        ("", [("invalid", "")]),
    ]
    assert (await editor.get(path)).json()["items"] == []
    assert (await editor.post(f"{path}:lint", {"rules": []})).status_code == 422
    viewer = await rules_api.caller("viewer", brand)
    assert (await viewer.post(f"{path}:lint", {"rules": documents})).status_code == 403
