"""The document as people write it: what is taken, what is refused, and where."""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from rules.adapters.schema.document import RuleDocument, document_bytes, parse_document, to_rule
from rules.domain.decision import CobraLevel, LimitScope, Mode, RuleLimit
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.leaves import (
    All,
    AuthorLeaf,
    CobraLeaf,
    HasLeaf,
    LanguageLeaf,
    Not,
    RatingLeaf,
    SentimentLeaf,
    TextLeaf,
    TextMode,
    ThreadLeaf,
)
from rules.domain.leaves import (
    Any as AnyOf,
)
from rules.domain.matching.index import Snapshot
from rules.domain.model import (
    Delete,
    Enter,
    Experiment,
    Handoff,
    Hide,
    Like,
    Notify,
    PrivateReply,
    Reply,
    RequestRights,
    Rule,
    Schedule,
    Tag,
    Where,
)
from rules.domain.state import EMPTY

Documents = Callable[[], dict[str, Any]]


def minimal(**changes: Any) -> dict[str, Any]:
    return {"id": "r", "then": [{"reply": {"text": "Thanks"}}], **changes}


def findings(document: object) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as refusal:
        RuleDocument.model_validate(document)
    return {error["loc"]: error["type"] for error in refusal.value.errors()}


def test_the_whole_language_is_known(page: Documents) -> None:
    actions = to_rule("acme", 1, page()).then
    assert [action.campaign for action in actions if isinstance(action, Enter | RequestRights)] == ["summer-ugc", "summer-ugc"]


def test_the_rest_of_the_page_is_a_rule(supported: Documents) -> None:
    rule = to_rule("acme", 4, supported())
    assert rule == Rule(
        rule_id="price-question",
        version=4,
        brand="acme",
        name="Answer price questions",
        priority=100,
        where=Where(
            platforms=frozenset({"instagram", "facebook"}),
            channels=frozenset({"ig-main"}),
            kinds=frozenset({"comment"}),
            objects_except=frozenset({"1789_ad"}),
            top_level_only=True,
        ),
        when=All(
            (
                TextLeaf(("price", "how much", "сколько стоит"), ("giveaway",)),
                LanguageLeaf(frozenset({"en", "de", "ru"})),
                SentimentLeaf(at_most="neutral"),
                AuthorLeaf(1000, None, True, frozenset({"vip"}), frozenset({"staff"}), True),
                RatingLeaf(at_most=2),
                CobraLeaf(at_least=CobraLevel.CONTRIBUTING),
                HasLeaf(("image", "question")),
                ThreadLeaf(depth_at_most=3),
            )
        ),
        schedule=Schedule(
            "Europe/Berlin", frozenset({0, 1}), ((540, 1080),), date(2026, 1, 1), None, frozenset({date(2026, 12, 25)})
        ),
        limits=(
            RuleLimit(LimitScope.AUTHOR, 1, 86400.0),
            RuleLimit(LimitScope.AUTHOR_OBJECT, 1, None),
            RuleLimit(LimitScope.RULE, 500, 3600.0),
        ),
        then=(
            Reply(
                texts={"en": ("Hi {{author.first_name}}, it is 49 €.", "…"), "de": ("…",), "default": ("…",)}, delay=(20.0, 90.0)
            ),
            PrivateReply(texts={"en": ("…",)}, mode=Mode.APPROVAL),
            Hide(),
            Tag(tags=("price",)),
            Handoff(queue="sales", note="…"),
            Notify(url="https://example.com", secret_ref="crm"),
        ),
        stop=True,
        test=Experiment("greeting", 0.1),
    )


