"""`where`, `when`, `schedule` and `limits` of a rule document."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from rules.adapters.schema_fields import (
    Count,
    Day,
    Duration,
    Finding,
    Flag,
    Hours,
    Identifier,
    Later,
    Part,
    Slug,
    Zone,
    as_list,
    custom,
    later,
    minutes,
    refuse,
    seconds,
    written,
)
from rules.domain import model
from rules.domain.decision import LimitScope, RuleLimit
from rules.domain.model import INELIGIBLE_KINDS
from rules.domain.text import is_maskable, patterns

MAX_TERMS = 500
"""Terms a rule may have: more belong into several rules, and make every save and every index larger."""

MAX_DEPTH = 5
"""How deep conditions may be nested; people do not read deeper ones."""

_MAX_PARTS = 50
_MAX_OBJECTS = 1000
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Platform = Literal[
    "facebook", "instagram", "whatsapp", "x", "youtube", "linkedin", "reddit", "pinterest", "snapchat", "tiktok",
    "telegram", "mastodon", "bluesky", "google_business", "trustpilot", "xing", "flickr",
]  # fmt: skip
EventKind = Literal["comment", "reply", "mention", "message", "review", "post", "reaction", "share", "follow", "story_mention"]
Term = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(written)]
Terms = Annotated[list[Term], Field(max_length=MAX_TERMS), BeforeValidator(as_list)]
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

    @model_validator(mode="after")
    def _check_kinds(self) -> Self:
        refuse(
            (("kinds", place), "not_yet_supported", "not yet supported")
            for place, kind in enumerate(self.kinds)
            if kind in INELIGIBLE_KINDS
        )
        return self

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


class TextPart(Part):
    """Terms to be found, and terms that must not be."""

    any: Terms = []
    none: Terms = []
    as_: Literal["words", "contains", "exact", "prefix", "regex"] = Field("words", alias="as")
    squeeze: Flag = False

    @field_validator("as_")
    @classmethod
    def _supported(cls, value: str) -> str:
        return later(value) if value in {"prefix", "regex"} else value

    @model_validator(mode="after")
    def _check_terms(self) -> Self:
        if not self.any and not self.none:
            raise custom("empty", "needs terms in `any` or in `none`")
        refuse(self._findings())
        return self

    def _findings(self) -> Iterator[Finding]:
        for name in ("any", "none"):
            for place, term in enumerate(getattr(self, name)):
                if not patterns(term):
                    yield (name, place), "term", "nothing of this term is ever found in a text"
                elif self.as_ != "exact" and is_maskable(term):
                    yield (name, place), "term", "links and handles are left out before terms are looked for"

    def to_domain(self) -> model.TextLeaf:
        """Return what the evaluator reads."""
        return model.TextLeaf(tuple(self.any), tuple(self.none), model.TextMode(self.as_), self.squeeze)


class ConditionPart(Part):
    """One node of `when`: exactly one of its fields is given."""

    all: Annotated[list["ConditionPart"], Field(min_length=1, max_length=_MAX_PARTS)] | None = None
    any: Annotated[list["ConditionPart"], Field(min_length=1, max_length=_MAX_PARTS)] | None = None
    not_: "ConditionPart | None" = Field(None, alias="not")
    text: TextPart | None = None
    language: Later = None
    sentiment: Later = None
    author: Later = None
    rating: Later = None
    cobra: Later = None
    has: Later = None
    thread: Later = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise custom("one_of", "give exactly one of all, any, not or one leaf")
        return self

    def terms(self) -> int:
        """Return how many terms the node and all below it have."""
        own = len(self.text.any) + len(self.text.none) if self.text else 0
        return own + sum(part.terms() for part in [*(self.all or []), *(self.any or []), *([self.not_] if self.not_ else [])])

    def to_domain(self) -> model.Condition:
        """Return what the evaluator reads."""
        if self.all is not None:
            return model.All(tuple(part.to_domain() for part in self.all))
        if self.any is not None:
            return model.Any(tuple(part.to_domain() for part in self.any))
        if self.not_ is not None:
            return model.Not(self.not_.to_domain())
        assert self.text is not None  # noqa: S101 (exactly one is given and the others are refused)
        return self.text.to_domain()


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
