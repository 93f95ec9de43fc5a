"""What conditions ask of an event besides its words: when they hold, and what they say they compared."""

from collections.abc import Callable
from typing import Any

import pytest

from rules.domain.decision import CobraLevel, Reason
from rules.domain.event import Event, Understanding
from rules.domain.leaves import AuthorLeaf, CobraLeaf, FactLeaf, HasLeaf, LanguageLeaf, RatingLeaf, SentimentLeaf, ThreadLeaf
from rules.domain.matching.facts import Facts, compared, holds, reason_of
from rules.domain.model import BrandSettings

Comments = Callable[..., Event]

SEGMENTS = {"vip": frozenset({"instagram:anna"}), "press": frozenset({"instagram:anna"}), "staff": frozenset({"facebook:anna"})}


def facts_of(event: Event, understood: Understanding, *, cobra: CobraLevel, first: bool) -> Facts:
    return Facts(event, understood, BrandSettings("acme", segments=SEGMENTS), cobra=cobra, first_contact=first)


CASES: list[tuple[FactLeaf, dict[str, Any], bool, str]] = [
    (LanguageLeaf(frozenset({"de", "en"})), {"language": "fr"}, False, "language 'fr', wants de or en"),
    (LanguageLeaf(frozenset({"de"})), {"language": ""}, False, "language unknown, wants de"),
    (LanguageLeaf(frozenset({"pt"})), {"language": "pt-br"}, True, "language 'pt-br', wants pt"),
    (LanguageLeaf(frozenset({"zh-hant"})), {"language": "zh_Hant_TW"}, True, "language 'zh_Hant_TW', wants zh-hant"),
    (LanguageLeaf(frozenset({"pt-br"})), {"language": "pt"}, False, "language 'pt', wants pt-br"),
    (
        SentimentLeaf(at_most="neutral"),
        {"sentiment": 0.42, "polarity": "positive"},
        False,
        "sentiment 0.42 positive, at most neutral",
    ),
    (SentimentLeaf(at_most="neutral"), {"polarity": "neutral"}, True, "sentiment neutral, at most neutral"),
    (SentimentLeaf("negative", "negative"), {"polarity": "neutral"}, False, "sentiment neutral, exactly negative"),
    (SentimentLeaf(at_least="neutral"), {"sentiment": 0.3}, False, "sentiment 0.30, at least neutral"),
    (SentimentLeaf(below=-0.3), {"sentiment": -0.3}, False, "sentiment -0.30, below -0.3"),
    (SentimentLeaf(below=-0.3), {"sentiment": -0.31}, True, "sentiment -0.31, below -0.3"),
    (SentimentLeaf(below=0.5, above=0.1), {"sentiment": 0.1}, False, "sentiment 0.10, below 0.5 and above 0.1"),
    (SentimentLeaf(above=0.1), {}, False, "sentiment unknown, above 0.1"),
    (AuthorLeaf(followers_at_least=1000), {"followers": 999}, False, "followers 999, at least 1000"),
    (AuthorLeaf(followers_at_least=1000), {"followers": None}, False, "followers unknown, at least 1000"),
    (AuthorLeaf(followers_at_most=0), {"followers": 0}, True, ""),
    (AuthorLeaf(verified=True), {"verified": None}, False, "unknown whether verified, verified"),
    (AuthorLeaf(verified=False), {"verified": None}, False, "unknown whether verified, not verified"),
    (AuthorLeaf(verified=True), {"verified": True}, True, ""),
    (AuthorLeaf(segments=frozenset({"vip"})), {}, True, ""),
    (AuthorLeaf(segments=frozenset({"staff", "gold"})), {}, False, "in no such segment, in gold or staff"),
    (AuthorLeaf(not_in=frozenset({"vip", "press"})), {}, False, "in segment press and vip, not in press or vip"),
    (AuthorLeaf(not_in=frozenset({"staff"})), {}, True, ""),
    (AuthorLeaf(first_contact=True), {"first": False}, False, "known from before, first contact"),
    (AuthorLeaf(first_contact=False), {"first": True}, False, "first contact, known from before"),
    (
        AuthorLeaf(followers_at_least=5, verified=True, segments=frozenset({"vip"})),
        {"followers": 1, "verified": False},
        False,
        "followers 1, at least 5; not verified, verified",
    ),
    (RatingLeaf(at_most=2), {"rating": 4.0}, False, "rating 4, at most 2"),
    (RatingLeaf(at_most=2), {"rating": None}, False, "no rating, at most 2"),
    (RatingLeaf(1.5, 2.5), {"rating": 2.0}, True, "rating 2, at least 1.5 and at most 2.5"),
    (CobraLeaf(CobraLevel.CREATING), {"cobra": CobraLevel.CONTRIBUTING}, False, "cobra contributing, at least creating"),
    (CobraLeaf(at_most=CobraLevel.CONSUMING), {"cobra": CobraLevel.CREATING}, False, "cobra creating, at most consuming"),
    (CobraLeaf(CobraLevel.CONSUMING), {"cobra": CobraLevel.UNSPECIFIED}, False, "cobra unspecified, at least consuming"),
    (CobraLeaf(CobraLevel.CONTRIBUTING), {"cobra": CobraLevel.CREATING}, True, "cobra creating, at least contributing"),
    (HasLeaf(("image", "question")), {"media": ("image",), "text": "Nice"}, False, "has image, wants image and question"),
    (
        HasLeaf(("image", "question")),
        {"media": ("photo",), "text": "How?"},
        True,
        "has image and question, wants image and question",
    ),
    (HasLeaf(("video",)), {}, False, "has none of it, wants video"),
    (ThreadLeaf(depth_at_most=1), {"kind": "reply"}, False, "depth 2, at most 1"),
    (ThreadLeaf(depth_at_most=1), {"parent": "comment-0"}, False, "depth 2, at most 1"),
    (ThreadLeaf(depth_at_least=2), {"parent": "post-1"}, False, "depth 1, at least 2"),
    (ThreadLeaf(1, 1), {"parent": ""}, True, "depth 1, exactly 1"),
    (ThreadLeaf(depth_at_least=1), {"kind": "post", "root": ""}, False, "depth 0, at least 1"),
    (ThreadLeaf(), {}, True, "depth 1"),
]