def test_the_page_s_examples_hold(supported: Documents, comment: Callable[..., Event], snapshot: Callable[..., Snapshot]) -> None:
    content = {**supported(), "test": {"share": 1, "experiment": "greeting"}}
    document = parse_document(content)
    brand = snapshot(document.to_domain("acme", 1), segments={"vip": frozenset({"instagram:anna"})})
    for example in document.examples:
        event = comment(text=example.text, media=("image",), followers=1000, verified=True, rating=1.0)
        decision, _ = evaluate(brand, EMPTY, event, Understanding(example.language or "en", 0.9, -0.1, "neutral"))
        assert bool(decision.actions) is example.acts, example.text


def test_the_canonical_form_is_stable_and_means_the_same(supported: Documents) -> None:
    data = document_bytes(supported())
    assert document_bytes(orjson.loads(data)) == data
    assert to_rule("acme", 1, data) == to_rule("acme", 1, supported())
    shuffled = dict(reversed(supported().items()))
    assert document_bytes(shuffled) == data
    assert list(orjson.loads(data)) == sorted(orjson.loads(data))


def test_short_forms_and_their_canonical_form() -> None:
    short = minimal(
        where={"platforms": "facebook", "kinds": "comment", "objects": {"only": 1789}},
        when={"any": [{"text": {"any": 100}}, {"not": {"text": {"none": "x", "as": "contains"}}}]},
        then=[{"reply": {"text": ["a", "b"]}}, "like", {"hide": None}, {"delete": {}}, {"tag": "price"}],
        schedule=None,
    )
    rule = to_rule("acme", 1, short)
    assert rule.where == Where(platforms=frozenset({"facebook"}), kinds=frozenset({"comment"}), objects_only=frozenset({"1789"}))
    assert rule.when == AnyOf((TextLeaf(("100",)), Not(TextLeaf((), ("x",), TextMode.CONTAINS))))
    assert rule.then == (Reply(texts={"default": ("a", "b")}), Like(), Hide(), Delete(Mode.APPROVAL), Tag(tags=("price",)))
    assert to_rule("acme", 1, document_bytes(short)) == rule


HOOK = {"url": "https://hooks.example.com:8443/a?b=c", "secret_ref": "crm"}


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"text": {"any": ["x"]}}
    for _ in range(depth - 1):
        node = {"not": node}
    return node


def reply(**content: Any) -> list[dict[str, Any]]:
    return [{"reply": content}]


