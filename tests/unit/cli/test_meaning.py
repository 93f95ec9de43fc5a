"""Two forms of one rule mean the same; two rules never do."""

from typing import Any

import pytest

from antiphon_cli.meaning import digest, meaning

LONG: dict[str, Any] = {
    "id": "a",
    "state": "draft",
    "where": {"platforms": ["facebook"], "kinds": ["comment"]},
    "when": {"all": [{"text": {"any": ["49", "price"]}}, {"language": ["en"]}, {"rating": {"at_most": 2.0}}]},
    "then": [{"reply": {"text": {"default": ["It is 49 €"], "pt-br": ["São 49 €"]}}}, {"hide": {}}, {"tag": ["price"]}],
}

SHORT: dict[str, Any] = {
    "then": [{"reply": {"text": {"pt_BR": "São 49 €", "default": "It is 49 €"}}}, "hide", {"tag": "price"}],
    "where": {"kinds": "comment", "platforms": "facebook", "channels": None},
    "when": {"all": [{"text": {"any": [49, "price"]}}, {"language": "en"}, {"rating": {"at_most": 2}}]},
    "schedule": None,
    "id": "a",
}


def test_short_and_long_forms_mean_the_same() -> None:
    assert digest(LONG) == digest(SHORT)
    assert digest({**SHORT, "then": [{"reply": {"text": "Hi"}}]}) == digest(
        {**SHORT, "then": [{"reply": {"text": {"default": ["Hi"]}}}]}
    )
    assert digest({**SHORT, "then": [{"hide": None}]}) == digest({**SHORT, "then": ["hide"]})


@pytest.mark.parametrize(
    "change",
    [
        {"state": "active"},
        {"then": ["unhide"]},
        {"then": ["hide", "hide"]},
        {"when": {"not": {"language": "en"}}},
        {"stop": True},
        {"where": {"platforms": "facebook", "kinds": ["comment", "reply"]}},
        {"priority": 7},
    ],
)
def test_any_other_word_is_another_meaning(change: dict[str, Any]) -> None:
    assert digest({**SHORT, **change}) != digest(SHORT)


def test_the_order_of_actions_and_terms_is_meant() -> None:
    assert digest({"then": ["hide", "like"]}) != digest({"then": ["like", "hide"]})


def test_nothing_has_no_fingerprint_and_only_rules_have_a_state() -> None:
    assert digest(None) == ""
    assert "state" not in meaning({"name": "Acme"})
    assert meaning({"id": "a", "then": ["hide"]})["state"] == "draft"
