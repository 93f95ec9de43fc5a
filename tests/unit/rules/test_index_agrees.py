"""The index finds what a reading of every rule, one by one, finds."""

import re
from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.adapters.matching import build_matcher
from rules.domain.decision import CobraLevel, Reason
from rules.domain.event import Event, Understanding
from rules.domain.leaves import (
    All,
    Any,
    AuthorLeaf,
    CobraLeaf,
    Condition,
    FactLeaf,
    HasLeaf,
    LanguageLeaf,
    Not,
    RatingLeaf,
    SentimentLeaf,
    TextLeaf,
    TextMode,
    ThreadLeaf,
)
from rules.domain.matching.facts import Facts
from rules.domain.matching.index import BrandSettings, Matched, build_index
from rules.domain.matching.text import (
    exact_form,
    exact_patterns,
    fold,
    patterns,
    squeezed,
    squeezed_term,
    stands_alone,
    starts_alone,
    words_form,
)
from rules.domain.model import Reply, Rule, Where

WORDS = [
    "price", "Prices", "ice", "how much", "how-much", "don't", "dont", "e-mail", "so", "sooo", "cool", "coooool",
    "цена", "оценка", "сколько стоит", "ещё", "größe", "GRÖSSE", "straße", "strasse", "gro\u0308ße",
    "سعر", "سِعْر", "كم السعر", "कीमत", "कम", "कमी", "価格", "價格", "いくら", "ราคา",
    "😍", "😍😍", "❤️", "❤", "👍🏽", "👩‍🚀", "🇩🇪", "🇪🇺", "5", "#win", "İstanbul",
]  # fmt: skip
GLUE = [" ", "  ", "", "-", ".", ", ", "\n", "_", "'", " @anna ", " https://a.b/price ", "!", "\u0301"]

MARKS = re.compile("[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u064b-\u065f]")
"""Belong to the word they stand in, which Python's expressions do not know."""

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GLUE)), max_size=6).map(
    lambda parts: "".join(word + glue for word, glue in parts)
)
EXPRESSIONS = [
    r"price", r"\bprice\b", r"how\s+much", r"pri[cs]e?", r"co+l", r"\bсколько", r"цен[аы]\b", r"(?i)GRÖSSE", r"gr(?:ö|oe)ße",
    r"\d+", r"\bso+\b", r"^\W*😍", r"[😍❤]", r"#\w+", r"\w+@", r"価格|いくら", r"e.?mail", r"don'?t\b",
    r"(?:so|cool)\b.{0,9}\bprice",
]  # fmt: skip
terms = st.lists(st.sampled_from(WORDS), max_size=3).map(tuple)
expressions = st.lists(st.sampled_from(EXPRESSIONS), max_size=3).map(tuple)
text_leaves = st.one_of(
    st.builds(TextLeaf, terms, terms, st.sampled_from([mode for mode in TextMode if mode is not TextMode.REGEX]), st.booleans()),
    st.builds(TextLeaf, expressions, expressions, st.just(TextMode.REGEX)),
).filter(lambda leaf: bool(leaf.any or leaf.none))
SEGMENTS = {"vip": frozenset({"instagram:anna"}), "staff": frozenset({"instagram:bob"})}
some_segments = st.frozensets(st.sampled_from(sorted(SEGMENTS)), max_size=1)
bounds = st.none() | st.integers(0, 5)
polarity_bounds = st.sampled_from(["", "negative", "neutral", "positive"])
fact_leaves: st.SearchStrategy[FactLeaf] = st.one_of(
    st.builds(LanguageLeaf, st.frozensets(st.sampled_from(["en", "de", "pt", "pt-br"]), min_size=1)),
    st.builds(SentimentLeaf, polarity_bounds, polarity_bounds, st.sampled_from([None, -0.3, 0.5]), st.sampled_from([None, 0.1])),
    st.builds(AuthorLeaf, bounds, bounds, st.none() | st.booleans(), some_segments, some_segments, st.none() | st.booleans()),
    st.builds(RatingLeaf, bounds, bounds),
    st.builds(CobraLeaf, st.sampled_from(CobraLevel), st.sampled_from(CobraLevel)),
    st.builds(HasLeaf, st.lists(st.sampled_from(["image", "video", "question", "praise"]), min_size=1, max_size=2).map(tuple)),
    st.builds(ThreadLeaf, st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)),
)
leaves = st.one_of(text_leaves, text_leaves, fact_leaves)
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
KINDS = ["comment", "reply", "message", "review", "post", "mention", "reaction", "follow"]
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


