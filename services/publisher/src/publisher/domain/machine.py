"""The one-effect protocol: which event moves an action from which state to which.

The platforms give us no idempotency key, so a send whose outcome is unknown is never repeated by itself: it is looked
for on the platform, and when it is not seen there it is parked for a person. Kinds whose repetition has no second
effect (hiding, deleting) are declared by their platform and are repeated.

A send happens only after `Claim` was saved; each claim has its own epoch and allows one send. Answers carry the epoch
they belong to; an answer of an older epoch is ignored.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from publisher.domain.changes import (
    Accepted,
    Approve,
    AskApproval,
    Change,
    Claim,
    Duplicate,
    Fail,
    LeaseOver,
    Lost,
    NotSent,
    Record,
    Refused,
    Reject,
    Resolve,
    Seen,
    SendAgain,
    Shadow,
    Suppress,
    Timing,
    Unreadable,
    Unseen,
)
from publisher.domain.model import TOLD, Mode, Order, Position, Reason, State


def fresh(order: Order, text: str, now: float) -> Position:
    """Return the first position of an action, before anything has happened to it."""
    return Position(State.NEW, text, next_at=max(now, order.not_before), changed_at=now)


def step(position: Position, change: Change, now: float, timing: Timing) -> Position | None:
    """Return the position after `change`, or None when the change has no meaning in this state (any more)."""
    rule = TRANSITIONS.get((position.state, type(change)))
    moved = rule(position, change, now, timing) if rule else None
    if moved is None:
        return None
    told = moved.state in TOLD and moved.state is not position.state
    return replace(
        moved,
        revision=position.revision + 1,
        sequence=position.sequence + told,
        changed_at=now if moved.state is not position.state else position.changed_at,
    )


def _claim(at: Position, change: Claim, now: float, timing: Timing) -> Position:
    return replace(
        at,
        state=State.SENDING,
        epoch=at.epoch + 1,
        attempts=at.attempts + 1,
        claimant=change.claimant,
        sending_at=now,
        deadline=now + timing.lease,
        verify_at=now + timing.settle,
        reads=0,
        failed_reads=0,
        reason=Reason.NONE,
        detail="",
    )


def _posted(at: Position, platform_id: str, actor: str = "") -> Position:
    return replace(
        at,
        state=State.POSTED,
        reason=Reason.NONE,
        detail="",
        platform_id=platform_id or at.platform_id,
        verify_at=None,
        uncertain=False,
        actor=actor or at.actor,
    )


def _accepted(at: Position, change: Accepted, _now: float, _timing: Timing) -> Position | None:
    return _posted(at, change.platform_id) if change.epoch == at.epoch else None


def _refused(at: Position, change: Refused, _now: float, _timing: Timing) -> Position | None:
    if change.epoch != at.epoch:
        return None
    return replace(at, state=State.FAILED, reason=change.reason, detail=change.detail, verify_at=None)


def _not_sent(at: Position, change: NotSent, now: float, timing: Timing) -> Position | None:
    if change.epoch != at.epoch:
        return None
    attempts = at.attempts - (not change.counts)
    if attempts >= timing.max_attempts:
        return replace(at, state=State.FAILED, reason=Reason.RETRIES_EXHAUSTED, detail=change.detail, verify_at=None)
    return _again(replace(at, attempts=attempts), change.detail, change.after, now, timing)


def _again(at: Position, detail: str, after: float | None, now: float, timing: Timing) -> Position:
    backoff = min(timing.retry_longest, timing.retry_first * 2.0 ** max(0, min(at.attempts - 1, 16)))
    wait = backoff if after is None else after
    return replace(at, state=State.NEW, next_at=now + wait, verify_at=None, detail=detail)


def _duplicate(at: Position, change: Duplicate, _now: float, _timing: Timing) -> Position | None:
    if change.epoch != at.epoch:
        return None
    return replace(at, state=State.UNKNOWN, reason=Reason.DUPLICATE_CONTENT, detail=change.detail)


def _lost(at: Position, change: Lost, now: float, timing: Timing) -> Position | None:
    return _gone(at, change.detail, now, timing, repeatable=change.repeatable) if change.epoch == at.epoch else None


def _lease_over(at: Position, change: LeaseOver, now: float, timing: Timing) -> Position | None:
    if now < at.deadline:
        return None
    return _gone(at, "the sender did not report back", now, timing, repeatable=change.repeatable)


def _gone(at: Position, detail: str, now: float, timing: Timing, *, repeatable: bool) -> Position:
    if repeatable and at.attempts < timing.max_attempts:
        return _again(replace(at, uncertain=True), detail, None, now, timing)
    return replace(at, state=State.UNKNOWN, reason=Reason.UNKNOWN_OUTCOME, detail=detail, uncertain=True)


def _seen(at: Position, change: Seen, _now: float, _timing: Timing) -> Position:
    return _posted(at, change.platform_id)


def _seen_if_uncertain(at: Position, change: Seen, _now: float, _timing: Timing) -> Position | None:
    return _posted(at, change.platform_id) if at.uncertain else None


def _unseen(at: Position, _change: Unseen, _now: float, timing: Timing) -> Position:
    later = timing.later_reads[at.reads] if at.reads < len(timing.later_reads) else None
    read = replace(at, reads=at.reads + 1, verify_at=None if later is None else at.sending_at + later, failed_reads=0)
    if at.state is State.PARKED:
        return read
    if at.reason is Reason.DUPLICATE_CONTENT and not at.uncertain:
        # The only send there ever was has been refused, and nothing of ours is there.
        return replace(read, state=State.FAILED, verify_at=None)
    return replace(read, state=State.PARKED)


def _unreadable(at: Position, change: Unreadable, now: float, timing: Timing) -> Position:
    failed = at.failed_reads + 1
    retry = now + timing.read_retry * 2.0 ** min(failed - 1, 12)
    waiting = replace(at, failed_reads=failed, verify_at=None if change.never else retry)
    give_up = change.never or failed >= timing.failed_reads_before_parking
    return replace(waiting, state=State.PARKED) if give_up else waiting


def _suppress(at: Position, change: Suppress, now: float, _timing: Timing) -> Position:
    if at.uncertain:
        # An earlier send may have had its effect, so "not done" would be a guess.
        return replace(at, state=State.PARKED, reason=Reason.UNKNOWN_OUTCOME, detail=change.detail, verify_at=now)
    return replace(at, state=State.SUPPRESSED, reason=change.reason, detail=change.detail, verify_at=None)


def _fail(at: Position, change: Fail, _now: float, _timing: Timing) -> Position:
    return replace(at, state=State.FAILED, reason=change.reason, detail=change.detail)


def _ask(at: Position, _change: AskApproval, _now: float, _timing: Timing) -> Position:
    return replace(at, state=State.WAITING_APPROVAL)


def _shadow(at: Position, _change: Shadow, _now: float, _timing: Timing) -> Position:
    return replace(at, state=State.SHADOWED)


def _record(at: Position, _change: Record, _now: float, _timing: Timing) -> Position:
    return replace(at, state=State.POSTED)


def _approve(at: Position, change: Approve, now: float, _timing: Timing) -> Position:
    text = at.text if change.text is None else change.text
    return replace(at, state=State.NEW, approved_at=now, actor=change.actor, text=text, next_at=now)


def _reject(at: Position, change: Reject, _now: float, _timing: Timing) -> Position:
    return replace(at, state=State.REJECTED, actor=change.actor)


def _resolve(at: Position, change: Resolve, _now: float, _timing: Timing) -> Position:
    if change.posted:
        return _posted(at, "", change.actor)
    return replace(at, state=State.FAILED, reason=Reason.UNKNOWN_OUTCOME, actor=change.actor, verify_at=None)


def _send_again(at: Position, change: SendAgain, now: float, _timing: Timing) -> Position | None:
    if at.state is State.SUPPRESSED and at.reason not in {Reason.CREDENTIAL, Reason.NO_CHANNEL}:
        return None
    return replace(at, state=State.NEW, actor=change.actor, approved_at=now, next_at=now, verify_at=None, attempts=0)


_Rule = Callable[[Position, Any, float, Timing], Position | None]

TRANSITIONS: Mapping[tuple[State, type[Change]], _Rule] = {
    (State.NEW, Claim): _claim,
    (State.NEW, Suppress): _suppress,
    (State.NEW, Fail): _fail,
    (State.NEW, AskApproval): _ask,
    (State.NEW, Shadow): _shadow,
    (State.NEW, Record): _record,
    # A late success makes the next send needless.
    (State.NEW, Accepted): _accepted,
    (State.NEW, Seen): _seen_if_uncertain,
    (State.SENDING, Accepted): _accepted,
    (State.SENDING, Refused): _refused,
    (State.SENDING, NotSent): _not_sent,
    (State.SENDING, Duplicate): _duplicate,
    (State.SENDING, Lost): _lost,
    (State.SENDING, LeaseOver): _lease_over,
    (State.SENDING, Seen): _seen,
    # The answer of a worker that was taken for dead is still the best evidence there is.
    (State.UNKNOWN, Accepted): _accepted,
    (State.UNKNOWN, Refused): _refused,
    (State.UNKNOWN, NotSent): _not_sent,
    (State.UNKNOWN, Duplicate): _duplicate,
    (State.UNKNOWN, Seen): _seen,
    (State.UNKNOWN, Unseen): _unseen,
    (State.UNKNOWN, Unreadable): _unreadable,
    (State.UNKNOWN, Resolve): _resolve,
    (State.PARKED, Accepted): _accepted,
    (State.PARKED, Refused): _refused,
    (State.PARKED, NotSent): _not_sent,
    (State.PARKED, Seen): _seen,
    (State.PARKED, Unseen): _unseen,
    (State.PARKED, Unreadable): _unreadable,
    (State.PARKED, Resolve): _resolve,
    (State.PARKED, SendAgain): _send_again,
    (State.WAITING_APPROVAL, Approve): _approve,
    (State.WAITING_APPROVAL, Reject): _reject,
    (State.WAITING_APPROVAL, Suppress): _suppress,
    (State.WAITING_APPROVAL, Shadow): _shadow,
    (State.FAILED, SendAgain): _send_again,
    (State.FAILED, Accepted): _accepted,
    (State.FAILED, Seen): _seen_if_uncertain,
    (State.SUPPRESSED, SendAgain): _send_again,
}


def may_write(deadline: float, now: float, http_timeout: float) -> bool:
    """Tell whether a send may still begin: its answer must come before anyone takes over.

    `deadline`, the end of the claim, and `now` in monotonic seconds; `http_timeout`: what a call takes at most.
    """
    return now < deadline - http_timeout


STRICTNESS: Mapping[Mode, int] = {Mode.AUTO: 0, Mode.APPROVAL: 1, Mode.SHADOW: 2}
"""The strictest of brand, rule and action wins."""
