"""Why a rule that matched by place and text does not act: the first reason, and what it compared."""

from collections.abc import Callable

import pytest

from rules.domain.decision import CobraLevel, Decision, Outcome, Reason
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
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
from rules.domain.matching.index import Snapshot
from rules.domain.model import Rule, Tag, Where
from rules.domain.state import EMPTY

Comments = Callable[..., Event]
Rules = Callable[..., Rule]
Brands = Callable[..., Snapshot]

LEAVES: dict[Reason, Condition] = {
    Reason.EXCLUDED_TERM: TextLeaf(none=("much",)),
    Reason.LANGUAGE: LanguageLeaf(frozenset({"de"})),
    Reason.SENTIMENT: SentimentLeaf(at_most="negative"),
    Reason.AUTHOR: AuthorLeaf(verified=True),
    Reason.RATING: RatingLeaf(at_most=2),
    Reason.COBRA: CobraLeaf(at_most=CobraLevel.CONSUMING),
    Reason.MEDIA: HasLeaf(("image",)),
    Reason.THREAD: ThreadLeaf(depth_at_least=2),
}
IN_ORDER = list(LEAVES)
UNDERSTOOD = Understanding("fr", 0.9, 0.42, "positive", 0.8)


def outcome(brand: Snapshot, event: Event) -> tuple[Reason, str] | None:
    decision: Decision = evaluate(brand, EMPTY, event, UNDERSTOOD)[0]
    return (decision.rules[0].reason, decision.rules[0].detail) if decision.rules else None


@pytest.mark.parametrize("place", range(len(IN_ORDER)))
def test_the_first_reason_in_order_is_given_whatever_the_order_of_writing(
    comment: Comments, rule: Rules, snapshot: Brands, place: int
) -> None:
    for leaves in (IN_ORDER[place:], IN_ORDER[: place - 1 : -1] if place else IN_ORDER[::-1]):
        asks = rule(when=All((TextLeaf(("how",)), *(LEAVES[reason] for reason in leaves))))
        told = outcome(snapshot(asks), comment())
        assert told is not None
        assert told[0] is IN_ORDER[place]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (LanguageLeaf(frozenset({"de", "en"})), (Reason.LANGUAGE, "language 'fr', wants de or en")),
        (SentimentLeaf(at_most="neutral"), (Reason.SENTIMENT, "sentiment 0.42 positive, at most neutral")),
        (Not(LanguageLeaf(frozenset({"fr"}))), (Reason.LANGUAGE, "language 'fr', but not fr")),
        (
            Any((SentimentLeaf(below=-0.3), LanguageLeaf(frozenset({"de"})))),
            (Reason.LANGUAGE, "sentiment 0.42 positive, below -0.3; language 'fr', wants de"),
        ),
        (
            Not(All((LanguageLeaf(frozenset({"fr"})), TextLeaf(("how much",))))),
            (Reason.EXCLUDED_TERM, "language 'fr', but not fr; how much"),
        ),
        (
            Any((All((TextLeaf(("absent",)), RatingLeaf(1))), CobraLeaf(CobraLevel.CREATING))),
            (Reason.COBRA, "cobra contributing, at least creating"),
        ),
        (
            All((LanguageLeaf(frozenset({"de"})), LanguageLeaf(frozenset({"en"})))),
            (Reason.LANGUAGE, "language 'fr', wants de; language 'fr', wants en"),
        ),
        (All((TextLeaf(("absent",)), LanguageLeaf(frozenset({"de"})))), None),
        (Any((TextLeaf(("absent",)), LanguageLeaf(frozenset({"fr"})))), (Reason.UNSPECIFIED, "")),
        (TextLeaf((r"\bhow\s+much\b",), (r"giveaway",), TextMode.REGEX), (Reason.UNSPECIFIED, "")),
        (TextLeaf((r"how",), (r"\bit\?$",), TextMode.REGEX), (Reason.EXCLUDED_TERM, r"\bit\?$")),
        (TextLeaf(("muc",), (), TextMode.PREFIX), (Reason.UNSPECIFIED, "")),
        (TextLeaf(("uch",), (), TextMode.PREFIX), None),
        (TextLeaf(("how",), ("mu",), TextMode.PREFIX), (Reason.EXCLUDED_TERM, "mu")),
    ],
)
def test_what_is_compared_is_told(
    comment: Comments, rule: Rules, snapshot: Brands, when: Condition, expected: tuple[Reason, str] | None
) -> None:
    assert outcome(snapshot(rule(when=when)), comment()) == expected


def test_a_reaction_may_be_marked_by_a_rule_that_names_it(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    brand = snapshot(rule("marks", where=Where(kinds=frozenset({"reaction"})), then=(Tag(tags=("liked",)),)), rule("answers"))
    liked, _ = evaluate(brand, EMPTY, comment(kind="reaction", text=""), UNDERSTOOD)
    shared, _ = evaluate(brand, EMPTY, comment(kind="share", text=""), UNDERSTOOD)
    assert [action.tags for action in liked.actions] == [("liked",)]
    assert [rule.rule_id for rule in liked.rules] == ["marks"]
    assert (shared.outcome, shared.cobra) == (Outcome.NO_MATCH, CobraLevel.CONTRIBUTING)
