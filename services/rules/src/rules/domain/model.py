"""The rule as it is evaluated: validated, defaults filled in, immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from rules.domain.decision import ActionKind, Mode
from rules.domain.decision import RuleLimit as RuleLimit
from rules.domain.holding import Hold
from rules.domain.leaves import Condition

FRESHNESS_SECONDS = 24 * 3600.0
"""An answer to something older than a day surprises more than it helps; a rule may say otherwise."""

SILENT_KINDS = frozenset(
    {"reaction", "share", "follow", "click", "conversion", "submission", "view", "save", "vote"},
)
"""Kinds of events that hold no words to answer where they came from. Only a rule that names one of them is asked about it,
and it may only tag, hand off, notify and enter."""

INELIGIBLE_KINDS = frozenset({"unspecified", ""})
"""Kinds of events that no rule is asked about."""


@dataclass(frozen=True, slots=True)
class FlagTerms:
    """A brand's own words for a flag; `language` "*": in every language."""

    flag: str
    language: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A brand's own model of language and sentiment; past `timeout` seconds the built-in one answers."""

    url: str
    timeout: float
    sealed_token: str = ""


@dataclass(frozen=True, slots=True)
class BrandSettings:
    """What holds for all rules of a brand. Authors are `platform:author id`.

    `disclosures`: language tag or "default" → words appended to every automatic answer.
    """

    brand: str
    mode: Mode = Mode.AUTO
    held: bool = False
    blocked: frozenset[str] = frozenset()
    opted_out: frozenset[str] = frozenset()
    held_reason: str = ""
    languages: tuple[str, ...] = ()
    disclosures: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    flag_terms: tuple[FlagTerms, ...] = ()
    remote: RemoteModel | None = None
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class Where:
    """Cheap conditions on place; `ads` is "include", "exclude" or "only".

    An empty set restricts nothing, but no kinds mean all that can be answered: silent kinds must be named.
    """

    platforms: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    objects_only: frozenset[str] = frozenset()
    objects_except: frozenset[str] = frozenset()
    top_level_only: bool = False
    ads: str = "include"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(_Step):
    """Tell another system, by a webhook signed with the brand's secret of that name."""

    url: str
    secret_ref: str
    kind: ClassVar[ActionKind] = ActionKind.NOTIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter(_Step):
    """Take it in as an entry of a campaign."""

    campaign: str
    kind: ClassVar[ActionKind] = ActionKind.ENTER


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRights(_Step):
    """Ask its author for the rights that a campaign asks for, in the campaign's words."""

    campaign: str
    kind: ClassVar[ActionKind] = ActionKind.REQUEST_RIGHTS


RuleAction = Enter | RequestRights | Notify | Reply | PrivateReply | Hide | Unhide | Like | Delete | Tag | Handoff


@dataclass(frozen=True, slots=True)
class Experiment:
    """The rule acts for this share (0 to 1) of authors, always the same ones; for the others it is held out."""

    name: str
    share: float


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
    test: Experiment | None = None