@pytest.mark.parametrize(
    ("changes", "place", "kind"),
    [
        ({"surprise": 1}, ("surprise",), "extra_forbidden"),
        ({"id": "Not A Slug"}, ("id",), "string_pattern_mismatch"),
        ({"priority": "high"}, ("priority",), "int_type"),
        ({"stop": "yes"}, ("stop",), "bool_type"),
        ({"freshness": "1 day"}, ("freshness",), "duration"),
        ({"where": {"platforms": ["myspace"]}}, ("where", "platforms", 0), "literal_error"),
        ({"where": {"kinds": ["comment", "reaction"]}}, ("then", 0, "reply"), "unanswerable"),
        ({"where": {"kinds": ["follow"]}, "then": [{"tag": "x"}, "like"]}, ("then", 1, "like"), "unanswerable"),
        ({"where": {"objects": {"only": ["a\nb"]}}}, ("where", "objects", "only", 0), "text"),
        ({"when": {"text": {}}}, ("when", "text"), "empty"),
        ({"when": {}}, ("when",), "one_of"),
        ({"when": {"all": []}}, ("when", "all"), "too_short"),
        ({"when": {"text": {"any": ["x"]}, "not": {"text": {"any": ["y"]}}}}, ("when",), "one_of"),
        ({"when": {"text": {"any": ["x"], "as": "soundex"}}}, ("when", "text", "as"), "literal_error"),
        ({"when": {"text": {"any": ["x", "(?=y)"], "as": "regex"}}}, ("when", "text", "any", 1), "regex"),
        ({"when": {"text": {"none": ["x*"], "as": "regex"}}}, ("when", "text", "none", 0), "regex"),
        ({"when": {"text": {"any": ["x" * 401], "as": "regex"}}}, ("when", "text", "any", 0), "string_too_long"),
        ({"when": {"text": {"any": ["x"], "as": "regex", "squeeze": True}}}, ("when", "text", "squeeze"), "squeeze"),
        ({"when": {"text": {"any": [f"x{n}" for n in range(21)], "as": "regex"}}}, ("when",), "too_many_terms"),
        ({"when": {"text": {"any": ["fine", "@acme"]}}}, ("when", "text", "any", 1), "term"),
        ({"when": {"text": {"none": ["\u200b"]}}}, ("when", "text", "none", 0), "term"),
        ({"when": {"text": {"any": [True]}}}, ("when", "text", "any", 0), "quote"),
        ({"when": {"text": {"any": ["x" * 101]}}}, ("when", "text", "any", 0), "string_too_long"),
        ({"when": {"text": {"any": ["x"] * 501}}}, ("when", "text", "any"), "too_long"),
        ({"when": {"all": [{"text": {"any": ["x"] * 300}}, {"text": {"none": ["x"] * 300}}]}}, ("when",), "too_many_terms"),
        ({"when": nested(6)}, ("when",), "too_deep"),
        ({"when": nested(900)}, ("when",), "too_deep"),
        ({"schedule": {"timezone": "Mars/Base"}}, ("schedule", "timezone"), "timezone"),
        ({"schedule": {"timezone": "../../etc/passwd"}}, ("schedule", "timezone"), "timezone"),
        ({"schedule": {"hours": ["9-18"]}}, ("schedule", "hours", 0), "hours"),
        ({"schedule": {"hours": ["09:00-09:00"]}}, ("schedule", "hours", 0), "hours"),
        ({"schedule": {"hours": ["09:00-25:00"]}}, ("schedule", "hours", 0), "hours"),
        ({"schedule": {"from": "2026-02-01", "until": "2026-01-01"}}, ("schedule", "until"), "date"),
        ({"schedule": {"from": 5}}, ("schedule", "from"), "date"),
        ({"limits": [{"per": "planet"}]}, ("limits", 0, "per"), "literal_error"),
        ({"limits": [{"per": "author", "at_most": 0}]}, ("limits", 0, "at_most"), "greater_than_equal"),
        ({"limits": [{"per": "author", "within": "24"}]}, ("limits", 0, "within"), "duration"),
        ({"limits": [{"per": "author", "within": 24}]}, ("limits", 0, "within"), "string_type"),
        ({"then": []}, ("then",), "too_short"),
        ({"then": [{"tag": ["x"]}] * 21}, ("then",), "too_long"),
        ({"then": [{"tag": ["x"], "hide": {}}]}, ("then", 0), "one_of"),
        ({"then": [{"dance": {}}]}, ("then", 0, "dance"), "extra_forbidden"),
        ({"then": [{"delete": {"mode": "auto"}}]}, ("then", 0, "delete", "mode"), "mode"),
        ({"then": reply(text={"en": ["{{7*7}}"]})}, ("then", 0, "reply", "text", "en", 0), "template"),
        ({"then": reply(text={"en": ["ok", "{{coupon}}"]})}, ("then", 0, "reply", "text", "en", 1), "template"),
        ({"then": reply(text={"en": [" "]})}, ("then", 0, "reply", "text", "en", 0), "template"),
        ({"then": reply(text={"en": ["x" * 2201]})}, ("then", 0, "reply", "text", "en", 0), "too_long"),
        ({"then": reply(text={"en": ["x" * 2170 + "{{author.first_name}}"]})}, ("then", 0, "reply", "text", "en", 0), "too_long"),
        ({"then": reply(text={"en": ["x"] * 21})}, ("then", 0, "reply", "text", "en"), "too_long"),
        ({"then": reply(text={})}, ("then", 0, "reply", "text"), "too_short"),
        ({"then": reply(text={False: ["nei"]})}, ("then", 0, "reply", "text"), "quote"),
        ({"then": reply(text={"english!": ["x"]})}, ("then", 0, "reply", "text"), "language"),
        ({"then": reply(text="x", delay="90s-20s")}, ("then", 0, "reply", "delay"), "delay"),
        ({"then": reply(text="x", delay="2d")}, ("then", 0, "reply", "delay"), "delay"),
        ({"then": [{"private_reply": {"text": "ä" * 501}}]}, ("then", 0, "private_reply", "text", "default", 0), "too_long"),
        ({"examples": [{"text": "x"}]}, ("examples", 0, "acts"), "missing"),
        ({"test": {"share": 1.5, "experiment": "x"}}, ("test", "share"), "less_than_equal"),
        ({"test": {"share": 0.5}}, ("test", "experiment"), "missing"),
        ({"test": {"share": 0.5, "experiment": "Not A Slug"}}, ("test", "experiment"), "string_pattern_mismatch"),
    ],
)
def test_what_is_wrong_is_named_at_its_place(changes: dict[str, Any], place: tuple[str | int, ...], kind: str) -> None:
    assert findings(minimal(**changes)) == {place: kind}


