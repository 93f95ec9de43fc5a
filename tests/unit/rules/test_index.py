"""The index finds what a reading of every rule, one by one, finds."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.adapters.matching import build_matcher
from rules.domain.event import Event
from rules.domain.index import BrandSettings, Matched, Snapshot, build_snapshot
from rules.domain.model import All, Any, Condition, Not, Reply, Rule, TextLeaf, TextMode, Where
from rules.domain.text import exact_form, exact_patterns, fold, patterns, squeezed, squeezed_term, stands_alone, words_form

Brands = Callable[..., Snapshot]

WORDS = [
    "price", "Prices", "ice", "how much", "how-much", "don't", "dont", "e-mail", "so", "sooo", "cool", "coooool",
    "цена", "оценка", "сколько стоит", "ещё", "größe", "GRÖSSE", "straße", "strasse", "gro\u0308ße",
    "سعر", "سِعْر", "كم السعر", "कीमत", "कम", "कमी", "価格", "價格", "いくら", "ราคา",
    "😍", "😍😍", "❤️", "❤", "👍🏽", "👩‍🚀", "🇩🇪", "🇪🇺", "5", "#win", "İstanbul",
]  # fmt: skip
GLUE = [" ", "  ", "", "-", ".", ", ", "\n", "_", "'", " @anna ", " https://a.b/price ", "!", "\u0301"]

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GLUE)), max_size=6).map(
    lambda parts: "".join(word + glue for word, glue in parts)
)
terms = st.lists(st.sampled_from(WORDS), max_size=3).map(tuple)
leaves = st.builds(TextLeaf, terms, terms, st.sampled_from(TextMode), st.booleans()).filter(
    lambda leaf: bool(leaf.any or leaf.none)
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    leaves,
    lambda below: st.one_of(
        st.builds(All, st.lists(below, min_size=1, max_size=3).map(tuple)),
        st.builds(Any, st.lists(below, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, below),
    ),
    max_leaves=5,
)
PLATFORMS = ["facebook", "instagram", "x", "youtube", "reddit"]
KINDS = ["comment", "reply", "message", "review", "post", "mention"]
wheres = st.builds(
    Where,
    platforms=st.frozensets(st.sampled_from(PLATFORMS)),
    channels=st.frozensets(st.sampled_from(["main", "other"]), max_size=1),
    kinds=st.frozensets(st.sampled_from(KINDS)),
    objects_only=st.frozensets(st.sampled_from(["post-1", "comment-1"]), max_size=1),
    objects_except=st.frozensets(st.sampled_from(["post-1", "comment-2"]), max_size=1),
    top_level_only=st.booleans(),
    ads=st.sampled_from(["include", "include", "exclude", "only"]),
)
rules = st.lists(
    st.builds(
        Rule,
        rule_id=st.sampled_from("abcdefgh"),
        version=st.just(1),
        brand=st.just("acme"),
        priority=st.integers(1, 3),
        where=st.one_of(st.just(Where()), wheres),
        when=st.one_of(st.none(), conditions),
        then=st.just((Reply(texts={"default": ("x",)}),)),
    ),
    max_size=8,
    unique_by=lambda rule: rule.rule_id,
)


def has_term(term: str, mode: TextMode, squeeze: bool, text: str) -> bool:
    folded = fold(text)
    form = exact_form(folded) if mode is TextMode.EXACT else words_form(folded)
    wanted = exact_patterns(term) if mode is TextMode.EXACT else patterns(term)
    if any(occurs(pattern, mode, form) for pattern in wanted):
        return True
    short = squeezed(form) if squeeze else None
    return short is not None and any(occurs(squeezed_term(pattern), mode, short) for pattern in wanted)


def occurs(pattern: str, mode: TextMode, form: str) -> bool:
    if mode is TextMode.EXACT:
        return pattern == form
    ends = (start + len(pattern) for start in range(len(form)) if form.startswith(pattern, start))
    return any(mode is TextMode.CONTAINS or stands_alone(form, end - len(pattern), end) for end in ends)


def reads(condition: Condition, text: str, *, forgiving: bool, negated: bool = False) -> bool:
    """Return whether the condition (or its negation) holds; forgiving: as if no term were excluded."""
    match condition:
        case Not():
            return reads(condition.of, text, forgiving=forgiving, negated=not negated)
        case All():
            results = [reads(part, text, forgiving=forgiving, negated=negated) for part in condition.of]
            return any(results) if negated else all(results)
        case Any():
            results = [reads(part, text, forgiving=forgiving, negated=negated) for part in condition.of]
            return all(results) if negated else any(results)
        case TextLeaf():
            return reads_leaf(condition, text, forgiving=forgiving, negated=negated)


def reads_leaf(leaf: TextLeaf, text: str, *, forgiving: bool, negated: bool) -> bool:
    wanted = any(has_term(term, leaf.mode, leaf.squeeze, text) for term in leaf.any)
    unwanted = any(has_term(term, leaf.mode, leaf.squeeze, text) for term in leaf.none)
    if negated:
        return (bool(leaf.any) and (forgiving or not wanted)) or unwanted
    return (not leaf.any or wanted) and (forgiving or not unwanted)


def stands(where: Where, event: Event) -> bool:
    here = {event.root or event.object, event.object}
    return (
        event.platform in (where.platforms or {event.platform})
        and event.kind in (where.kinds or {event.kind})
        and event.channel in (where.channels or {event.channel})
        and bool(here & (where.objects_only or here))
        and not here & where.objects_except
        and not (where.top_level_only and (event.kind == "reply" or event.parent not in {"", event.root}))
        and (where.ads == "include" or (where.ads == "only") == event.ad)
    )


def naive(rules: list[Rule], event: Event) -> list[tuple[str, bool]]:
    """Return (rule, acts) of every rule that matches by place and text."""
    found = []
    for rule in sorted(rules, key=lambda rule: (rule.priority, rule.rule_id)):
        if stands(rule.where, event) and (rule.when is None or reads(rule.when, event.text, forgiving=True)):
            found.append((rule.rule_id, rule.when is None or reads(rule.when, event.text, forgiving=False)))
    return found


def indexed(matched: list[Matched]) -> list[tuple[str, bool]]:
    return [(rule.rule_id, not excluded) for rule, excluded in matched]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=rules,
    text=texts,
    platform=st.sampled_from([*PLATFORMS, "flickr"]),
    kind=st.sampled_from(KINDS),
    parent=st.sampled_from(["", "post-1", "comment-0"]),
    ad=st.booleans(),
)
def test_the_index_agrees_with_reading_every_rule(
    comment: Callable[..., Event], snapshot: Brands, rules: list[Rule], text: str, platform: str, kind: str, parent: str, ad: bool
) -> None:
    event = comment(text=text, platform=platform, kind=kind, parent=parent, ad=ad, channel="main")
    matched = snapshot(*rules).brands["acme"].index.matched(event)
    assert indexed(matched) == naive(rules, event)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=rules, after=rules, kept=st.sets(st.integers(0, 7)), text=texts)
def test_an_index_that_follows_from_another_is_the_same_as_a_new_one(
    comment: Callable[..., Event], before: list[Rule], after: list[Rule], kept: set[int], text: str
) -> None:
    stays = [rule for place, rule in enumerate(before) if place in kept]
    changed = [*stays, *(rule for rule in after if rule.rule_id not in {stay.rule_id for stay in stays})]
    settings = [BrandSettings("acme")]
    current = build_snapshot(1, settings, before, [], build_matcher)
    for revision in (2, 3, 4):
        current = build_snapshot(revision, settings, changed if revision % 2 == 0 else before, [], build_matcher, current)
    event = comment(text=text)
    assert indexed(current.brands["acme"].index.matched(event)) == naive(changed, event)


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
        sizes.append(len(current.brands["acme"].index._builder._numbers))
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
    matched = snapshot(asks).brands["acme"].index.matched(comment(text=text))
    assert matched == {"price": [(asks, ())], "Price giveaway": [(asks, ("giveaway",))], "giveaway": []}[text]