understandings = st.builds(
    Understanding,
    language=st.sampled_from(["", "en", "de", "pt-br", "pt-pt"]),
    sentiment=st.sampled_from([None, -0.6, 0.0, 0.3, 0.9]),
    polarity=st.sampled_from(["", "negative", "neutral", "positive"]),
    flags=st.frozensets(st.sampled_from(["question", "praise"])),
)
happenings = st.fixed_dictionaries(
    {
        "text": texts,
        "platform": st.sampled_from([*PLATFORMS, "flickr"]),
        "kind": st.sampled_from(KINDS),
        "parent": st.sampled_from(["", "post-1", "comment-0"]),
        "ad": st.booleans(),
        "channel": st.just("main"),
        "author_id": st.sampled_from(["anna", "bob", "carla"]),
        "followers": st.none() | st.integers(0, 5),
        "verified": st.sampled_from([None, True, False]),
        "rating": st.none() | st.integers(1, 5).map(float),
        "media": st.lists(st.sampled_from(["image", "photo", "video", "reel", "file"]), max_size=2).map(tuple),
    }
)


def has_term(term: str, leaf: TextLeaf, text: str) -> bool:
    folded = fold(text)
    if leaf.mode is TextMode.REGEX:
        return re.search(fold_letters(term), MARKS.sub("ʰ", folded)) is not None
    form = exact_form(folded) if leaf.mode is TextMode.EXACT else words_form(folded)
    wanted = exact_patterns(term) if leaf.mode is TextMode.EXACT else patterns(term)
    if any(occurs(pattern, leaf.mode, form) for pattern in wanted):
        return True
    short = squeezed(form) if leaf.squeeze else None
    return short is not None and any(occurs(squeezed_term(pattern), leaf.mode, short) for pattern in wanted)


def fold_letters(expression: str) -> str:
    return "".join(part if part.startswith("\\") else fold(part) for part in re.split(r"(\\.|\(\?i\))", expression)).replace(
        "(?i)", ""
    )


def occurs(pattern: str, mode: TextMode, form: str) -> bool:
    if mode is TextMode.EXACT:
        return pattern == form
    starts = [start for start in range(len(form)) if form.startswith(pattern, start)]
    if mode is TextMode.PREFIX:
        return any(starts_alone(form, start) for start in starts)
    return any(mode is TextMode.CONTAINS or stands_alone(form, start, start + len(pattern)) for start in starts)


def reads(condition: Condition, facts: Facts, *, forgiving: bool, negated: bool = False) -> bool:
    """Return whether the condition (or its negation) holds; forgiving: as if no term were excluded and no fact asked for."""
    match condition:
        case Not():
            return reads(condition.of, facts, forgiving=forgiving, negated=not negated)
        case All() | Any():
            results = [reads(part, facts, forgiving=forgiving, negated=negated) for part in condition.of]
            return all(results) if isinstance(condition, All) is not negated else any(results)
        case TextLeaf():
            return reads_leaf(condition, facts.event.text, forgiving=forgiving, negated=negated)
        case _:
            return forgiving or is_fact(condition, facts) is not negated


def reads_leaf(leaf: TextLeaf, text: str, *, forgiving: bool, negated: bool) -> bool:
    wanted = any(has_term(term, leaf, text) for term in leaf.any)
    unwanted = any(has_term(term, leaf, text) for term in leaf.none)
    if negated:
        return (bool(leaf.any) and (forgiving or not wanted)) or unwanted
    return (not leaf.any or wanted) and (forgiving or not unwanted)


def is_within(value: float | None, least: float | None, most: float | None) -> bool:
    return value is not None and (least is None or least <= value) and (most is None or value <= most)


def is_fact(leaf: FactLeaf, facts: Facts) -> bool:
    """The page of the rule language, read once more."""
    event, understood = facts.event, facts.understanding
    match leaf:
        case LanguageLeaf():
            return any(understood.language == tag or understood.language.startswith(tag + "-") for tag in leaf.any)
        case SentimentLeaf():
            return is_sentiment(leaf, understood)
        case AuthorLeaf():
            return is_author(leaf, facts)
        case RatingLeaf():
            return is_within(event.rating, leaf.at_least, leaf.at_most)
        case CobraLeaf():
            rank = [CobraLevel.UNSPECIFIED, CobraLevel.CONSUMING, CobraLevel.CONTRIBUTING, CobraLevel.CREATING]
            highest = rank.index(leaf.at_most) or 3
            return max(1, rank.index(leaf.at_least)) <= rank.index(facts.cobra) <= highest
        case HasLeaf():
            return all(has(feature, facts) for feature in leaf.features)
        case ThreadLeaf():
            above = 1 if event.parent in {"", "post-1"} and event.kind != "reply" else 2
            return is_within(above, leaf.depth_at_least, leaf.depth_at_most)


