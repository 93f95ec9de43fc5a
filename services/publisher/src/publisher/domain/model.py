"""The words of the ledger. Times are unix seconds (UTC) unless a name says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """Where an action stands."""

    NEW = "new"
    SENDING = "sending"
    UNKNOWN = "unknown"
    POSTED = "posted"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    SHADOWED = "shadowed"
    WAITING_APPROVAL = "waiting_approval"
    REJECTED = "rejected"
    PARKED = "parked"


TOLD = frozenset(State) - {State.NEW, State.SENDING, State.UNKNOWN}
"""States that people and reports hear of; the others are on the way."""


class Reason(StrEnum):
    """Why a state was reached; names equal those of the contract's `DeliveryReason`."""

    NONE = "unspecified"
    STALE = "stale"
    LIMIT = "limit"
    TARGET_TAKEN = "target_taken"
    TARGET_DELETED = "target_deleted"
    TARGET_EDITED = "target_edited"
    HUMAN_ACTIVE = "human_active"
    HELD = "held"
    NO_CHANNEL = "no_channel"
    CREDENTIAL = "credential"
    PERMISSION = "permission"
    TARGET_GONE = "target_gone"
    POLICY = "policy"
    DUPLICATE_CONTENT = "duplicate_content"
    ALREADY_DONE = "already_done"
    UNREACHABLE_PERSON = "unreachable_person"
    UNSUPPORTED = "unsupported"
    INVALID = "invalid"
    UNKNOWN_OUTCOME = "unknown_outcome"
    RETRIES_EXHAUSTED = "retries_exhausted"
    OPTED_OUT = "opted_out"
    NO_SECRET = "no_secret"  # noqa: S105 (the name of a reason)
    NO_RIGHTS = "no_rights"


class Kind(StrEnum):
    """What an action does; names equal those of the contract's `ActionKind`."""

    REPLY = "reply"
    PRIVATE_REPLY = "private_reply"
    HIDE = "hide"
    UNHIDE = "unhide"
    DELETE = "delete"
    LIKE = "like"
    TAG = "tag"
    HANDOFF = "handoff"
    ENTER = "enter"
    REQUEST_RIGHTS = "request_rights"
    NOTIFY = "notify"
    FEATURE = "feature"


ACTING = frozenset({Kind.REPLY, Kind.PRIVATE_REPLY, Kind.HIDE, Kind.UNHIDE, Kind.DELETE, Kind.LIKE, Kind.FEATURE})
"""Kinds with an effect on the platform: each takes the one slot of its kind on its target."""

SPEAKING = frozenset({Kind.REPLY, Kind.PRIVATE_REPLY})
"""Kinds that address a person: these rest where a person of the brand is at work."""

RECORDED = frozenset({Kind.TAG, Kind.HANDOFF, Kind.ENTER, Kind.REQUEST_RIGHTS})
"""Kinds that are done once they are in the ledger; of the last two the ledger of entries makes more."""

PRIVATE = frozenset({"message", "story_mention"})
"""Kinds of events in a private conversation: there, the conversation is the thread and only messages answer."""

WEBHOOK = "webhook"
"""The outlet of notifications: they go to an address of the brand's own, whatever platform they tell of."""

EMAIL = "email"
"""The outlet of notifications whose address begins with `mailto:`."""

MAILTO = "mailto:"

HOLD_NOTICE = "hold"
"""Kind of event of a notification that tells of a hold: no rule made it, and no mode of the brand keeps it back."""


class Mode(StrEnum):
    """How much a person has to say before an action is done."""

    AUTO = "auto"
    APPROVAL = "approval"
    SHADOW = "shadow"


