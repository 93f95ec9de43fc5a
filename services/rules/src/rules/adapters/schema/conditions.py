"""`where`, `when`, `schedule` and `limits` of a rule document."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rules.adapters.schema.facts import (
    AuthorPart,
    CobraField,
    FeaturesPart,
    LanguagesPart,
    RatingPart,
    SentimentField,
    ThreadPart,
)
from rules.adapters.schema.fields import (
    Count,
    Day,
    Duration,
    Flag,
    Hours,
    Identifier,
    Part,
    Slug,
    Zone,
    as_list,
    custom,
    minutes,
    refuse,
    seconds,
)
from rules.adapters.schema.text import TextPart
from rules.domain import leaves, model
from rules.domain.decision import LimitScope, RuleLimit

MAX_DEPTH = 5
"""How deep conditions may be nested; people do not read deeper ones."""

_MAX_PARTS = 50
_MAX_OBJECTS = 1000
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Platform = Literal[
    "facebook", "instagram", "whatsapp", "x", "youtube", "linkedin", "reddit", "pinterest", "snapchat", "tiktok",
    "telegram", "mastodon", "bluesky", "google_business", "trustpilot", "xing", "flickr", "web",
]  # fmt: skip
EventKind = Literal[
    "comment", "reply", "mention", "message", "review", "post", "reaction", "share", "follow", "story_mention",
    "click", "conversion", "submission", "view", "save", "vote",
]  # fmt: skip
Objects = Annotated[list[Identifier], Field(max_length=_MAX_OBJECTS), BeforeValidator(as_list)]


class ObjectsPart(Part):
    """Which posts (or single comments), by their platform ids."""

    only: Objects = []
    except_: Objects = Field([], alias="except")


class WherePart(Part):
    """Cheap conditions on place."""

    platforms: Annotated[list[Platform], Field(max_length=50), BeforeValidator(as_list)] = []
    channels: Annotated[list[Slug], Field(max_length=200), BeforeValidator(as_list)] = []
    kinds: Annotated[list[EventKind], Field(max_length=50), BeforeValidator(as_list)] = []
    objects: ObjectsPart = ObjectsPart()
    top_level_only: Flag = False
    ads: Literal["include", "exclude", "only"] = "include"

    def to_domain(self) -> model.Where:
        """Return what the evaluator reads."""
        return model.Where(
            platforms=frozenset(self.platforms),
            channels=frozenset(self.channels),
            kinds=frozenset(self.kinds),
            objects_only=frozenset(self.objects.only),
            objects_except=frozenset(self.objects.except_),
            top_level_only=self.top_level_only,
            ads=self.ads,
        )


class ConditionPart(Part):
    """One node of `when`: exactly one of its fields is given."""

    all: Annotated[list["ConditionPart"], Field(min_length=1, max_length=_MAX_PARTS)] | None = None
    any: Annotated[list["ConditionPart"], Field(min_length=1, max_length=_MAX_PARTS)] | None = None
    not_: "ConditionPart | None" = Field(None, alias="not")
    text: TextPart | None = None
    language: LanguagesPart | None = None
    sentiment: SentimentField | None = None
    author: AuthorPart | None = None
    rating: RatingPart | None = None
    cobra: CobraField | None = None
    has: FeaturesPart | None = None
    thread: ThreadPart | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise custom("one_of", "give exactly one of all, any, not or one leaf")
        return self

    def texts(self) -> list[TextPart]:
        """Return the text leaves at the node and below it."""
        below = [*(self.all or []), *(self.any or []), *([self.not_] if self.not_ else [])]
        return [*([self.text] if self.text else []), *(text for part in below for text in part.texts())]

    def to_domain(self) -> leaves.Condition:
        """Return what the evaluator reads."""
        if self.all is not None:
            return leaves.All(tuple(part.to_domain() for part in self.all))
        if self.any is not None:
            return leaves.Any(tuple(part.to_domain() for part in self.any))
        if self.not_ is not None:
            return leaves.Not(self.not_.to_domain())
        given = (self.text, self.language, self.sentiment, self.author, self.rating, self.cobra, self.has, self.thread)
        return next(leaf for leaf in given if leaf is not None).to_domain()


def check_depth(value: object) -> object:
    """Refuse conditions that are nested too deep, before they are read at all."""
    if _depth(value, MAX_DEPTH + 1) > MAX_DEPTH:
        raise custom("too_deep", f"conditions are nested deeper than {MAX_DEPTH}")
    return value


def _depth(value: object, most: int) -> int:
    if not isinstance(value, dict) or most == 0:
        return 0
    below = [part for name in ("all", "any") if isinstance(value.get(name), list) for part in value[name]]
    return 1 + max((_depth(part, most - 1) for part in [*below, value.get("not")]), default=0)


class SchedulePart(Part):
    """When the rule acts."""

    timezone: Zone = "UTC"
    weekdays: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], BeforeValidator(as_list)] = []
    hours: Annotated[list[Hours], Field(max_length=20), BeforeValidator(as_list)] = []
    from_: Day | None = Field(None, alias="from")
    until: Day | None = None
    except_: Annotated[list[Day], Field(max_length=400)] = Field([], alias="except")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until < self.from_:
            refuse([(("until",), "date", "ends before it starts")])
        return self

    def to_domain(self) -> model.Schedule:
        """Return what the evaluator reads."""
        days: frozenset[date] = frozenset(self.except_)
        weekdays = frozenset(_DAYS.index(day) for day in self.weekdays)
        return model.Schedule(self.timezone, weekdays, tuple(minutes(span) for span in self.hours), self.from_, self.until, days)


class LimitPart(Part):
    """How often the rule may act for one author, post, thread …; without `within` for ever."""

    per: Literal["author", "author_object", "thread", "object", "rule", "brand"]
    at_most: Count = 1
    within: Duration | None = None

    def to_domain(self) -> RuleLimit:
        """Return what the evaluator reads."""
        return RuleLimit(LimitScope(self.per), self.at_most, seconds(self.within) if self.within else None)
