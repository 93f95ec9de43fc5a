"""What a rule asks of an event: leaves, and how they are put together."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, auto

from rules.domain.decision import CobraLevel


class TextMode(StrEnum):
    """How a term is found in a text."""

    WORDS = auto()
    CONTAINS = auto()
    EXACT = auto()
    PREFIX = auto()
    REGEX = auto()


@dataclass(frozen=True, slots=True)
class TextLeaf:
    """At least one of `any` (when there are some) and none of `none`; terms as people wrote them.

    `squeeze`: repeated letters do not matter ("sooo").
    """

    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    mode: TextMode = TextMode.WORDS
    squeeze: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Every one holds."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one holds."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class LanguageLeaf:
    """The language is one of these tags; "pt" also takes in "pt-br"."""

    any: frozenset[str]


@dataclass(frozen=True, slots=True)
class SentimentLeaf:
    """Polarity between two words ("negative" < "neutral" < "positive"), score between two bounds; "" and None: no bound.

    Both `below` and `above` are exclusive, on the score from -1 to 1. Never holds where no sentiment was determined.
    """

    at_least: str = ""
    at_most: str = ""
    below: float | None = None
    above: float | None = None


@dataclass(frozen=True, slots=True)
class AuthorLeaf:
    """Who wrote it; every given part must hold. What a platform does not tell (followers, verified) does not hold.

    `segments`: in one of them; `not_in`: in none of them; `first_contact`: no event of the author is known from before.
    """

    followers_at_least: int | None = None
    followers_at_most: int | None = None
    verified: bool | None = None
    segments: frozenset[str] = frozenset()
    not_in: frozenset[str] = frozenset()
    first_contact: bool | None = None


@dataclass(frozen=True, slots=True)
class RatingLeaf:
    """A rating from 1 to 5 between two bounds, both included. Never holds without a rating."""

    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class CobraLeaf:
    """The event's COBRA level between two levels, both included."""

    at_least: CobraLevel = CobraLevel.UNSPECIFIED
    at_most: CobraLevel = CobraLevel.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class HasLeaf:
    """Every one of `features` is there: image, video, link, question, emoji_only, complaint, praise, purchase_intent, spam,
    "hashtag:<folded name>" or "mention:<folded handle>".
    """

    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThreadLeaf:
    """How deep in its thread: 1 stands directly on the post, 2 answers such a comment, and so on."""

    depth_at_least: int | None = None
    depth_at_most: int | None = None


FactLeaf = LanguageLeaf | SentimentLeaf | AuthorLeaf | RatingLeaf | CobraLeaf | HasLeaf | ThreadLeaf
"""Leaves that are asked of the event and of what was understood of it, not of its words."""

Condition = All | Any | Not | TextLeaf | FactLeaf


def leaves_of(condition: Condition) -> Iterator[TextLeaf | FactLeaf]:
    """Return every leaf below (or at) the condition, in the order of writing."""
    match condition:
        case All() | Any():
            for part in condition.of:
                yield from leaves_of(part)
        case Not():
            yield from leaves_of(condition.of)
        case _:
            yield condition