class Scope(StrEnum):
    """What a limit that crosses authors counts over."""

    THREAD = "thread"
    OBJECT = "object"
    RULE = "rule"
    BRAND = "brand"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many events within so many seconds; 0 seconds: for ever."""

    scope: Scope
    at_most: int
    within: float


@dataclass(frozen=True, slots=True)
class Order:
    """What an action is, for good: nothing in here changes after it was decided.

    `target` is the object acted on, `parent` what that answered (empty at the top), `root` the post or conversation.
    `topics` (`kind:id`) and `campaigns` are those of the event.
    """

    action_id: str
    event_id: str
    brand: str
    platform: str
    account: str
    channel: str
    target: str
    parent: str
    root: str
    author: str
    event_kind: str
    verb: str
    rule_id: str
    rule_version: int
    kind: Kind
    mode: Mode
    not_before: float
    expires: float
    event_time: float
    received_time: float
    limits: tuple[Limit, ...] = ()
    tags: tuple[str, ...] = ()
    queue: str = ""
    note: str = ""
    campaign: str = ""
    url: str = ""
    secret_ref: str = ""
    topics: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()

    @property
    def thread(self) -> str:
        """The comment whose conversation this belongs to; for a private message the conversation itself."""
        if self.event_kind in PRIVATE:
            return self.root or self.author or self.target
        return self.parent or self.target

    @property
    def outlet(self) -> str:
        """What carries the action out: its platform, or the outlet of notifications."""
        if self.kind is not Kind.NOTIFY:
            return self.platform
        return EMAIL if self.url.startswith(MAILTO) else WEBHOOK


@dataclass(frozen=True, slots=True)
class Position:
    """Where an action stands now.

    `revision` counts every saved change, `epoch` the claims (each allows one send), `sequence` the told states.
    `uncertain`: an earlier send may have had its effect. `approved_at`: when a person asked for it, 0 if
    nobody did.
    """

    state: State
    text: str
    next_at: float
    revision: int = 0
    epoch: int = 0
    attempts: int = 0
    sequence: int = 0
    reason: Reason = Reason.NONE
    detail: str = ""
    platform_id: str = ""
    actor: str = ""
    claimant: str = ""
    sending_at: float = 0.0
    deadline: float = 0.0
    verify_at: float | None = None
    reads: int = 0
    failed_reads: int = 0
    uncertain: bool = False
    approved_at: float = 0.0
    changed_at: float = 0.0

    @property
    def approved(self) -> bool:
        """Whether a person asked for it."""
        return self.approved_at > 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    order: Order
    position: Position


@dataclass(frozen=True, slots=True)
class Told:
    """One state change that leaves the service; `sequence` counts from 1 within its action."""

    order: Order
    sequence: int
    state: State
    reason: Reason
    detail: str
    platform_id: str
    attempts: int
    at: float
    actor: str


def told_of(entry: Entry) -> Told:
    """Return the announcement of the state an entry has just reached."""
    at = entry.position
    return Told(entry.order, at.sequence, at.state, at.reason, at.detail, at.platform_id, at.attempts, at.changed_at, at.actor)


_SLOT_KEPT_BY_FAILURE = frozenset({Reason.ALREADY_DONE, Reason.DUPLICATE_CONTENT, Reason.UNKNOWN_OUTCOME})
"""Failures after which the effect may be on the target all the same."""


def holds_slot(order: Order, position: Position) -> bool:
    """Tell whether the action occupies the one place of its kind on its target."""
    if order.kind not in ACTING:
        return False
    if position.uncertain:
        return True
    if position.state in {State.SUPPRESSED, State.SHADOWED}:
        return False
    return position.state is not State.FAILED or position.reason in _SLOT_KEPT_BY_FAILURE


def came_to_nothing(position: Position) -> bool:
    """Tell whether the action has ended without an effect, for sure: then it has used up nothing."""
    if position.uncertain or position.reason in _SLOT_KEPT_BY_FAILURE:
        return False
    return position.state in {State.FAILED, State.SUPPRESSED, State.SHADOWED, State.REJECTED}


def attention_at(order: Order, position: Position) -> float | None:
    """Return when a sweep must look at the entry if nobody has moved it by then; None: never again."""
    times: Mapping[State, float | None] = {
        State.NEW: position.next_at,
        State.SENDING: position.deadline,
        State.UNKNOWN: position.verify_at,
        State.PARKED: position.verify_at,
        State.WAITING_APPROVAL: order.expires,
    }
    return times.get(position.state)


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as it concerns this service: what happened, and what shall follow."""

    event_id: str
    brand: str
    platform: str
    account: str
    kind: str
    verb: str
    object: str
    parent: str
    root: str
    author: str
    echo: bool
    event_time: float
    received_time: float
    actions: tuple[tuple[Order, str], ...] = field(default=())
    """Each order with its rendered text."""