def test_a_field_that_does_not_exist_is_told_with_what_was_meant_and_the_other_faults_with_it() -> None:
    changes = {"when": {"all": [{"text": {"anny": ["x"]}}, {"txt": {"any": ["x"]}}]}, "priority": "high", "dance": 1}
    with pytest.raises(ValidationError) as refusal:
        RuleDocument.model_validate(minimal(**changes))
    told = {fault["loc"]: fault["msg"] for fault in refusal.value.errors()}
    assert told["when", "all", 0, "text", "anny"] == "there is no field 'anny' here; did you mean 'any'?"
    assert told["when", "all", 1, "txt"] == "there is no field 'txt' here; did you mean 'text'?"
    assert told["dance",].startswith("there is no field 'dance' here; known are id, name, ")
    assert "integer" in told["priority",]


@pytest.mark.parametrize(
    "changes",
    [
        {"where": {"kinds": ["reaction", "follow"]}, "then": [{"tag": "x"}, {"handoff": {"queue": "q"}}, {"notify": HOOK}]},
        {"where": {"platforms": ["facebook"]}, "then": reply(text="x" * 8000)},
        {"where": {"platforms": ["facebook"]}, "then": [{"private_reply": {"text": "ä" * 2000}}]},
        {"freshness": "7d", "then": reply(text="x", delay="2d")},
        {"when": nested(5)},
        {"when": {"text": {"any": ["@acme"], "as": "exact"}}},
        {"then": reply(text="{{coupon|SAVE10}}")},
        {"limits": [{"per": scope} for scope in ("author", "author_object", "object", "thread", "rule", "brand")]},
        {"schedule": {"hours": ["22:00-06:00", "00:00-24:00"]}},
    ],
)
def test_what_is_just_within_bounds_is_taken(changes: dict[str, Any]) -> None:
    assert to_rule("acme", 1, minimal(**changes)).rule_id == "r"


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b"null", b"5", b'"x"', b'{"id":"\xff"}', b"[" * 5000])
def test_bytes_that_are_no_document(document: bytes) -> None:
    with pytest.raises(ValidationError):
        to_rule("acme", 1, document)


@pytest.mark.parametrize("value", [{"$gt": ""}, [], 5, True, "x" * 100_000, {"a": {"b": 1}}, ["\x00"]])
def test_a_foreign_value_anywhere_is_refused_or_harmless_but_never_an_error_of_ours(supported: Documents, value: object) -> None:
    for name in supported():
        document = copy.deepcopy(supported())
        document[name] = value
        try:
            rule = to_rule("acme", 1, document)
        except ValidationError as refusal:
            places = [error["loc"][0] for error in refusal.errors()]
            assert set(places) == {name}
            continue
        assert rule.brand == "acme"
