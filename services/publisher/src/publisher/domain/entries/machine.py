"""The states of an entry: which happening moves it where, and the evidence that is written with each move."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from publisher.domain.entries.campaign import UseKind
from publisher.domain.entries.changes import (
    Admit,
    Answered,
    Ask,
    EntryChange,
    Fetched,
    FormAnswered,
    Gone,
    Judge,
    LeaveToPeople,
    LookAgain,
    PostFailed,
    PostStands,
    Remind,
    Removing,
    RequestFailed,
    RequestStands,
    Revoke,
    TimeUp,
    TurnAway,
    UseIt,
)
from publisher.domain.entries.model import Answer, Asked, CampaignEntry, Capture, EntryState, Evidence, Flagged, Standing, Why

S = EntryState


@dataclass(frozen=True, slots=True)
class Move:
    """The next standing and the line that proves it; None where nothing worth a line happened."""

    standing: Standing
    line: Evidence | None = None


def captured(capture: Capture, now: float) -> CampaignEntry:
    """Return an entry as it begins."""
    return CampaignEntry(capture, Standing(S.CAPTURED, now), (Evidence(1, now, S.CAPTURED),))


def step(entry: CampaignEntry, change: EntryChange, now: float) -> CampaignEntry | None:
    """Return the entry after `change`, or None when the change has no meaning where it stands (any more)."""
    rule = TRANSITIONS.get((entry.state, type(change)))
    move = rule(entry.standing, change, now) if rule else None
    if move is None:
        return None
    standing = replace(move.standing, revision=entry.standing.revision + 1)
    if move.line is None:
        return replace(entry, standing=standing)
    moved = standing.state is not entry.state
    line = replace(move.line, at=now, state=standing.state, sequence=entry.sequence + 1 if moved else 0)
    return replace(entry, standing=standing, evidence=(*entry.evidence, line))


def _line(**fields: Any) -> Evidence:
    return Evidence(0, 0.0, S.CAPTURED, **fields)


def _admit(at: Standing, change: Admit, now: float) -> Move:
    ask_at = now if change.ask else None
    detail = "; ".join(one.detail for one in change.flags)
    return Move(replace(at, state=S.ELIGIBLE, flags=change.flags, media_at=now, ask_at=ask_at), _line(detail=detail))


def _turn_away(at: Standing, change: TurnAway, _now: float) -> Move:
    return Move(replace(at, state=S.INELIGIBLE), _line(reason=change.reason, detail=change.detail))


def _ask(at: Standing, change: Ask, _now: float) -> Move:
    asked = replace(at, state=S.RIGHTS_REQUESTED, asked=change.asked, ask_at=None, waiting="", granted_until=None)
    return Move(asked, _line(detail=change.asked.by, actor=change.actor, terms_version=change.asked.terms_version))


def _leave(at: Standing, change: LeaveToPeople, _now: float) -> Move:
    return Move(replace(at, ask_at=None), _line(reason=Why.NOT_SENT, detail=change.detail))


def _request_stands(at: Standing, change: RequestStands, now: float) -> Move | None:
    asked = at.asked
    if asked is None or asked.action_id != change.action_id or asked.answer_by is not None:
        return None
    # A reminder stands under the request, so without the request's id there is none.
    remind_at = now + asked.reminder_seconds if asked.reminder_seconds and change.platform_id else None
    standing = replace(
        asked, posted_as=change.platform_id, answer_by=now + asked.answer_seconds, remind_at=remind_at, check_at=None
    )
    return Move(replace(at, asked=standing))


def _request_failed(at: Standing, change: RequestFailed, _now: float) -> Move | None:
    if at.asked is None or at.asked.action_id != change.action_id:
        return None
    return Move(replace(at, state=S.EXPIRED), _line(reason=Why.NOT_SENT, detail=change.detail))


def _look_again(at: Standing, change: LookAgain, now: float) -> Move | None:
    if at.asked is None or at.asked.answer_by is not None:
        return None
    return Move(replace(at, asked=replace(at.asked, check_at=now + change.seconds)))


def _remind(at: Standing, _change: Remind, now: float) -> Move | None:
    if at.asked is None or at.asked.answer_by is None or at.asked.remind_at is None or at.asked.remind_at > now:
        return None
    return Move(replace(at, asked=replace(at.asked, remind_at=None)), _line(reason=Why.REMINDED))


def _answered(at: Standing, change: Answered, now: float) -> Move | None:
    if at.asked is None:
        return None
    seen: dict[str, Any] = {"detail": change.phrase, "object": change.object, "text_sha256": change.text_sha256}
    seen["terms_version"] = at.asked.terms_version
    match change.answer:
        case Answer.GRANTED:
            return Move(_granted(at, at.asked, now), _line(reason=Why.ANSWER, **seen))
        case Answer.REFUSED:
            return Move(replace(at, state=S.REFUSED, waiting=""), _line(reason=Why.ANSWER, **seen))
        case Answer.WITHDRAWN:
            return Move(replace(at, state=S.REFUSED, waiting=""), _line(reason=Why.WITHDRAWN, **seen))
        case Answer.UNCLEAR:
            return Move(replace(at, waiting=change.object), _line(reason=Why.UNCLEAR, **seen))


def _granted(at: Standing, asked: Asked, now: float) -> Standing:
    until = now + asked.granted_seconds if asked.granted_seconds else None
    return replace(at, state=S.GRANTED, waiting="", granted_until=until)


def _withdrawn(at: Standing, change: Answered, _now: float) -> Move | None:
    if change.answer is not Answer.WITHDRAWN:
        return None
    seen: dict[str, Any] = {"object": change.object, "text_sha256": change.text_sha256, "detail": change.phrase}
    version = at.asked.terms_version if at.asked else 0
    return Move(replace(at, state=S.REVOKED), _line(reason=Why.WITHDRAWN, terms_version=version, **seen))


def _form(at: Standing, change: FormAnswered, now: float) -> Move | None:
    if at.asked is None or at.asked.attempt != change.attempt:
        return None
    standing = _granted(at, at.asked, now) if change.granted else replace(at, state=S.REFUSED, waiting="")
    return Move(standing, _line(reason=Why.FORM, text_sha256=change.terms_sha256, terms_version=at.asked.terms_version))


def _form_withdrawn(at: Standing, change: FormAnswered, _now: float) -> Move | None:
    """The form that granted can take back; a second yes changes nothing."""
    if at.asked is None or at.asked.attempt != change.attempt or change.granted:
        return None
    line = _line(reason=Why.WITHDRAWN, detail="by the form", text_sha256=change.terms_sha256)
    return Move(replace(at, state=S.REVOKED), replace(line, terms_version=at.asked.terms_version))


def _judge(at: Standing, change: Judge, now: float) -> Move | None:
    if at.asked is None:
        return None
    line = _line(reason=Why.PERSON, detail=change.reason, actor=change.actor, object=change.object or at.waiting)
    standing = _granted(at, at.asked, now) if change.granted else replace(at, state=S.REFUSED, waiting="")
    return Move(standing, replace(line, terms_version=at.asked.terms_version))


def _no_answer(at: Standing, _change: TimeUp, now: float) -> Move | None:
    if at.asked is None or at.asked.answer_by is None or now < at.asked.answer_by:
        return None
    return Move(replace(at, state=S.EXPIRED), _line(reason=Why.NO_ANSWER))


def _window_over(at: Standing, _change: TimeUp, now: float) -> Move | None:
    if at.granted_until is None or now < at.granted_until:
        return None
    return Move(replace(at, state=S.EXPIRED), _line(reason=Why.WINDOW_OVER))


def _revoke(at: Standing, change: Revoke, _now: float) -> Move:
    version = at.asked.terms_version if at.asked else 0
    line = _line(reason=Why.PERSON, detail=change.reason, actor=change.actor, terms_version=version)
    return Move(replace(at, state=S.REVOKED), line)


def _revoke_uses(at: Standing, change: Revoke, now: float) -> Move | None:
    """Rights that have run out leave posts standing; those can still be ended."""
    return _revoke(at, change, now) if at.uses else None


def _gone(at: Standing, change: Gone, now: float) -> Move:
    """Rights that have run out leave posts standing; those end with what they show."""
    if at.uses:
        return _gone_with_rights(at, change, now)
    return Move(replace(at, state=S.INELIGIBLE, waiting=""), _line(reason=change.reason))


def _gone_with_rights(at: Standing, change: Gone, _now: float) -> Move:
    return Move(replace(at, state=S.REVOKED, waiting=""), _line(reason=change.reason))


def _fetched(at: Standing, change: Fetched, now: float) -> Move:
    again = None if change.again is None else now + change.again
    tries = at.media_tries + 1 if change.counts else at.media_tries
    return Move(replace(at, media=change.media, media_tries=tries, media_at=again, flags=merged(at.flags, change.flags)))


def merged(flags: tuple[Flagged, ...], more: tuple[Flagged, ...]) -> tuple[Flagged, ...]:
    """Return the flags with those that are not among them."""
    known = {one.flag for one in flags}
    return flags + tuple(one for one in more if one.flag not in known)


def _use(at: Standing, change: UseIt, _now: float) -> Move:
    use = change.use
    state = S.FEATURED if use.use is UseKind.GALLERY else at.state
    reason = Why.NONE if use.use is UseKind.GALLERY else Why.ORDERED
    version = at.asked.terms_version if at.asked else 0
    line = _line(reason=reason, detail=use.use, actor=use.actor, terms_version=version)
    return Move(replace(at, state=state, uses=(*at.uses, use)), line)


def _post_stands(at: Standing, change: PostStands, _now: float) -> Move | None:
    if not any(use.action_id == change.action_id and not use.platform_id for use in at.uses):
        return None
    uses = tuple(replace(use, platform_id=change.platform_id) if use.action_id == change.action_id else use for use in at.uses)
    actor = next(use.actor for use in uses if use.action_id == change.action_id)
    state = S.FEATURED if at.state in {S.GRANTED, S.FEATURED} else at.state
    line = _line(detail=UseKind.POST, actor=actor, object=change.platform_id)
    return Move(replace(at, state=state, uses=uses), replace(line, terms_version=at.asked.terms_version if at.asked else 0))


def _post_failed(at: Standing, change: PostFailed, _now: float) -> Move | None:
    uses = tuple(use for use in at.uses if use.action_id != change.action_id or use.platform_id)
    return None if uses == at.uses else Move(replace(at, uses=uses), _line(reason=Why.NOT_SENT, detail=change.detail))


def _removing(at: Standing, change: Removing, _now: float) -> Move | None:
    uses = tuple(replace(use, removal=change.removal) if use.action_id == change.action_id else use for use in at.uses)
    return None if uses == at.uses else Move(replace(at, uses=uses))


_Rule = Callable[[Standing, Any, float], Move | None]

_EVERYWHERE: Mapping[type[EntryChange], _Rule] = {PostStands: _post_stands, PostFailed: _post_failed, Removing: _removing}
"""What platforms report may come late, whatever the entry has become."""

TRANSITIONS: Mapping[tuple[EntryState, type[EntryChange]], _Rule] = {
    (S.CAPTURED, Admit): _admit,
    (S.CAPTURED, TurnAway): _turn_away,
    (S.CAPTURED, Gone): _gone,
    (S.ELIGIBLE, Ask): _ask,
    (S.ELIGIBLE, LeaveToPeople): _leave,
    (S.ELIGIBLE, Gone): _gone,
    (S.RIGHTS_REQUESTED, RequestStands): _request_stands,
    (S.RIGHTS_REQUESTED, RequestFailed): _request_failed,
    (S.RIGHTS_REQUESTED, LookAgain): _look_again,
    (S.RIGHTS_REQUESTED, Remind): _remind,
    (S.RIGHTS_REQUESTED, Answered): _answered,
    (S.RIGHTS_REQUESTED, FormAnswered): _form,
    (S.RIGHTS_REQUESTED, Judge): _judge,
    (S.RIGHTS_REQUESTED, TimeUp): _no_answer,
    (S.RIGHTS_REQUESTED, Gone): _gone,
    # A no is a no: only what was never answered, or has run out, is asked for again.
    (S.EXPIRED, Ask): _ask,
    (S.EXPIRED, Gone): _gone,
    (S.EXPIRED, Revoke): _revoke_uses,
    (S.REFUSED, Gone): _gone,
    **{(state, Answered): _withdrawn for state in (S.GRANTED, S.FEATURED)},
    **{(state, FormAnswered): _form_withdrawn for state in (S.GRANTED, S.FEATURED)},
    **{(state, TimeUp): _window_over for state in (S.GRANTED, S.FEATURED)},
    **{(state, Revoke): _revoke for state in (S.GRANTED, S.FEATURED)},
    **{(state, Gone): _gone_with_rights for state in (S.GRANTED, S.FEATURED)},
    **{(state, UseIt): _use for state in (S.GRANTED, S.FEATURED)},
    **{(state, Fetched): _fetched for state in set(S) - {S.CAPTURED, S.INELIGIBLE, S.REVOKED}},
    **{(state, change): rule for state in S for change, rule in _EVERYWHERE.items()},
}
