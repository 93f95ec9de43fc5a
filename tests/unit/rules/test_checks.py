"""Static checks: each finding with its place."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from rules.adapters.matching import build_matcher
from rules.domain.checking.checks import findings
from rules.domain.checking.findings import Finding
from rules.domain.checking.rivals import Rivals
from rules.domain.decision import CobraLevel, LimitScope, RuleLimit
from rules.domain.leaves import (
    All,
    Any,
    AuthorLeaf,
    CobraLeaf,
    Condition,
    HasLeaf,
    LanguageLeaf,
    Not,
    RatingLeaf,
    SentimentLeaf,
    TextLeaf,
    TextMode,
    ThreadLeaf,
)
from rules.domain.model import BrandSettings, Experiment, Handoff, Hide, Like, PrivateReply, Reply, Rule, Schedule, Tag, Where

Rules = Callable[..., Rule]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
ACME = BrandSettings("acme")
WORDS, CONTAINS, EXACT, PREFIX, REGEX = TextMode


def found(rule: Rule, *others: Rule, settings: BrandSettings = ACME) -> tuple[Finding, ...]:
    return findings(rule, Rivals(others), settings, now=NOW, factory=build_matcher)


def codes(rule: Rule, *others: Rule, settings: BrandSettings = ACME) -> list[tuple[str, str, str]]:
    return [(finding.severity, finding.code, finding.pointer) for finding in found(rule, *others, settings=settings)]


def languages(*tags: str) -> LanguageLeaf:
    return LanguageLeaf(frozenset(tags))


def test_a_good_rule_has_no_findings(rule: Rules) -> None:
    good = rule(
        when=All((TextLeaf(("price", "how much"), ("giveaway",)), languages("en", "de"), Not(RatingLeaf(at_most=2)))),
        schedule=Schedule("Europe/Berlin", from_=date(2026, 1, 1)),
        limits=(RuleLimit(LimitScope.AUTHOR, 1),),
    )
    assert codes(good, rule("other", when=TextLeaf(("refund",)))) == []


@pytest.mark.parametrize(
    ("when", "pointer"),
    [
        (TextLeaf(("price",), ("price",)), "/when/text/none"),
        (TextLeaf(("price list", "price tag"), ("price",)), "/when/text/none"),
        (All((TextLeaf(("e-mail",)), TextLeaf((), ("mail", "email")))), "/when/all/1/text/none"),
        (All((TextLeaf(("a b", "c d")), TextLeaf((), ("a",)), TextLeaf((), ("d",)))), "/when/all/2/text/none"),
        (All((TextLeaf(("price",)), Not(TextLeaf(("pric",), mode=CONTAINS)))), "/when/all/1/not/text/any"),
        (All((languages("de"), languages("en", "fr"))), "/when/all/1/language"),
        (All((languages("pt-br"), Not(languages("pt")))), "/when/all/1/not/language"),
        (SentimentLeaf(at_least="positive", at_most="neutral"), "/when/sentiment"),
        (All((SentimentLeaf(below=-0.3), SentimentLeaf(above=-0.3))), "/when/all/1/sentiment"),
        (SentimentLeaf(above=1.0), "/when/sentiment"),
        (All((RatingLeaf(at_most=2), RatingLeaf(at_least=4))), "/when/all/1/rating"),
        (All((RatingLeaf(at_most=2), Not(RatingLeaf(at_most=3)))), "/when/all/1/not/rating"),
        (AuthorLeaf(followers_at_least=10, followers_at_most=5), "/when/author"),
        (All((AuthorLeaf(verified=True), AuthorLeaf(verified=False))), "/when/all/1/author"),
        (All((AuthorLeaf(first_contact=True), AuthorLeaf(first_contact=False))), "/when/all/1/author"),
        (AuthorLeaf(segments=frozenset({"vip"}), not_in=frozenset({"vip", "staff"})), "/when/author"),
        (All((CobraLeaf(at_least=CobraLevel.CREATING), CobraLeaf(at_most=CobraLevel.CONTRIBUTING))), "/when/all/1/cobra"),
        (All((HasLeaf(("image", "question")), Not(HasLeaf(("image",))))), "/when/all/1/not/has"),
        (All((ThreadLeaf(depth_at_least=2), ThreadLeaf(depth_at_most=1))), "/when/all/1/thread"),
        (Not(Any((TextLeaf(("price",)), TextLeaf((), ("price",))))), "/when/not/any/0/text/any"),
        (Any((All((languages("de"), languages("en"))), TextLeaf(("x",), ("x",)))), "/when"),
    ],
)
def test_conditions_that_can_never_hold(rule: Rules, when: Condition, pointer: str) -> None:
    assert codes(rule(when=when))[0] == ("error", "contradictory", pointer)


@pytest.mark.parametrize(
    "when",
    [
        TextLeaf(("price", "cost"), ("price",)),
        TextLeaf(("price",), ("price list",)),
        TextLeaf(("price",), ("ice",)),
        TextLeaf(("pri",), ("price",), CONTAINS),
        TextLeaf(("price",), ("PRICE LIST",), EXACT),
        All((TextLeaf(("sooo",), squeeze=True), TextLeaf((), ("sooo",)))),
        All((languages("pt"), languages("pt-br"))),
        All((languages("pt"), Not(languages("pt-br")))),
        All((RatingLeaf(at_most=3), RatingLeaf(at_least=3))),
        All((SentimentLeaf(at_most="neutral"), SentimentLeaf(at_least="neutral", above=-0.1))),
        All((AuthorLeaf(segments=frozenset({"vip", "press"})), AuthorLeaf(not_in=frozenset({"vip"})))),
        Any((languages("de"), languages("en"))),
        All((HasLeaf(("image",)), Not(HasLeaf(("image", "question"))))),
    ],
)
def test_conditions_that_can_hold(rule: Rules, when: Condition) -> None:
    assert [code for severity, code, _ in codes(rule(when=when)) if severity == "error"] == []


@pytest.mark.parametrize(
    ("where", "when", "pointer"),
    [
        (Where(kinds=frozenset({"reply"}), top_level_only=True), None, "/where/top_level_only"),
        (Where(top_level_only=True), ThreadLeaf(depth_at_least=2), "/when/thread"),
        (Where(kinds=frozenset({"comment"})), CobraLeaf(at_least=CobraLevel.CREATING), "/when/cobra"),
        (Where(objects_only=frozenset({"1"}), objects_except=frozenset({"1", "2"})), None, "/where/objects/except"),
    ],
)
def test_places_that_do_not_exist(rule: Rules, where: Where, when: Condition | None, pointer: str) -> None:
    assert codes(rule(where=where, when=when)) == [("error", "contradictory", pointer)]


def test_the_words_of_a_contradiction(rule: Rules) -> None:
    (finding,) = found(rule(when=All((languages("de"), Not(languages("de"))))))
    assert finding.detail == "can never hold: language (any 'de') and not language (any 'de') exclude each other"


def test_an_alternative_that_can_never_hold_is_a_warning(rule: Rules) -> None:
    half = rule(when=Any((TextLeaf(("a",), ("a",)), All((languages("de"), Any((TextLeaf(("b",)), languages("en"))))))))
    assert codes(half) == [("warning", "branch_never_holds", "/when/any/0")]


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        (Schedule(weekdays=frozenset({0}), from_=date(2026, 3, 3), until=date(2026, 3, 8)), "never_open"),
        (Schedule(from_=date(2026, 3, 3), until=date(2026, 3, 3), except_=frozenset({date(2026, 3, 3)})), "never_open"),
        (Schedule(until=date(2026, 2, 27)), "schedule_over"),
        (Schedule("Asia/Tokyo", until=date(2026, 2, 27), hours=((1320, 360),)), "schedule_over"),
        (Schedule(until=date(2026, 2, 28)), ""),
        (Schedule(until=date.max, from_=date.min), ""),
        (Schedule(until=date.max, from_=date.max, except_=frozenset({date.max})), "never_open"),
        (Schedule(from_=date(2030, 1, 1)), ""),
    ],
)
def test_schedules_that_never_open(rule: Rules, schedule: Schedule, code: str) -> None:
    assert [found for _, found, _ in codes(rule(schedule=schedule))] == ([code] if code else [])


def test_a_rule_behind_one_that_stops(rule: Rules) -> None:
    ahead = rule("ahead", priority=1, when=TextLeaf(("price",)), stop=True, then=(Tag(tags=("x",)),))
    assert codes(rule(when=TextLeaf(("price list",))), ahead) == [("error", "shadowed", "")]


REPLY = Reply(texts={"default": ("Thank you",)})


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({"priority": 200}, {}),
        ({"stop": False}, {}),
        ({"when": TextLeaf(("price tag",))}, {}),
        ({"when": TextLeaf(("price",), ("cheap",))}, {}),
        ({"where": Where(platforms=frozenset({"x"}))}, {}),
        ({"where": Where(kinds=frozenset({"comment"}))}, {}),
        ({"limits": (RuleLimit(LimitScope.AUTHOR, 1),)}, {}),
        ({"schedule": Schedule()}, {}),
        ({"freshness_seconds": 60.0}, {}),
        ({"test": Experiment("x", 0.5)}, {}),
        ({"then": (Reply(texts={"de": ("Danke",)}),)}, {}),
        ({"then": (REPLY,)}, {"then": (REPLY, Tag(tags=("x",)))}),
        ({"then": (REPLY,)}, {"then": (PrivateReply(texts={"default": ("x",)}),)}),
        ({}, {"where": Where(kinds=frozenset({"reaction"})), "then": (Tag(tags=("y",)),)}),
    ],
)
def test_what_is_not_shadowed(rule: Rules, changes: dict[str, object], own: dict[str, object]) -> None:
    fields = {"priority": 1, "when": TextLeaf(("price",)), "stop": True, "then": (Tag(tags=("x",)),), **changes}
    behind = rule(**{"when": TextLeaf(("price list",)), **own})
    assert "shadowed" not in [code for _, code, _ in codes(behind, rule("ahead", **fields))]


def test_a_slot_that_is_always_taken(rule: Rules) -> None:
    ahead = rule("ahead", priority=1, then=(REPLY, Hide()))
    behind = rule(then=(Tag(tags=("x",)), Reply(texts={"de": ("Danke",)}), Like()))
    assert codes(behind, ahead) == [("warning", "slot_always_taken", "/then/1"), ("warning", "slot_always_taken", "/then/2")]


def test_a_twin(rule: Rules) -> None:
    one, two = (rule(name, when=TextLeaf(("a",)), then=(Tag(tags=("x",)),)) for name in ("one", "two"))
    assert codes(two, one) == codes(one, two) == [("warning", "duplicate", "")]
    assert codes(one, one) == []


def test_terms_that_add_nothing(rule: Rules) -> None:
    leaf = TextLeaf(("price list", "price", "PRICE", "e-mail", "email"), ("give", "giveaway"))
    details = {finding.pointer: finding.detail for finding in found(rule(when=All((leaf,))))}
    assert details == {
        "/when/all/0/text/any/0": "'price list' adds nothing: wherever it is found, 'price' is found too",
        "/when/all/0/text/any/2": "'PRICE' adds nothing: wherever it is found, 'price' is found too",
        "/when/all/0/text/any/4": "'email' adds nothing: wherever it is found, 'e-mail' is found too",
    }
    loose = rule(when=TextLeaf((), ("give", "giveaway"), PREFIX))
    assert codes(loose) == [("warning", "covered_term", "/when/text/none/1")]


def test_an_expression_that_matches_everything(rule: Rules) -> None:
    assert codes(rule(when=TextLeaf(("pri.*", "x*"), mode=REGEX))) == [("error", "matches_everything", "/when/text/any/1")]


def test_languages_without_a_text(rule: Rules) -> None:
    acme = BrandSettings("acme", languages=("en", "de", "pt-BR"))
    texts = {"en": ("Hi",), "pt": ("Oi",)}
    silent = rule(then=(Tag(tags=("x",)), Reply(texts=texts)))
    assert codes(silent, settings=acme) == [("warning", "missing_language", "/then/1/reply/text")]
    assert codes(rule(then=(Reply(texts=texts),), when=languages("en", "pt")), settings=acme) == []
    assert codes(rule(then=(Reply(texts={**texts, "default": ("x",)}),)), settings=acme) == []


def test_placeholders_that_nothing_fills(rule: Rules) -> None:
    texts = {"default": ("Hi {{author.first_name|there}}", "Take {{coupon|none}} at {{link.shop|our shop}}")}
    (finding,) = found(rule(then=(Reply(texts=texts),)))
    assert (finding.severity, finding.code, finding.pointer) == (
        "warning",
        "placeholder_unfilled",
        "/then/0/reply/text/default/1",
    )
    assert "'coupon'" in finding.detail


def test_a_text_that_the_disclosure_makes_too_long(rule: Rules) -> None:
    long = rule(
        where=Where(platforms=frozenset({"instagram"})), then=(Reply(texts={"en": ("x" * 2190, "x"), "de": ("x" * 2190,)}),)
    )
    acme = BrandSettings("acme", disclosures={"default": "(automatic answer)", "de": "(Bot)"})
    assert codes(long) == []
    (finding,) = found(long, settings=acme)
    assert (finding.severity, finding.code, finding.pointer) == ("warning", "too_long", "/then/0/reply/text/en/0")
    assert "2209 characters, instagram allows 2200" in finding.detail


def test_what_cannot_be_done_to_a_private_message(rule: Rules) -> None:
    private = rule(where=Where(kinds=frozenset({"message"})), then=(Hide(), REPLY, Handoff(queue="x")))
    assert codes(private) == [("warning", "action_impossible", "/then/0/hide")]
