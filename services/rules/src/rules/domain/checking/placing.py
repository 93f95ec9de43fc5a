"""Events that stand where a rule looks, and conditions with what a text alone does not tell taken as fitting."""

from dataclasses import replace
from math import inf
from typing import get_args

from rules.domain.event import Event
from rules.domain.leaves import (
    All,
    Any,
    AuthorLeaf,
    CobraLeaf,
    Condition,
    FactLeaf,
    HasLeaf,
    Not,
    RatingLeaf,
    TextLeaf,
    ThreadLeaf,
)
from rules.domain.model import BrandSettings, Rule, Where

_ATTACHED = frozenset({"image", "video", "link"})
"""Features that may come with a text without standing in it."""

_USUAL_PLATFORM, _USUAL_KIND = "facebook", "comment"
"""Where an event stands when the rule looks everywhere."""

Told = frozenset[type[FactLeaf]]
"""Kinds of conditions whose facts are told; those of others are taken as fitting."""

NOTHING_TOLD: Told = frozenset()
EVERYTHING_TOLD: Told = frozenset(get_args(FactLeaf))


def placed(where: Where, text: str, moment: float, *, brand: str, event_id: str = "example") -> Event:
    """Return an event with the text that stands where the rule looks; `moment` in unix seconds."""
    post = min(where.objects_only, default="") or _other_than(where.objects_except)
    return Event(
        event_id=event_id,
        brand=brand,
        platform=_preferred(_USUAL_PLATFORM, where.platforms),
        account="example-account",
        channel=min(where.channels, default="example-channel"),
        kind=_preferred(_USUAL_KIND, where.kinds),
        verb="create",
        object=f"{post}-1",
        parent="",
        root=post,
        author_id="example-author",
        author_name="Alex Example",
        author_handle="alex.example",
        followers=None,
        verified=None,
        text=text,
        media=(),
        rating=None,
        ad=where.ads == "only",
        echo=False,
        event_time=moment,
        received_time=moment,
    )


def _preferred(usual: str, allowed: frozenset[str]) -> str:
    return usual if not allowed or usual in allowed else min(allowed)


def _other_than(taken: frozenset[str]) -> str:
    name = "example-post"
    while name in taken or f"{name}-1" in taken:
        name += "-x"
    return name


def alone(rule: Rule, told: Told = NOTHING_TOLD) -> Rule:
    """Return the rule as it acts by itself: at any time, as often as asked, for every author."""
    return replace(rule, when=possible(rule.when, told), schedule=None, limits=(), freshness_seconds=inf, test=None, stop=False)


def unbarred(settings: BrandSettings) -> BrandSettings:
    """Return a brand's settings without what keeps every rule from acting: a hold, people who are not answered."""
    return replace(settings, held=False, blocked=frozenset(), opted_out=frozenset())


def possible(condition: Condition | None, told: Told = NOTHING_TOLD, *, negated: bool = False) -> Condition | None:
    """Return the condition with all facts that are not told taken as fitting; None: it can hold whatever the text.

    `negated`: it stands below an odd number of `not`.
    """
    match condition:
        case None | TextLeaf():
            return condition
        case Not():
            inner = possible(condition.of, told, negated=not negated)
            return Not(inner) if inner is not None else None
        case All() | Any():
            return _possible_parts(condition, told, negated=negated)
        case HasLeaf():
            return condition if negated or HasLeaf in told else _in_the_text(condition)
        case AuthorLeaf() | RatingLeaf() | CobraLeaf() | ThreadLeaf():
            return condition if type(condition) in told else None
        case _:
            return condition


def _possible_parts(condition: All | Any, told: Told, *, negated: bool) -> All | Any | None:
    parts = [possible(part, told, negated=negated) for part in condition.of]
    kept = tuple(part for part in parts if part is not None)
    needs_all = isinstance(condition, All) is not negated
    if not kept or (not needs_all and len(kept) < len(parts)):
        return None
    return type(condition)(kept)


def _in_the_text(leaf: HasLeaf) -> HasLeaf | None:
    features = tuple(feature for feature in leaf.features if feature not in _ATTACHED)
    return HasLeaf(features) if features else None
