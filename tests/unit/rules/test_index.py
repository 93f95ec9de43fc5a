"""The index of a brand's rules: what it is made of, what a change costs, and what it tells besides the rules."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.adapters.matching import build_matcher
from rules.domain.decision import CobraLevel, Reason
from rules.domain.event import NOTHING_UNDERSTOOD, Event
from rules.domain.leaves import All, AuthorLeaf, Condition, Not, TextLeaf, TextMode
from rules.domain.matching.conditions import Refusal
from rules.domain.matching.facts import Facts
from rules.domain.matching.index import (
    MAX_RECENT,
    BrandIndex,
    BrandSettings,
    Snapshot,
    build_index,
    build_snapshot,
    merge_snapshot,
)
from rules.domain.model import Rule, Where

Brands = Callable[..., Snapshot]

TERMS = ["price", "how much", "cool", "цена", "😍"]
rules = st.lists(
    st.builds(
        Rule,
        rule_id=st.sampled_from("abcdefgh"),
        version=st.just(1),
        brand=st.just("acme"),
        priority=st.integers(1, 3),
        where=st.sampled_from([Where(), Where(kinds=frozenset({"comment"})), Where(kinds=frozenset({"review"}))]),
        when=st.builds(
            TextLeaf, st.sampled_from(TERMS).map(lambda term: (term,)), st.just(()), st.sampled_from(TextMode), st.booleans()
        ),
    ),
    max_size=8,
    unique_by=lambda rule: rule.rule_id,
)


def seen(event: Event) -> Facts:
    return Facts(event, NOTHING_UNDERSTOOD, BrandSettings("acme"), cobra=CobraLevel.CONTRIBUTING, first_contact=False)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=rules,
    changes=st.lists(st.tuples(st.sampled_from(["drop", "renew", "add"]), st.integers(0, 9)), max_size=12),
    more=rules,
    words=st.lists(st.sampled_from([*TERMS, "coool", "word3", "prices"]), max_size=5),
    merge_after=st.integers(0, 12),
)
def test_an_index_that_follows_from_another_is_the_same_as_a_new_one(
    comment: Callable[..., Event],
    before: list[Rule],
    changes: list[tuple[str, int]],
    more: list[Rule],
    words: list[str],
    merge_after: int,
) -> None:
    current = [*before, *many(40)]
    facts = seen(comment(text=" ".join(words)))
    index = build_index(current, build_matcher)
    for step, (change, number) in enumerate(changes):
        current = altered(current, change, number, more)
        index = index.followed_by(current, build_matcher)
        index = index.merged(build_matcher) if step == merge_after else index
        assert index.matched(facts) == build_index(current, build_matcher).matched(facts)
        assert {id(rule) for rule in index.rules} == {id(rule) for rule in current}


def altered(rules: list[Rule], change: str, number: int, more: list[Rule]) -> list[Rule]:
    place = number % len(rules)
    if change == "drop":
        return rules[:place] + rules[place + 1 :]
    if change == "renew":
        return [*rules[:place], replace(rules[place], version=rules[place].version + 1), *rules[place + 1 :]]
    taken = {rule.rule_id for rule in rules}
    return rules + [rule for rule in more if rule.rule_id not in taken][:1]


def many(count: int) -> list[Rule]:
    return [Rule(f"r{number:04}", 1, "acme", when=TextLeaf((f"word{number}",))) for number in range(count)]


def test_one_change_leaves_the_large_tier_as_it_is(comment: Callable[..., Event]) -> None:
    rules = many(2000)
    index = build_index(rules, build_matcher)
    newer = replace(rules[7], version=2)
    after = index.followed_by([*rules[:7], newer, *rules[8:]], build_matcher)
    assert after._base is index._base
    assert not after.is_merged
    assert after.matched(seen(comment(text="word7 word8"))) == [(newer, None), (rules[8], None)]
    back = after.followed_by(rules, build_matcher)
    assert back.matched(seen(comment(text="word7"))) == [(rules[7], None)]
    assert back.is_merged


def test_many_changes_leave_the_large_tier_to_a_merge(comment: Callable[..., Event]) -> None:
    rules = many(2000)
    index = build_index(rules, build_matcher)
    for number in range(MAX_RECENT):
        rules[number] = replace(rules[number], version=2)
    at_most = index.followed_by(rules, build_matcher)
    rules[MAX_RECENT] = replace(rules[MAX_RECENT], version=2)
    beyond = at_most.followed_by(rules, build_matcher)
    assert (at_most.is_overgrown, beyond.is_overgrown) == (False, True)
    assert beyond._base is index._base
    merged = beyond.merged(build_matcher)
    assert (merged.is_overgrown, merged.is_merged, len(merged)) == (False, True, len(rules))
    assert merged.matched(seen(comment(text="word3"))) == at_most.matched(seen(comment(text="word3"))) == [(rules[3], None)]


def test_a_change_during_a_merge_counts_after_it(comment: Callable[..., Event]) -> None:
    rules = many(2000)
    before = build_index(rules, build_matcher).followed_by(rules[1:], build_matcher)
    newer = [replace(rules[7], version=2), *rules[8:]]
    meanwhile = before.followed_by(newer, build_matcher)
    after = before.merged(build_matcher).followed_by(newer, build_matcher)
    for text in ("word0", "word7", "word8"):
        assert after.matched(seen(comment(text=text))) == meanwhile.matched(seen(comment(text=text)))
    assert len(after) == len(meanwhile) == len(newer)


def test_an_index_most_of_which_is_new_is_built_anew() -> None:
    index = build_index(many(10), build_matcher).followed_by(many(2000), build_matcher)
    assert index.is_merged


def test_merging_changes_nothing_but_the_tiers(comment: Callable[..., Event]) -> None:
    rules, brands = many(100), [BrandSettings("acme")]
    first = build_snapshot(1, brands, rules, [], build_matcher)
    second = build_snapshot(2, brands, rules[1:], [], build_matcher, first)
    merged = merge_snapshot(second, build_matcher)
    assert (merged.revision, merged.own_accounts) == (2, second.own_accounts)
    assert merged.brands["acme"].index.is_merged
    assert merge_snapshot(merged, build_matcher) is merged
    for text in ("word0", "word1"):
        facts = seen(comment(text=text))
        assert merged.brands["acme"].index.matched(facts) == second.brands["acme"].index.matched(facts)


@pytest.mark.parametrize("asking", [AuthorLeaf(first_contact=True), Not(AuthorLeaf(first_contact=False))])
def test_the_index_knows_whether_a_rule_asks_for_the_first_contact(asking: Condition) -> None:
    rules = [*many(50), Rule("asks", 1, "acme", when=All((TextLeaf(("hello",)), asking)))]
    index = build_index(rules, build_matcher)
    without = index.followed_by(rules[:-1], build_matcher)
    again = without.followed_by([*rules[:-1], replace(rules[-1], version=2)], build_matcher)
    assert [one.asks_first_contact for one in (index, without, again)] == [True, False, True]


def index_of(snapshot: Snapshot) -> BrandIndex:
    return snapshot.brands["acme"].index


def test_an_unchanged_brand_keeps_its_index(rule: Callable[..., Rule]) -> None:
    one, other, newer = rule("one"), rule("other", brand="beta"), rule("other", brand="beta", version=2)
    brands = [BrandSettings("acme"), BrandSettings("beta")]
    first = build_snapshot(1, brands, [one, other], [], build_matcher)
    second = build_snapshot(2, brands, [one, newer], [], build_matcher, first)
    assert second.brands["acme"].index is first.brands["acme"].index
    assert second.brands["beta"].index.rules == (newer,)


def test_terms_of_replaced_rules_do_not_pile_up(rule: Callable[..., Rule]) -> None:
    current: Snapshot | None = None
    sizes = []
    for version in range(60):
        changing = rule("changing", version=version, when=TextLeaf((f"word{version}",)))
        constant = rule("constant", when=TextLeaf(("price",)))
        current = build_snapshot(version, [BrandSettings("acme")], [changing, constant], [], build_matcher, current)
        sizes.append(len(index_of(current)._base._builder._numbers))
    assert max(sizes) < 12


def test_rules_and_channels_of_unknown_brands_do_no_harm(rule: Callable[..., Rule]) -> None:
    built = build_snapshot(1, [], [rule()], [("facebook", "1")], build_matcher)
    assert built.brands == {}
    assert built.own_accounts == {("facebook", "1")}


@pytest.mark.parametrize("text", ["price", "Price giveaway", "giveaway"])
def test_the_excluded_terms_are_named(
    comment: Callable[..., Event], rule: Callable[..., Rule], snapshot: Brands, text: str
) -> None:
    asks = rule(when=All((TextLeaf(("price",), ("giveaway", "contest")),)))
    matched = index_of(snapshot(asks)).matched(seen(comment(text=text)))
    assert (
        matched
        == {
            "price": [(asks, None)],
            "Price giveaway": [(asks, Refusal(Reason.EXCLUDED_TERM, "giveaway"))],
            "giveaway": [],
        }[text]
    )


@pytest.mark.parametrize(
    ("kinds", "kind", "matches"),
    [
        ((), "reaction", False),
        (("reaction",), "reaction", True),
        (("reaction",), "share", False),
        (("reaction", "share", "follow", "comment", "reply", "review"), "follow", True),
        (("reaction", "share", "follow", "comment", "reply", "review"), "reply", True),
        (("reaction", "share", "follow", "comment", "reply", "review"), "message", False),
        (("comment", "reply", "review", "message", "post"), "reaction", False),
    ],
)
def test_only_a_rule_that_names_a_silent_kind_is_asked_about_it(
    comment: Callable[..., Event], rule: Callable[..., Rule], kinds: tuple[str, ...], kind: str, matches: bool
) -> None:
    rules = [rule(where=Where(kinds=frozenset(kinds))), rule("other", where=Where(kinds=frozenset({"share"})))]
    matched = build_index(rules, build_matcher).matched(seen(comment(kind=kind)))
    assert ("any" in {one.rule_id for one, _ in matched}) is matches