def is_sentiment(leaf: SentimentLeaf, understood: Understanding) -> bool:
    rank = ["negative", "neutral", "positive"]
    if leaf.at_least or leaf.at_most:
        lowest, highest = rank.index(leaf.at_least or "negative"), rank.index(leaf.at_most or "positive")
        if not understood.polarity or not lowest <= rank.index(understood.polarity) <= highest:
            return False
    if leaf.below is None and leaf.above is None:
        return True
    score = understood.sentiment
    return score is not None and (leaf.above is None or leaf.above < score) and (leaf.below is None or score < leaf.below)


def is_author(leaf: AuthorLeaf, facts: Facts) -> bool:
    event = facts.event
    mine = {segment for segment, members in SEGMENTS.items() if f"{event.platform}:{event.author_id}" in members}
    asked = leaf.followers_at_least is not None or leaf.followers_at_most is not None
    return (
        (not asked or is_within(event.followers, leaf.followers_at_least, leaf.followers_at_most))
        and (leaf.verified is None or leaf.verified == event.verified)
        and (not leaf.segments or bool(mine & leaf.segments))
        and not mine & leaf.not_in
        and (leaf.first_contact is None or leaf.first_contact == facts.first_contact)
    )


def has(feature: str, facts: Facts) -> bool:
    given_media = {"image": {"image", "photo"}, "video": {"video", "reel"}}.get(feature)
    return bool(given_media & {*facts.event.media}) if given_media else feature in facts.understanding.flags


def stands(where: Where, event: Event) -> bool:
    here = {event.root or event.object, event.object}
    answerable = {event.kind} - {"reaction", "share", "follow"}
    return (
        event.platform in (where.platforms or {event.platform})
        and event.kind in (where.kinds or answerable)
        and event.channel in (where.channels or {event.channel})
        and bool(here & (where.objects_only or here))
        and not here & where.objects_except
        and not (where.top_level_only and (event.kind == "reply" or event.parent not in {"", event.root}))
        and (where.ads == "include" or (where.ads == "only") == event.ad)
    )


def naive(rules: Sequence[Rule], facts: Facts) -> list[tuple[str, bool]]:
    """Return (rule, acts) of every rule that matches by place and text."""
    found = []
    for rule in sorted(rules, key=lambda rule: (rule.priority, rule.rule_id)):
        if stands(rule.where, facts.event) and (rule.when is None or reads(rule.when, facts, forgiving=True)):
            found.append((rule.rule_id, rule.when is None or reads(rule.when, facts, forgiving=False)))
    return found


def indexed(matched: list[Matched]) -> list[tuple[str, bool]]:
    return [(rule.rule_id, refusal is None) for rule, refusal in matched]


def seen(event: Event, understood: Understanding = Understanding(), *, first: bool = False) -> Facts:  # noqa: B008 (immutable)
    brand = BrandSettings("acme", segments=SEGMENTS)
    return Facts(event, understood, brand, cobra=CobraLevel.CONTRIBUTING, first_contact=first)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules=rules, happening=happenings, understood=understandings, first=st.booleans())
def test_the_index_agrees_with_reading_every_rule(
    comment: Callable[..., Event],
    rules: list[Rule],
    happening: dict[str, object],
    understood: Understanding,
    first: bool,
) -> None:
    facts = seen(comment(**happening), understood, first=first)
    assert indexed(build_index(rules, build_matcher).matched(facts)) == naive(rules, facts)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules=rules, happening=happenings, understood=understandings)
def test_every_rule_that_matched_and_does_not_hold_has_a_reason_and_a_detail(
    comment: Callable[..., Event], rules: list[Rule], happening: dict[str, object], understood: Understanding
) -> None:
    matched = build_index(rules, build_matcher).matched(seen(comment(**happening), understood))
    for _, refusal in matched:
        assert refusal is None or (refusal.reason is not Reason.UNSPECIFIED and refusal.detail)
