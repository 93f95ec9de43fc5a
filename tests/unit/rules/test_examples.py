"""A rule's own examples: tried where it looks, by itself, with what a text does not tell taken as fitting."""

from collections.abc import Callable
from datetime import date

import pytest

from rules.adapters.matching import build_matcher
from rules.domain.checking.examples import Example, failures
from rules.domain.decision import CobraLevel, LimitScope, RuleLimit
from rules.domain.event import Understanding
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
    ThreadLeaf,
)
from rules.domain.model import BrandSettings, Experiment, Reply, Rule, Schedule, Tag, Where

Rules = Callable[..., Rule]
ACME = BrandSettings("acme")


def understand(text: str, language: str) -> Understanding:
    """Know French by a greeting and anger by a word: as much as these tests need."""
    angry = "awful" in text
    polarity = "negative" if angry else "neutral"
    return Understanding(language or ("fr" if "bonjour" in text else "en"), 1.0, -0.9 if angry else 0.0, polarity, 1.0)


def failed(rule: Rule, *examples: Example) -> list[tuple[str, str]]:
    found = failures(rule, examples, ACME, understand, build_matcher)
    assert all((finding.severity, finding.code) == ("error", "example_failed") for finding in found)
    return [(finding.pointer, finding.detail) for finding in found]


def test_examples_that_hold_say_nothing(rule: Rules) -> None:
    price = rule(when=TextLeaf(("price", "how much"), ("giveaway",)))
    assert failed(price, Example("How much is it?", "en", True), Example("price of the giveaway?", "", False)) == []


def test_each_failing_example_has_its_place_and_its_reason(rule: Rules) -> None:
    price = rule(when=All((TextLeaf(("price",), ("giveaway",)), LanguageLeaf(frozenset({"de"})))))
    assert failed(
        price,
        Example("price?", "fr", True),
        Example("price?", "de", False),
        Example("hello", "de", True),
        Example("price of the giveaway", "de", True),
        Example("price", "de", True),
    ) == [
        ("/examples/0", "did not act: language 'fr', wants de"),
        ("/examples/1", "acted, though it should not: found 'price'"),
        ("/examples/2", "did not act: found none of 'price'"),
        ("/examples/3", "did not act: excluded term giveaway"),
    ]


def test_a_text_without_a_language_is_understood(rule: Rules) -> None:
    french = rule(when=LanguageLeaf(frozenset({"fr"})))
    assert failed(french, Example("bonjour", "", True), Example("hello", "", False)) == []
    assert failed(french, Example("bonjour", "en", True)) == [("/examples/0", "did not act: language 'en', wants fr")]


def test_sentiment_is_understood(rule: Rules) -> None:
    calm = rule(when=SentimentLeaf(at_least="neutral"))
    assert failed(calm, Example("fine", "", True), Example("awful", "", True)) == [
        ("/examples/1", "did not act: sentiment -0.90 negative, at least neutral")
    ]


@pytest.mark.parametrize(
    "where",
    [
        Where(),
        Where(platforms=frozenset({"youtube"}), kinds=frozenset({"reply"})),
        Where(channels=frozenset({"ig-main"}), objects_only=frozenset({"1789"}), ads="only"),
        Where(objects_except=frozenset({"example-post", "example-post-x"}), top_level_only=True, ads="exclude"),
        Where(kinds=frozenset({"message"}), top_level_only=True),
        Where(kinds=frozenset({"review"})),
    ],
)
def test_an_example_stands_where_the_rule_looks(rule: Rules, where: Where) -> None:
    assert failed(rule(where=where, when=TextLeaf(("price",))), Example("price", "", True), Example("hi", "", False)) == []


def test_a_silent_kind_has_examples_too(rule: Rules) -> None:
    assert failed(rule(where=Where(kinds=frozenset({"reaction"})), then=(Tag(tags=("x",)),)), Example("", "", True)) == []


def test_a_rule_that_looks_nowhere_says_so(rule: Rules) -> None:
    nowhere = rule(where=Where(kinds=frozenset({"reply"}), top_level_only=True))
    assert failed(nowhere, Example("x", "", True)) == [("/examples/0", "did not act: stands below a comment")]


def test_time_and_counts_do_not_matter(rule: Rules) -> None:
    often = rule(
        limits=(RuleLimit(LimitScope.AUTHOR, 1),),
        schedule=Schedule(until=date(2001, 1, 1)),
        freshness_seconds=1.0,
        test=Experiment("greeting", 0.0),
    )
    assert failed(often, Example("one", "", True), Example("two", "", True)) == []


def test_neither_do_holds_nor_lists_of_people(rule: Rules) -> None:
    held = BrandSettings("acme", held=True, blocked=frozenset({"facebook:example-author"}))
    assert failures(rule(), [Example("x", "", True)], held, understand, build_matcher) == ()


@pytest.mark.parametrize(
    "outside",
    [
        AuthorLeaf(followers_at_least=1000, verified=True, segments=frozenset({"vip"}), first_contact=False),
        RatingLeaf(at_most=2),
        ThreadLeaf(depth_at_least=2),
        CobraLeaf(at_least=CobraLevel.CREATING),
        HasLeaf(("image",)),
        HasLeaf(("video", "link")),
        Not(AuthorLeaf(verified=False)),
        Any((RatingLeaf(at_most=2), TextLeaf(("never",)))),
        Not(All((RatingLeaf(at_most=2), TextLeaf(("price",))))),
        Not(Any((RatingLeaf(at_most=2), TextLeaf(("never",))))),
        Not(HasLeaf(("image", "question"))),
    ],
)
def test_what_a_text_does_not_tell_is_taken_as_fitting(rule: Rules, outside: object) -> None:
    both = rule(when=All((TextLeaf(("price",)), outside)))  # type: ignore[arg-type]
    assert failed(both, Example("the price?", "", True), Example("hello", "", False)) == []


def test_what_a_text_tells_counts(rule: Rules) -> None:
    asks = rule(when=HasLeaf(("question", "image")))
    assert failed(asks, Example("why?", "", True), Example("so it is", "", True)) == [
        ("/examples/1", "did not act: has none of it, wants question")
    ]
    no_links = rule(when=Not(HasLeaf(("link",))))
    assert [place for place, _ in failed(no_links, Example("see", "", True), Example("https://x.example", "", True))] == [
        "/examples/1"
    ]


def test_a_rule_without_words_for_a_language_does_not_act(rule: Rules) -> None:
    german = rule(then=(Reply(texts={"de": ("Hallo",)}),))
    (found,) = failed(german, Example("hi", "en", True))
    assert found[1].startswith("did not act: reply: no_template_language (language 'en'")