@pytest.mark.parametrize(("leaf", "given", "expected", "detail"), CASES)
def test_each_leaf_holds_or_says_what_it_compared(
    comment: Comments, leaf: FactLeaf, given: dict[str, Any], expected: bool, detail: str
) -> None:
    told = dict(given)
    understood = Understanding(
        language=told.pop("language", ""), sentiment=told.pop("sentiment", None), polarity=told.pop("polarity", "")
    )
    cobra, first = told.pop("cobra", CobraLevel.CONTRIBUTING), told.pop("first", False)
    facts = facts_of(comment(**told), understood, cobra=cobra, first=first)
    assert holds(leaf, facts) is expected
    assert compared(leaf, facts) == detail


@pytest.mark.parametrize(
    ("leaf", "detail"),
    [
        (LanguageLeaf(frozenset({"fr", "de"})), "language 'fr', but not de or fr"),
        (SentimentLeaf(at_most="neutral"), "sentiment -0.20 negative, but not at most neutral"),
        (AuthorLeaf(verified=True, followers_at_least=3), "followers 9, but not at least 3; verified, but not verified"),
        (HasLeaf(("image",)), "has image, but not image"),
    ],
)
def test_a_negated_leaf_says_what_must_not_be(comment: Comments, leaf: FactLeaf, detail: str) -> None:
    event = comment(followers=9, verified=True, media=("image",))
    facts = facts_of(event, Understanding("fr", 0.9, -0.2, "negative"), cobra=CobraLevel.CONTRIBUTING, first=False)
    assert holds(leaf, facts)
    assert compared(leaf, facts, negated=True) == detail


def test_each_leaf_has_its_reason() -> None:
    leaves: list[FactLeaf] = [
        LanguageLeaf(frozenset({"de"})),
        SentimentLeaf("neutral"),
        AuthorLeaf(verified=True),
        RatingLeaf(1),
        CobraLeaf(CobraLevel.CREATING),
        HasLeaf(("image",)),
        ThreadLeaf(1),
    ]
    expected = [Reason.LANGUAGE, Reason.SENTIMENT, Reason.AUTHOR, Reason.RATING, Reason.COBRA, Reason.MEDIA, Reason.THREAD]
    assert [reason_of(leaf) for leaf in leaves] == expected
