"""Explanations: every part of a rule with its result and the values compared."""

from collections.abc import Callable
from datetime import date

import pytest

from rules.adapters.matching import build_matcher
from rules.domain.event import Event, Understanding
from rules.domain.explain import Check, Explained, Node, explain, facts_of, matched_terms, misplaced, why
from rules.domain.leaves import All, Any, LanguageLeaf, Not, RatingLeaf, TextLeaf, TextMode
from rules.domain.matching.tier import is_place
from rules.domain.model import BrandSettings, Rule, Schedule, Where

Comments = Callable[..., Event]
Rules = Callable[..., Rule]


def explained(rule: Rule, event: Event) -> Explained:
    return explain(rule, facts_of(event, Understanding("fr", 1.0), BrandSettings("acme")), build_matcher)


def test_the_whole_tree_with_the_values_compared(comment: Comments, rule: Rules) -> None:
    when = All(
        (
            Any((TextLeaf(("price", "how much"), ("giveaway",)), TextLeaf(("refund",)))),
            Not(LanguageLeaf(frozenset({"de"}))),
            RatingLeaf(at_most=2),
        )
    )
    found = explained(rule(when=when), comment(text="How much for the giveaway?"))
    excluded = "found 'how much'; found excluded 'giveaway'"
    assert found.when == Node(
        "all",
        "/when",
        False,
        parts=(
            Node(
                "any",
                "/when/all/0",
                False,
                parts=(
                    Node("text", "/when/all/0/any/0/text", False, excluded),
                    Node("text", "/when/all/0/any/1/text", False, "found none of 'refund'"),
                ),
            ),
            Node(
                "not",
                "/when/all/1",
                True,
                parts=(Node("language", "/when/all/1/not/language", False, "language 'fr', wants de"),),
            ),
            Node("rating", "/when/all/2/rating", False, "no rating, at most 2"),
        ),
    )
    assert found.why_not == f"{excluded} and found none of 'refund'"
    assert found.terms == ("how much",)


def test_what_must_not_be(comment: Comments, rule: Rules) -> None:
    found = explained(rule(when=Not(Any((LanguageLeaf(frozenset({"fr"})), TextLeaf(("x",)))))), comment())
    assert found.why_not == "must not be: language 'fr', wants fr"
    double = explained(rule(when=Not(Not(TextLeaf(("much",))))), comment())
    assert double.when is not None
    assert (double.when.holds, double.why_not, why(double.when)) == (True, "", "not: must not be: found 'much'")


def test_only_exclusions(comment: Comments, rule: Rules) -> None:
    found = explained(rule(when=TextLeaf((), ("giveaway",))), comment())
    assert found.when == Node("text", "/when/text", True, "found none of the excluded 'giveaway'")


def test_long_lists_are_cut(comment: Comments, rule: Rules) -> None:
    found = explained(rule(when=TextLeaf(tuple(f"word{number}" for number in range(9)))), comment())
    assert found.why_not == "found none of 'word0', 'word1', 'word2', 'word3', 'word4' and 4 more"


@pytest.mark.parametrize(
    ("where", "checks"),
    [
        (Where(), []),
        (
            Where(platforms=frozenset({"facebook", "x"}), channels=frozenset({"ig-main"}), kinds=frozenset({"review"})),
            [
                Check("platforms", False, "platform 'instagram', wants facebook or x"),
                Check("channels", True, "channel 'ig-main', wants ig-main"),
                Check("kinds", False, "kind 'comment', wants review"),
            ],
        ),
        (
            Where(objects_only=frozenset({"post-1"}), objects_except=frozenset({"comment-1"})),
            [
                Check("objects/only", True, "post 'post-1', object 'comment-1', wants post-1"),
                Check("objects/except", False, "post 'post-1', object 'comment-1', not comment-1"),
            ],
        ),
        (
            Where(top_level_only=True, ads="only"),
            [Check("top_level_only", True, "stands on the post itself"), Check("ads", False, "not under an ad, ads: only")],
        ),
    ],
)
def test_places(comment: Comments, rule: Rules, where: Where, checks: list[Check]) -> None:
    found = explained(rule(where=where), comment())
    assert list(found.where) == checks
    assert found.why_not == misplaced(where, comment()) == "; ".join(check.detail for check in checks if not check.holds)


def test_places_agree_with_the_engine(comment: Comments) -> None:
    wheres = [
        Where(top_level_only=True),
        Where(objects_only=frozenset({"post-1"})),
        Where(objects_except=frozenset({"comment-1"})),
        Where(ads="only"),
        Where(ads="exclude"),
        Where(kinds=frozenset({"reply"}), platforms=frozenset({"x"})),
    ]
    events = [
        comment(kind=kind, ad=ad, parent=parent) for kind in ("comment", "reply") for ad in (True, False) for parent in ("", "c")
    ]
    assert {(misplaced(where, event) == "") is is_place(where, event) for where in wheres for event in events} == {True}


def test_timing(comment: Comments, rule: Rules) -> None:
    closed = rule(schedule=Schedule("Europe/Berlin", except_=frozenset({date(2026, 1, 5)})), freshness_seconds=0.5)
    assert explained(closed, comment()).timing == (
        Check("schedule", False, "closed at Mon 2026-01-05 10:40 Europe/Berlin"),
        Check("freshness", False, "1 s old, at most 0 s"),
    )
    assert explained(rule(), comment()).timing == (Check("freshness", True, "1 s old, at most 86400 s"),)


@pytest.mark.parametrize("mode", list(TextMode))
def test_terms_are_found_as_the_engine_finds_them(mode: TextMode) -> None:
    leaf = TextLeaf(("how much", "how", "much?", "never"), (), mode)
    found = matched_terms(Any((leaf, Not(leaf))), "How much?", build_matcher)
    assert ("how much" in found, "never" in found) == (True, False)
    assert matched_terms(None, "How much?", build_matcher) == ()
