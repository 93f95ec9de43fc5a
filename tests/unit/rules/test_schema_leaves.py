"""Leaves and webhooks of the document: what is taken, in which short forms, and what is refused where."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.adapters.schema.document import RuleDocument, document_bytes, to_rule
from rules.domain.decision import CobraLevel
from rules.domain.leaves import (
    AuthorLeaf,
    CobraLeaf,
    Condition,
    HasLeaf,
    LanguageLeaf,
    RatingLeaf,
    SentimentLeaf,
    TextLeaf,
    TextMode,
    ThreadLeaf,
)
from rules.domain.model import Notify


def document(**changes: Any) -> dict[str, Any]:
    return {"id": "r", "then": [{"tag": "x"}], **changes}


def findings(content: object) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as refusal:
        RuleDocument.model_validate(content)
    return {error["loc"]: error["type"] for error in refusal.value.errors()}


def message(content: object) -> str:
    with pytest.raises(ValidationError) as refusal:
        RuleDocument.model_validate(content)
    return str(refusal.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("when", "leaf"),
    [
        ({"text": {"any": ["pric"], "as": "prefix"}}, TextLeaf(("pric",), mode=TextMode.PREFIX)),
        ({"text": {"none": r"\bfoo\b", "as": "regex"}}, TextLeaf((), (r"\bfoo\b",), TextMode.REGEX)),
        ({"text": {"any": ["x" * 400], "as": "regex"}}, TextLeaf(("x" * 400,), mode=TextMode.REGEX)),
        ({"language": "de"}, LanguageLeaf(frozenset({"de"}))),
        ({"language": ["EN", "pt_BR"]}, LanguageLeaf(frozenset({"en", "pt-br"}))),
        ({"sentiment": "negative"}, SentimentLeaf("negative", "negative")),
        ({"sentiment": {"at_most": "neutral"}}, SentimentLeaf(at_most="neutral")),
        ({"sentiment": {"at_least": "neutral", "above": 0}}, SentimentLeaf(at_least="neutral", above=0)),
        ({"sentiment": {"below": -0.3}}, SentimentLeaf(below=-0.3)),
        ({"author": {"followers_at_least": 0}}, AuthorLeaf(followers_at_least=0)),
        (
            {"author": {"segments": "vip", "not_in": ["staff"]}},
            AuthorLeaf(segments=frozenset({"vip"}), not_in=frozenset({"staff"})),
        ),
        ({"author": {"verified": False, "first_contact": False}}, AuthorLeaf(verified=False, first_contact=False)),
        ({"rating": {"at_least": 1, "at_most": 2.5}}, RatingLeaf(1, 2.5)),
        ({"cobra": "creating"}, CobraLeaf(CobraLevel.CREATING, CobraLevel.CREATING)),
        ({"cobra": {"at_least": "consuming"}}, CobraLeaf(CobraLevel.CONSUMING)),
        ({"has": "image"}, HasLeaf(("image",))),
        ({"has": ["spam", "hashtag:#Summer26", "mention:Anna.M"]}, HasLeaf(("spam", "hashtag:summer26", "mention:anna.m"))),
        ({"thread": {"depth_at_most": 3, "human_active": False}}, ThreadLeaf(depth_at_most=3)),
        ({"thread": {"human_active": False}}, ThreadLeaf()),
    ],
)
def test_what_is_taken_and_what_it_means(when: dict[str, Any], leaf: Condition) -> None:
    content = document(when=when)
    assert to_rule("acme", 1, content).when == leaf
    assert to_rule("acme", 1, document_bytes(content)).when == leaf


@pytest.mark.parametrize(
    ("when", "place", "kind"),
    [
        ({"language": []}, ("language",), "too_short"),
        ({"language": [False]}, ("language", 0), "quote"),
        ({"language": ["english!"]}, ("language", 0), "language"),
        ({"sentiment": {}}, ("sentiment",), "empty"),
        ({"sentiment": "angry"}, ("sentiment", "at_least"), "literal_error"),
        ({"sentiment": {"at_least": "positive", "at_most": "neutral"}}, ("sentiment", "at_most"), "contradiction"),
        ({"sentiment": {"below": 0.1, "above": 0.1}}, ("sentiment", "above"), "contradiction"),
        ({"sentiment": {"below": -1}}, ("sentiment", "below"), "greater_than"),
        ({"sentiment": {"above": 1}}, ("sentiment", "above"), "less_than"),
        ({"sentiment": {"below": "low"}}, ("sentiment", "below"), "number"),
        ({"author": {}}, ("author",), "empty"),
        ({"author": {"followers_at_least": -1}}, ("author", "followers_at_least"), "greater_than_equal"),
        ({"author": {"followers_at_least": 5, "followers_at_most": 4}}, ("author", "followers_at_most"), "contradiction"),
        ({"author": {"verified": "yes"}}, ("author", "verified"), "bool_type"),
        ({"author": {"segments": ["vip"], "not_in": ["vip", "x"]}}, ("author", "not_in"), "contradiction"),
        ({"author": {"segments": ["V I P"]}}, ("author", "segments", 0), "string_pattern_mismatch"),
        ({"author": {"shoe_size": 44}}, ("author", "shoe_size"), "extra_forbidden"),
        ({"rating": {}}, ("rating",), "empty"),
        ({"rating": {"at_least": 0}}, ("rating", "at_least"), "greater_than_equal"),
        ({"rating": {"at_most": True}}, ("rating", "at_most"), "number"),
        ({"rating": {"at_most": float("nan")}}, ("rating", "at_most"), "greater_than_equal"),
        ({"rating": {"at_most": 6}}, ("rating", "at_most"), "less_than_equal"),
        ({"rating": {"at_least": 3, "at_most": 2}}, ("rating", "at_most"), "contradiction"),
        ({"cobra": "lurking"}, ("cobra", "at_least"), "literal_error"),
        ({"cobra": {"at_least": "creating", "at_most": "consuming"}}, ("cobra", "at_most"), "contradiction"),
        ({"has": []}, ("has",), "too_short"),
        ({"has": ["audio"]}, ("has", 0), "feature"),
        ({"has": ["image", "hashtag:"]}, ("has", 1), "feature"),
        ({"has": ["hashtag:two words"]}, ("has", 0), "feature"),
        ({"has": [True]}, ("has", 0), "quote"),
        ({"thread": {}}, ("thread",), "empty"),
        ({"thread": {"human_active": True}}, ("thread", "human_active"), "human_active"),
        ({"thread": {"depth_at_least": 2, "depth_at_most": 1}}, ("thread", "depth_at_most"), "contradiction"),
        ({"thread": {"depth_at_least": 3}}, ("thread", "depth_at_least"), "depth"),
        ({"thread": {"depth_at_most": -1}}, ("thread", "depth_at_most"), "greater_than_equal"),
    ],
)
def test_what_is_wrong_in_a_leaf_is_named_at_its_place(when: dict[str, Any], place: tuple[str | int, ...], kind: str) -> None:
    found = findings(document(when={"not": when}))
    assert found[("when", "not", *place)] == kind


def test_messages_say_what_to_do() -> None:
    assert "a person of the brand is writing" in message(document(when={"thread": {"human_active": True}}))
    assert "at_least positive and at_most neutral" in message(
        document(when={"sentiment": {"at_least": "positive", "at_most": "neutral"}})
    )
    assert "by `none`" in message(document(when={"text": {"any": ["a(?!b)"], "as": "regex"}}))


def notify(url: object, **changes: Any) -> dict[str, Any]:
    return document(then=[{"notify": {"url": url, "secret_ref": "crm", **changes}}])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://hooks.example.com:8443/path?query=1&x=%C3%A4",
        "https://xn--bcher-kva.example/",
        "https://1password.com/x",
        "https://crm/hook",
    ],
)
def test_webhooks_go_to_named_hosts_by_https(url: str) -> None:
    assert to_rule("acme", 1, notify(url)).then == (Notify(url=url, secret_ref="crm"),)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "HTTPS://example.com",
        "ftp://example.com",
        "example.com",
        "https://",
        "https:///path",
        "https://user:password@example.com",
        "https://user@example.com",
        "https://example.com#x",
        "https://example.com/#",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://10.0.0.1.:443/",
        "https://bücher.example/",
        "https://example.com/ä",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com\\@evil.example/",
        "https://example.com/\n",
        "https://example..com/",
        "https://-example.com/",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://example.com:x/",
        "https://{{author.handle}}.example.com/",
    ],
)
def test_webhooks_to_anything_else_are_refused(url: str) -> None:
    assert findings(notify(url)) == {("then", 0, "notify", "url"): "url"}


def test_a_webhook_has_an_address_of_bounded_length_and_the_name_of_a_secret() -> None:
    longest = "https://example.com/" + "x" * (2048 - 20)
    assert to_rule("acme", 1, notify(longest)).rule_id == "r"
    assert findings(notify(longest + "x")) == {("then", 0, "notify", "url"): "string_too_long"}
    assert findings(notify("https://example.com", secret_ref="the secret itself")) == {
        ("then", 0, "notify", "secret_ref"): "string_pattern_mismatch"
    }
    assert findings(document(then=[{"notify": {"url": "https://example.com"}}])) == {
        ("then", 0, "notify", "secret_ref"): "missing"
    }
