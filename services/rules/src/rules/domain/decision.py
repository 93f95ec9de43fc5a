"""What the rules made of one event. Names of the enums' members are those of the contract, without prefix."""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import NamedTuple

from rules.domain.event import NOTHING_UNDERSTOOD, Event, Understanding


class Outcome(StrEnum):
    """The whole event in one word."""

    UNSPECIFIED = auto()
    ACTED = auto()
    NO_MATCH = auto()
    NOT_ACTED = auto()
    NOT_ELIGIBLE = auto()
    UNKNOWN_BRAND = auto()


class Reason(StrEnum):
    """Why a rule that matched by place and text did not act; UNSPECIFIED: it acted."""

    UNSPECIFIED = auto()
    EXCLUDED_TERM = auto()
    LANGUAGE = auto()
    SENTIMENT = auto()
    AUTHOR = auto()
    RATING = auto()
    COBRA = auto()
    MEDIA = auto()
    THREAD = auto()
    SCHEDULE = auto()
    LIMIT = auto()
    SLOT_TAKEN = auto()
    STOPPED = auto()
    OWN_ACCOUNT = auto()
    HUMAN_ACTIVE = auto()
    STALE = auto()
    HELD = auto()
    BLOCKED = auto()
    OPTED_OUT = auto()
    HOLDOUT = auto()
    NO_TEMPLATE_LANGUAGE = auto()
    TOO_LONG = auto()
    DUPLICATE = auto()


class Mode(StrEnum):
    """How far an action may go by itself."""

    UNSPECIFIED = auto()
    AUTO = auto()
    APPROVAL = auto()
    SHADOW = auto()


class ActionKind(StrEnum):
    """What to do."""

    UNSPECIFIED = auto()
    REPLY = auto()
    PRIVATE_REPLY = auto()
    HIDE = auto()
    UNHIDE = auto()
    DELETE = auto()
    LIKE = auto()
    TAG = auto()
    HANDOFF = auto()
    ENTER = auto()
    REQUEST_RIGHTS = auto()
    NOTIFY = auto()
    FEATURE = auto()


class CobraLevel(StrEnum):
    """A person's online brand-related activity, in rising order (Muntinga, Moorman & Smit 2011)."""

    UNSPECIFIED = auto()
    CONSUMING = auto()
    CONTRIBUTING = auto()
    CREATING = auto()


class LimitScope(StrEnum):
    """What a limit is counted for."""

    UNSPECIFIED = auto()
    AUTHOR = auto()
    AUTHOR_OBJECT = auto()
    THREAD = auto()
    OBJECT = auto()
    RULE = auto()
    BRAND = auto()


def strictest(*modes: Mode) -> Mode:
    """Return the one of several modes that lets an action go least far."""
    if Mode.SHADOW in modes:
        return Mode.SHADOW
    return Mode.APPROVAL if Mode.APPROVAL in modes else Mode.AUTO


class ConsentAnswer(StrEnum):
    """How words read as an answer to a request for rights; UNCLEAR waits for a person."""

    UNSPECIFIED = auto()
    GRANTED = auto()
    REFUSED = auto()
    WITHDRAWN = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, slots=True)
class ConsentReading:
    """How the event's words read as an answer to a campaign's request; `phrase` is the configured one that was found."""

    campaign: str
    answer: ConsentAnswer
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """What a campaign would take in.

    `reason`: the condition that failed, a word of `Reason` or "text" (words that are asked for are missing) or "friends"
    (too few people are named); "" when eligible. `media` are (type, URL); `hashtags` and `friends` are folded, in order.
    `trigger`: hashtag, mention, form or rule.
    """

    eligible: bool
    reason: str
    detail: str
    text: str
    media: tuple[tuple[str, str], ...]
    hashtags: tuple[str, ...]
    friends: tuple[str, ...]
    campaign_version: int
    trigger: str


@dataclass(frozen=True, slots=True)
class RuleLimit:
    """At most `at_most` events may make the rule act for one `per` in any `within_seconds` (None: for ever)."""

    per: LimitScope
    at_most: int
    within_seconds: float | None = None


class Action(NamedTuple):
    """One thing to do. `not_before` and `expires` are unix seconds UTC; `text` is as it will be posted.

    `position` is the place in the rule's `then`, from 0; `limits` are those that cross authors.
    """

    action_id: str
    rule_id: str
    rule_version: int
    position: int
    kind: ActionKind
    mode: Mode
    text: str
    language: str
    variant: int
    not_before: float
    expires: float
    limits: tuple[RuleLimit, ...]
    tags: tuple[str, ...] = ()
    queue: str = ""
    note: str = ""
    campaign: str = ""
    url: str = ""
    secret_ref: str = ""
    body: str = ""
    entry: EntryDraft | None = None


class RuleOutcome(NamedTuple):
    """What became of a rule that matched by place and text; `detail` names the values compared, for people."""

    rule_id: str
    rule_version: int
    reason: Reason = Reason.UNSPECIFIED
    detail: str = ""


class Assignment(NamedTuple):
    """The arm ("treatment" or "holdout") of an experiment that the author is in, for a rule that matched."""

    experiment: str
    rule_id: str
    arm: str


class Decision(NamedTuple):
    """The decision on one event under one configuration.

    `topics`: `kind:id` of the brand's topics that the text names; `campaigns`: those whose trigger it met, eligible or not,
    and the one whose tracked link led to it; `text_sha256`: of the text that `consents` were read from, "" where none was.
    """

    event: Event
    config_revision: int
    outcome: Outcome
    reason: Reason
    rules: tuple[RuleOutcome, ...] = ()
    actions: tuple[Action, ...] = ()
    understanding: Understanding = NOTHING_UNDERSTOOD
    cobra: CobraLevel = CobraLevel.UNSPECIFIED
    assignments: tuple[Assignment, ...] = ()
    topics: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    consents: tuple[ConsentReading, ...] = ()
    text_sha256: str = ""
    holds: tuple[str, ...] = ()
