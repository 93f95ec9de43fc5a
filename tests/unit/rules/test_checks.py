"""Static checks: each finding with its place, and that an error is never wrong."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.adapters.matching import build_matcher
from rules.domain.checks import findings
from rules.domain.decision import CobraLevel, LimitScope, Reason, RuleLimit
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.explain import found_terms
from rules.domain.findings import Finding
from rules.domain.index import Snapshot
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
from rules.domain.rivals import Rivals
from rules.domain.state import EMPTY
from rules.domain.terms import Term, implies

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
    assert "'coupon', 'link.shop'" in finding.detail


def test_what_cannot_be_done_to_a_private_message(rule: Rules) -> None:
    private = rule(where=Where(kinds=frozenset({"message"})), then=(Hide(), REPLY, Handoff(queue="x")))
    assert codes(private) == [("warning", "action_impossible", "/then/0/hide")]


# Random rules and events over a small world, in which much coincides.

TERMS = ("a", "a b", "b", "ab", "aab", "a-b", "b a", "c")
terms = st.lists(st.sampled_from(TERMS), min_size=1, max_size=2).map(tuple)
bounds = st.sampled_from((None, 1, 2, 3))
scores = st.sampled_from((None, -1.0, -0.3, 0.0, 1.0))
words = st.sampled_from(("", "negative", "neutral", "positive"))
segments = st.frozensets(st.sampled_from(("vip", "staff")), max_size=2)
maybe = st.sampled_from((None, True, False))
modes = st.sampled_from((WORDS, WORDS, CONTAINS, PREFIX, EXACT))
leaves = st.one_of(
    st.builds(TextLeaf, terms, st.one_of(st.just(()), terms), modes, st.booleans()),
    st.builds(TextLeaf, st.just(()), terms, modes, st.booleans()),
    st.builds(LanguageLeaf, st.frozensets(st.sampled_from(("de", "pt", "pt-br")), min_size=1)),
    st.builds(SentimentLeaf, words, words, scores, scores),
    st.builds(AuthorLeaf, bounds, bounds, maybe, segments, segments, maybe),
    st.builds(RatingLeaf, bounds, bounds),
    st.builds(CobraLeaf, st.sampled_from(CobraLevel), st.sampled_from(CobraLevel)),
    st.builds(HasLeaf, st.lists(st.sampled_from(("image", "question", "link")), min_size=1, max_size=2).map(tuple)),
    st.builds(ThreadLeaf, bounds, bounds),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda of: All(tuple(of))),
        st.lists(inner, min_size=1, max_size=3).map(lambda of: Any(tuple(of))),
        inner.map(Not),
    ),
    max_leaves=5,
)
wheres = st.builds(
    Where,
    platforms=st.sampled_from((frozenset(), frozenset({"facebook"}), frozenset({"facebook", "x"}))),
    kinds=st.sampled_from((frozenset(), frozenset({"comment"}), frozenset({"comment", "reply"}), frozenset({"reply"}))),
    objects_only=st.sampled_from((frozenset(), frozenset({"p"}))),
    objects_except=st.sampled_from((frozenset(), frozenset({"p"}), frozenset({"q"}))),
    top_level_only=st.booleans(),
    ads=st.sampled_from(("include", "exclude", "only")),
)
actions = st.sampled_from(
    (REPLY, Reply(texts={"de": ("Danke",)}), PrivateReply(texts={"default": ("x",)}), Hide(), Tag(tags=("x",)))
)


@st.composite
def rule_sets(draw: st.DrawFn) -> list[dict[str, object]]:
    """Draw rules that have much in common: from few conditions and places, alone or together."""
    pool = draw(st.lists(conditions, min_size=1, max_size=2))
    shared = st.sampled_from(pool)
    whens = st.one_of(st.none(), shared, st.builds(lambda one, other: All((one, other)), shared, conditions), conditions)
    places = draw(st.lists(wheres, min_size=1, max_size=2))
    return draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "where": st.sampled_from((Where(), *places)),
                    "when": whens,
                    "priority": st.sampled_from((1, 2)),
                    "then": st.lists(actions, min_size=1, max_size=2).map(tuple),
                    "stop": st.booleans(),
                    "limits": st.sampled_from(((), (RuleLimit(LimitScope.AUTHOR, 1),))),
                    "schedule": st.sampled_from((None, None, Schedule(weekdays=frozenset({6})))),
                    "freshness_seconds": st.sampled_from((86400.0, 86400.0, 0.5)),
                    "test": st.sampled_from((None, None, Experiment("x", 0.0))),
                }
            ),
            min_size=2,
            max_size=4,
        )
    )


UNDERSTOOD = [
    Understanding(language, 1.0, score, polarity, 1.0, frozenset(flags))
    for (language, flags), (score, polarity) in product(
        (("", ()), ("de", ("question",)), ("pt", ()), ("pt-br", ())),
        ((None, ""), (-0.5, "negative"), (0.0, "neutral"), (0.9, "positive")),
    )
]
events = st.fixed_dictionaries(
    {
        "text": st.lists(st.sampled_from((*TERMS, "aaab", "A.B", "x?", "d")), max_size=4).map(" ".join),
        "platform": st.sampled_from(("facebook", "x")),
        "kind": st.sampled_from(("comment", "reply", "review", "message")),
        "root": st.sampled_from(("", "p", "q")),
        "parent": st.sampled_from(("", "p", "c")),
        "followers": bounds,
        "verified": maybe,
        "rating": bounds,
        "media": st.sampled_from(((), ("image",))),
        "ad": st.booleans(),
    }
)
SEGMENTS = {"vip": frozenset({"facebook:anna"}), "staff": frozenset({"x:anna"})}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ruled=rule_sets(),
    happened=st.lists(st.tuples(events, st.sampled_from(UNDERSTOOD)), min_size=8, max_size=16),
)
def test_a_rule_that_is_said_never_to_act_never_does(
    comment: Callable[..., Event],
    rule: Rules,
    snapshot: Callable[..., Snapshot],
    ruled: list[dict[str, object]],
    happened: list[tuple[dict[str, object], Understanding]],
) -> None:
    rules = [rule(f"r{number}", **fields) for number, fields in enumerate(ruled)]
    said = {one.rule_id: found(one, *rules) for one in rules}
    dead = {rule_id for rule_id, findings in said.items() if any(finding.severity == "error" for finding in findings)}
    taken = {
        (rule_id, int(finding.pointer.rpartition("/")[2]))
        for rule_id, findings in said.items()
        for finding in findings
        if finding.code == "slot_always_taken"
    }
    brand = snapshot(*rules, segments=SEGMENTS)
    state = EMPTY
    for number, (fields, understanding) in enumerate(happened):
        decision, state = evaluate(brand, state, comment(str(number), **fields), understanding)
        acted = {outcome.rule_id for outcome in decision.rules if outcome.reason is Reason.UNSPECIFIED}
        assert acted.isdisjoint(dead)
        assert taken.isdisjoint((action.rule_id, action.position) for action in decision.actions)


def test_a_term_that_implies_another_is_never_found_without_it(rng: Random) -> None:
    texts = (*TERMS, "a'b", "é", "🇩🇪", "🇩🇪🇫🇷", "aa", "aaa", "a🇩🇪")
    every = [Term(*fields) for fields in product(texts, (WORDS, CONTAINS, PREFIX, EXACT), (True, False))]
    pairs = [(one, other) for one, other in product(every, every) if one != other and implies(one, other)]
    assert len(pairs) > 300
    pieces = ("a", "b", " ", "-", "'", "c", "aaa", "é", "🇩🇪", "🇫🇷", ".", "ab", "@")
    tried = 0
    for _ in range(120):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 6)))
        present = found_terms(every, text, build_matcher)
        tried += len(present)
        assert [(one, other) for one, other in pairs if one in present and other not in present] == [], text
    assert tried > 500
