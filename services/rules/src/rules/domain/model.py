"""The rule as it is evaluated: validated, defaults filled in, immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum, auto
from typing import ClassVar

from rules.domain.decision import ActionKind, Mode
from rules.domain.decision import RuleLimit as RuleLimit

FRESHNESS_SECONDS = 24 * 3600.0
"""An answer to something older than a day surprises more than it helps; a rule may say otherwise."""

INELIGIBLE_KINDS = frozenset({"reaction", "share", "follow", "unspecified", ""})
"""Kinds of events that hold nothing to answer."""


@dataclass(frozen=True, slots=True)
class BrandSettings:
    """What holds for all rules of a brand. Authors are `platform:author id`."""

    brand: str
    mode: Mode = Mode.AUTO
    held: bool = False
    blocked: frozenset[str] = frozenset()
    opted_out: frozenset[str] = frozenset()
    held_reason: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """Cheap conditions on place; an empty set restricts nothing. `ads` is "include", "exclude" or "only"."""

    platforms: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    objects_only: frozenset[str] = frozenset()
    objects_except: frozenset[str] = frozenset()
    top_level_only: bool = False
    ads: str = "include"


class TextMode(StrEnum):
    """How a term is found in a text."""

    WORDS = auto()
    CONTAINS = auto()
    EXACT = auto()


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


Condition = All | Any | Not | TextLeaf


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the rule acts, on the wall clock of `timezone` (an IANA name).

    `weekdays`: 0 = Monday, empty = all. `hours`: (from, to) in minutes of the day, `to` excluded, over midnight when
    `to` <= `from`; such a span belongs to the day it starts on. `from_` and `until` are both included.
    """

    timezone: str = "UTC"
    weekdays: frozenset[int] = frozenset()
    hours: tuple[tuple[int, int], ...] = ()
    from_: date | None = None
    until: date | None = None
    except_: frozenset[date] = frozenset()


Texts = Mapping[str, tuple[str, ...]]
"""Language tag in lower case, or "default" → variants."""

Delay = tuple[float, float]
"""Shortest and longest wait before posting, seconds."""


PUBLIC_SLOT, PRIVATE_SLOT, MODERATION_SLOT = "public reply", "private reply", "moderation"
"""Of each slot an event has one; actions without a slot add up."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What holds for every action."""

    mode: Mode = Mode.AUTO
    delay: Delay = (0.0, 0.0)
    kind: ClassVar[ActionKind] = ActionKind.UNSPECIFIED
    slot: ClassVar[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(_Step):
    """What posts words."""

    texts: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Answer):
    """Answer in public."""

    kind: ClassVar[ActionKind] = ActionKind.REPLY
    slot: ClassVar[str] = PUBLIC_SLOT


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateReply(Answer):
    """Answer by a private message."""

    kind: ClassVar[ActionKind] = ActionKind.PRIVATE_REPLY
    slot: ClassVar[str] = PRIVATE_SLOT


@dataclass(frozen=True, slots=True)
class Hide(_Step):
    """Take what was written out of sight of others."""

    kind: ClassVar[ActionKind] = ActionKind.HIDE
    slot: ClassVar[str] = MODERATION_SLOT


@dataclass(frozen=True, slots=True)
class Unhide(_Step):
    """Show again what was hidden."""

    kind: ClassVar[ActionKind] = ActionKind.UNHIDE
    slot: ClassVar[str] = MODERATION_SLOT


@dataclass(frozen=True, slots=True)
class Like(_Step):
    """Like what was written."""

    kind: ClassVar[ActionKind] = ActionKind.LIKE
    slot: ClassVar[str] = MODERATION_SLOT


@dataclass(frozen=True, slots=True)
class Delete(_Step):
    """Delete what was written; always asks a person first, whatever its mode."""

    kind: ClassVar[ActionKind] = ActionKind.DELETE
    slot: ClassVar[str] = MODERATION_SLOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag(_Step):
    """Mark the event for people and reports."""

    tags: tuple[str, ...]
    kind: ClassVar[ActionKind] = ActionKind.TAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff(_Step):
    """Give the thread to people."""

    queue: str
    note: str = ""
    kind: ClassVar[ActionKind] = ActionKind.HANDOFF


RuleAction = Reply | PrivateReply | Hide | Unhide | Like | Delete | Tag | Handoff


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a rule. Lower `priority` goes first, ties by `rule_id`; `when` None: any text."""

    rule_id: str
    version: int
    brand: str
    name: str = ""
    priority: int = 100
    where: Where = field(default_factory=Where)
    when: Condition | None = None
    schedule: Schedule | None = None
    limits: tuple[RuleLimit, ...] = ()
    then: tuple[RuleAction, ...] = ()
    stop: bool = False
    freshness_seconds: float = FRESHNESS_SECONDS
    mode: Mode = Mode.AUTO
