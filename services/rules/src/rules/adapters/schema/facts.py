"""Leaves of a rule document that are asked of the event and of what was understood of it."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, RootModel, StrictInt, model_validator

from rules.adapters.schema.fields import Flag, LanguageTag, Number, Part, Slug, as_list, custom, refuse, written
from rules.domain import leaves
from rules.domain.decision import CobraLevel
from rules.domain.matching.facts import COBRA_LEVELS, IN_THREAD, POLARITIES
from rules.domain.matching.features import HASHTAG, MENTION, PLAIN, named
from rules.domain.matching.text import fold

_MAX_NAMES = 60
_MAX_FEATURES = 20

Polarity = Literal["negative", "neutral", "positive"]
Cobra = Literal["consuming", "contributing", "creating"]
Followers = Annotated[StrictInt, Field(ge=0, le=10_000_000_000)]
Stars = Annotated[Number, Field(ge=1, le=5)]
Depth = Annotated[StrictInt, Field(ge=0, le=1000)]
Slugs = Annotated[list[Slug], Field(max_length=_MAX_NAMES), BeforeValidator(as_list)]


def _feature(value: str) -> str:
    """Return the feature with its name folded, so that every way of writing it is one."""
    kind, colon, name = value.partition(":")
    prefix, sign = kind + colon, {HASHTAG: "#", MENTION: "@"}.get(kind + colon, "")
    if not sign:
        if value not in PLAIN:
            raise custom("feature", f"one of {', '.join(sorted(PLAIN))}, hashtag:<name> or mention:<handle>")
        return value
    folded = fold(name.strip()).removeprefix(sign)
    if named(sign + folded, sign) != {folded}:
        raise custom("feature", f'a {kind} is one word, written "{prefix}summer26"')
    return prefix + folded


Feature = Annotated[str, Field(max_length=200), AfterValidator(_feature), BeforeValidator(written)]


def _as_both(value: object) -> object:
    """Return one word as both bounds: `sentiment: negative`."""
    return {"at_least": value, "at_most": value} if isinstance(value, str) else value


def _refuse_empty(part: Part) -> None:
    if all(getattr(part, name) in (None, []) for name in type(part).model_fields):
        raise custom("empty", f"needs at least one of {', '.join(type(part).model_fields)}")


def _refuse_crossed(part: Part, least: str, most: str, order: tuple[str, ...] = ()) -> None:
    """Refuse bounds between which nothing lies."""
    low, high = getattr(part, least), getattr(part, most)
    if low is None or high is None:
        return
    if (order.index(low) > order.index(high)) if order else low > high:
        refuse([((most,), "contradiction", f"{least} {low} and {most} {high}: nothing is both")])


class LanguagesPart(RootModel[list[LanguageTag]]):
    """One of these languages; "pt" also takes in "pt-br"."""

    root: Annotated[list[LanguageTag], Field(min_length=1, max_length=_MAX_NAMES), BeforeValidator(as_list)]

    def to_domain(self) -> leaves.LanguageLeaf:
        """Return what the evaluator reads."""
        return leaves.LanguageLeaf(frozenset(self.root))


class SentimentPart(Part):
    """Between two words, or between two scores from -1 to 1 (exclusive). Never true where no sentiment was found."""

    at_least: Polarity | None = None
    at_most: Polarity | None = None
    below: Annotated[Number, Field(gt=-1, le=1)] | None = None
    above: Annotated[Number, Field(ge=-1, lt=1)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_empty(self)
        _refuse_crossed(self, "at_least", "at_most", POLARITIES)
        if self.below is not None and self.above is not None and self.above >= self.below:
            refuse([(("above",), "contradiction", f"below {self.below:g} and above {self.above:g}: nothing is both")])
        return self

    def to_domain(self) -> leaves.SentimentLeaf:
        """Return what the evaluator reads."""
        return leaves.SentimentLeaf(self.at_least or "", self.at_most or "", self.below, self.above)


class AuthorPart(Part):
    """Who wrote it; every given part must hold."""

    followers_at_least: Followers | None = None
    followers_at_most: Followers | None = None
    verified: Flag | None = None
    segments: Slugs = []
    not_in: Slugs = []
    first_contact: Flag | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_empty(self)
        _refuse_crossed(self, "followers_at_least", "followers_at_most")
        both = sorted({*self.segments} & {*self.not_in})
        if both:
            refuse([(("not_in",), "contradiction", f"{both[0]} is asked for and excluded")])
        return self

    def to_domain(self) -> leaves.AuthorLeaf:
        """Return what the evaluator reads."""
        return leaves.AuthorLeaf(
            self.followers_at_least,
            self.followers_at_most,
            self.verified,
            frozenset(self.segments),
            frozenset(self.not_in),
            self.first_contact,
        )


class RatingPart(Part):
    """Between two numbers of stars, both included. Never true of what has no rating."""

    at_least: Stars | None = None
    at_most: Stars | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_empty(self)
        _refuse_crossed(self, "at_least", "at_most")
        return self

    def to_domain(self) -> leaves.RatingLeaf:
        """Return what the evaluator reads."""
        return leaves.RatingLeaf(self.at_least, self.at_most)


class CobraPart(Part):
    """Between two levels of activity, both included."""

    at_least: Cobra | None = None
    at_most: Cobra | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_empty(self)
        _refuse_crossed(self, "at_least", "at_most", COBRA_LEVELS)
        return self

    def to_domain(self) -> leaves.CobraLeaf:
        """Return what the evaluator reads."""
        bounds = (CobraLevel(bound) if bound else CobraLevel.UNSPECIFIED for bound in (self.at_least, self.at_most))
        return leaves.CobraLeaf(*bounds)


class FeaturesPart(RootModel[list[Feature]]):
    """All of these features."""

    root: Annotated[list[Feature], Field(min_length=1, max_length=_MAX_FEATURES), BeforeValidator(as_list)]

    def to_domain(self) -> leaves.HasLeaf:
        """Return what the evaluator reads."""
        return leaves.HasLeaf(tuple(self.root))


class ThreadPart(Part):
    """How deep in its thread: 1 stands directly on the post, 2 below such a comment."""

    depth_at_least: Depth | None = None
    depth_at_most: Depth | None = None
    human_active: Flag | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_empty(self)
        _refuse_crossed(self, "depth_at_least", "depth_at_most")
        if self.depth_at_least is not None and self.depth_at_least > IN_THREAD:
            told = f"platforms tell only what stands on a post (1) from what stands below a comment ({IN_THREAD})"
            refuse([(("depth_at_least",), "depth", f"{told}; at most {IN_THREAD} can be asked for")])
        if self.human_active:
            refuse(
                [(("human_active",), "human_active", "nothing is answered where a person of the brand is writing; leave it out")]
            )
        return self

    def to_domain(self) -> leaves.ThreadLeaf:
        """Return what the evaluator reads; that people of the brand come first holds for every rule."""
        return leaves.ThreadLeaf(self.depth_at_least, self.depth_at_most)


SentimentField = Annotated[SentimentPart, BeforeValidator(_as_both)]
CobraField = Annotated[CobraPart, BeforeValidator(_as_both)]
