"""What is checked right before a send, in this order; the first that speaks decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from publisher.domain.changes import AskApproval, Shadow, Suppress
from publisher.domain.machine import STRICTNESS
from publisher.domain.model import ACTING, HOLD_NOTICE, SPEAKING, Entry, Kind, Mode, Order, Reason

APPROVAL_LIFE = 3_600.0
"""Seconds that a person's yes outlives the action's own expiry; longer would post answers nobody remembers."""


@dataclass(frozen=True, slots=True)
class ScopedHold:
    """A hold in force: within its scope every action is at least this strict. What is empty restricts nothing."""

    hold: str
    mode: Mode = Mode.APPROVAL
    platform: str = ""
    campaign: str = ""
    topic: str = ""
    rule_id: str = ""

    def covers(self, order: Order) -> bool:
        """Tell whether the action is in the scope."""
        return (
            self.platform in {"", order.platform}
            and self.rule_id in {"", order.rule_id}
            and self.campaign in {"", order.campaign, *order.campaigns}
            and self.topic in {"", *order.topics}
        )


@dataclass(frozen=True, slots=True)
class BrandPolicy:
    """What people decided for a brand and is in force now. Authors are `platform:author id`."""

    mode: Mode = Mode.AUTO
    held: bool = False
    held_reason: str = ""
    removed: bool = False
    human_pause: float = 0.0
    blocked: frozenset[str] = frozenset()
    opted_out: frozenset[str] = frozenset()
    paused_rules: frozenset[str] = frozenset()
    holds: tuple[ScopedHold, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of an object. Platforms may repeat the object's creation time, so the moment of receipt breaks ties."""

    event_time: float
    received_time: float
    event_id: str

    @property
    def order(self) -> tuple[float, float, str]:
        """What newer edits have more of."""
        return (self.event_time, self.received_time, self.event_id)


@dataclass(frozen=True, slots=True)
class Handoff:
    """An event by which a thread was handed to people."""

    at: float
    event_id: str


HANDOFFS_KEPT = 2
"""The newest of a thread; two, because an action disregards the one of its own event."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one object: whether it is deleted, its newest edit, when a person of the brand last answered it.

    `handoffs`: the newest, newest first.
    """

    deleted: bool = False
    edit: Edit | None = None
    human_at: float | None = None
    handoffs: tuple[Handoff, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: the brand or the rule is held. The entry stays `new` and is looked at again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a check looks at; `facts` by object id."""

    policy: BrandPolicy
    facts: Mapping[str, Facts] = field(default_factory=dict)


Verdict = Hold | Suppress | AskApproval | Shadow


def objection(entry: Entry, around: Surroundings, now: float) -> Verdict | None:
    """Return what stands against sending this action now; None: nothing does."""
    for check in (_expired, _held, _mode, _deleted, _edited, _human, _unwanted):
        if found := check(entry, around, now):
            return found
    return None


def held(policy: BrandPolicy, order: Order) -> str:
    """Return why this may not be sent now; empty when it may.

    A hold silences the brand in public. Notifications go to the brand itself, which needs them most while it holds.
    """
    if policy.removed or (policy.held and order.kind is not Kind.NOTIFY):
        return policy.held_reason or "the brand is on hold"
    return "the rule is not active" if order.rule_id in policy.paused_rules else ""


def first_verdict(order: Order, policy: BrandPolicy) -> AskApproval | Shadow | None:
    """Return what the strictest of brand, holds and action asks for; deleting always needs a person."""
    if order.event_kind == HOLD_NOTICE:
        return None
    holding = [hold.mode for hold in policy.holds if hold.covers(order)]
    strictest = max((order.mode, policy.mode, *holding), key=STRICTNESS.__getitem__)
    if strictest is Mode.SHADOW:
        return Shadow()
    if order.kind in ACTING and (strictest is Mode.APPROVAL or order.kind is Kind.DELETE):
        return AskApproval()
    return None


def _held(entry: Entry, around: Surroundings, _now: float) -> Hold | None:
    why = held(around.policy, entry.order)
    return Hold(why) if why else None


def _mode(entry: Entry, around: Surroundings, _now: float) -> AskApproval | Shadow | None:
    asked = first_verdict(entry.order, around.policy)
    return None if isinstance(asked, AskApproval) and entry.position.approved else asked


def _expired(entry: Entry, _around: Surroundings, now: float) -> Suppress | None:
    return Suppress(Reason.STALE) if now >= expiry(entry) else None


def expiry(entry: Entry) -> float:
    """Return when the action becomes stale."""
    order, position = entry.order, entry.position
    return max(order.expires, position.approved_at + APPROVAL_LIFE) if position.approved else order.expires


def _deleted(entry: Entry, around: Surroundings, _now: float) -> Suppress | None:
    order = entry.order
    gone = any(around.facts[name].deleted for name in (order.target, order.parent, order.root) if name in around.facts)
    return Suppress(Reason.TARGET_DELETED) if gone else None


def _edited(entry: Entry, around: Surroundings, _now: float) -> Suppress | None:
    facts = around.facts.get(entry.order.target)
    edited = facts is not None and facts.edit is not None and outdated(entry, facts.edit)
    return Suppress(Reason.TARGET_EDITED) if edited else None


def outdated(entry: Entry, edit: Edit) -> bool:
    """Tell whether the action answers an older text than this edit's."""
    order = entry.order
    if order.event_id == edit.event_id:
        return False
    if order.verb != "edit":
        return True
    return (order.event_time, order.received_time, order.event_id) < edit.order


def _human(entry: Entry, around: Surroundings, now: float) -> Suppress | None:
    if entry.order.kind not in SPEAKING or entry.position.approved:
        return None
    order, pause = entry.order, around.policy.human_pause
    own = around.facts.get(order.target)
    if own is not None and own.human_at is not None and own.human_at >= order.event_time:
        return Suppress(Reason.HUMAN_ACTIVE, "a person of the brand has answered")
    thread = around.facts.get(order.thread)
    if thread is None or not pause:
        return None

    def resting(since: float) -> bool:
        return since >= order.event_time or now - since < pause

    if thread.human_at is not None and resting(thread.human_at):
        return Suppress(Reason.HUMAN_ACTIVE, "a person of the brand is at work in the thread")
    if any(resting(handoff.at) for handoff in thread.handoffs if handoff.event_id != order.event_id):
        return Suppress(Reason.HUMAN_ACTIVE, "the thread was handed to people")
    return None


def _unwanted(entry: Entry, around: Surroundings, _now: float) -> Suppress | None:
    order, policy = entry.order, around.policy
    if order.kind not in SPEAKING | {Kind.LIKE}:
        return None
    person = f"{order.platform}:{order.author}"
    if person in policy.opted_out:
        return Suppress(Reason.OPTED_OUT, "the person asked not to be addressed")
    blocked = person in policy.blocked
    return Suppress(Reason.POLICY, "the person is on the brand's list of people not to be answered") if blocked else None
