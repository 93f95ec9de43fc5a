"""An error of the checks is never wrong: what is said never to act never does, over random rules and events."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.adapters.matching import build_matcher
from rules.domain.checking.checks import findings
from rules.domain.checking.findings import Finding
from rules.domain.checking.rivals import Rivals
from rules.domain.checking.terms import Term, implies
from rules.domain.decision import CobraLevel, LimitScope, Reason, RuleLimit
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.explain import found_terms
from rules.domain.leaves import (
    All,
    Any,
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
from rules.domain.matching.index import Snapshot
from rules.domain.model import BrandSettings, Experiment, Hide, PrivateReply, Reply, Rule, Schedule, Tag, Where
from rules.domain.state import EMPTY

Rules = Callable[..., Rule]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
ACME = BrandSettings("acme")
WORDS, CONTAINS, EXACT, PREFIX, REGEX = TextMode
REPLY = Reply(texts={"default": ("Thank you",)})


def found(rule: Rule, *others: Rule) -> tuple[Finding, ...]:
    return findings(rule, Rivals(others), ACME, now=NOW, factory=build_matcher)


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
