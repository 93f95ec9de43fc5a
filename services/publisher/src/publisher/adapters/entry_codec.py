"""Decisions and deliveries as the ledger of entries reads them, its changes as the contract's `EntryChange`."""

from typing import Any

from google.protobuf.message import DecodeError

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.topics import DELIVERIES
from antiphon.v1.decision_pb2 import Action, ActionKind, ConsentReading, Decision
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.entry_pb2 import EntryChange
from antiphon.v1.event_pb2 import Verb
from publisher.adapters import words
from publisher.adapters.codec import mode_of, read_decision, seconds_of, stamp_of
from publisher.domain.entries.model import Answer, Capture, MediaRef
from publisher.domain.entries.rights import Saying
from publisher.domain.model import Kind, State
from publisher.entry_ports import Announcement
from publisher.service.entries.seen import Consent, Entering, Reported, RightsWanted, Seen

_PLATFORMS = words.numbers(words.PLATFORMS)
_STATES = words.numbers(words.ENTRY_STATES)


def decode(record: Record) -> Seen | Reported:
    """Return what a record of either topic says. Raises Invalid for bytes that are none, or that lack what none may lack."""
    return _reported(record) if record.topic == DELIVERIES else _seen(record)


def _reported(record: Record) -> Reported:
    try:
        delivery = Delivery.FromString(record.value)
    except DecodeError as error:
        raise Invalid("undecodable", "not a Delivery") from error
    if not delivery.action_id or not delivery.brand:
        raise Invalid("incomplete", "a delivery names its action and brand")
    kind, state = words.ACTION_KINDS.get(delivery.kind, ""), words.STATES.get(delivery.state, "")
    reason = words.REASONS.get(delivery.reason, "")
    return Reported(
        action_id=delivery.action_id,
        kind=Kind(kind) if kind in set(Kind) else None,
        state=State(state) if state in set(State) else None,
        platform_id=delivery.platform_id,
        detail=f"{reason}: {delivery.detail}" if delivery.detail else reason,
    )


def _seen(record: Record) -> Seen:
    decision, platform = read_decision(record)
    saying = Saying(
        platform,
        decision.author.id,
        words.EVENT_KINDS.get(decision.kind, "unspecified"),
        decision.object,
        decision.parent,
        decision.root,
    )
    return Seen(
        brand=decision.brand,
        saying=saying,
        deleted=decision.verb == Verb.VERB_DELETE,
        event_time=seconds_of(decision.event_time),
        text_sha256=decision.text_sha256,
        entering=tuple(_entering(decision, platform, action) for action in _of(decision, ActionKind.ACTION_KIND_ENTER)),
        wanted=tuple(RightsWanted(a.campaign, mode_of(a)) for a in _of(decision, ActionKind.ACTION_KIND_REQUEST_RIGHTS)),
        consents=() if decision.echo else tuple(_consent(reading) for reading in decision.consents),
    )


def _of(decision: Decision, kind: int) -> list[Action]:
    """The brand's own posts enter nothing."""
    return [] if decision.echo else [action for action in decision.actions if action.kind == kind]


def _consent(reading: ConsentReading) -> Consent:
    word = words.ANSWERS.get(reading.answer, "")
    return Consent(reading.campaign, Answer(word) if word in set(Answer) else Answer.UNCLEAR, reading.phrase)


def _entering(decision: Decision, platform: str, action: Action) -> Entering:
    draft = action.entry
    if not action.action_id or not action.campaign:
        raise Invalid("incomplete", "an entry names its id and its campaign")
    capture = Capture(
        entry_id=action.action_id,
        event_id=decision.event_id,
        brand=decision.brand,
        campaign=action.campaign,
        campaign_version=draft.campaign_version,
        platform=platform,
        account=decision.account,
        channel=decision.channel,
        object=decision.object,
        parent=decision.parent,
        root=decision.root,
        author=decision.author.id,
        handle=decision.author.handle or decision.author.name,
        event_kind=words.EVENT_KINDS.get(decision.kind, "unspecified"),
        language=decision.language,
        text=draft.text,
        media=tuple(MediaRef(one.type, one.url) for one in draft.media),
        hashtags=tuple(draft.hashtags),
        friends=tuple(draft.friends),
        trigger=draft.trigger,
        eligible=draft.eligible,
        reason=draft.reason,
        detail=draft.detail,
        event_time=seconds_of(decision.event_time),
        received_time=seconds_of(decision.received_time),
    )
    return Entering(capture, mode_of(action))


def encode(announcement: Announcement, *, named: bool = True) -> bytes:
    """Return a change of state as the contract's EntryChange; `named`: with the author's id."""
    capture, line = announcement.entry.capture, announcement.line
    values: dict[str, Any] = {
        "entry_id": capture.entry_id,
        "sequence": line.sequence,
        "brand": capture.brand,
        "campaign": capture.campaign,
        "platform": _PLATFORMS[capture.platform],
        "account": capture.account,
        "channel": capture.channel,
        "object": capture.object,
        "author": capture.author if named else "",
        "state": _STATES[line.state],
        "reason": line.reason,
        "detail": line.detail,
        "actor": line.actor,
        "evidence_object": line.object,
        "text_sha256": line.text_sha256,
        "terms_version": line.terms_version,
        "flags": [one.flag for one in announcement.entry.standing.flags],
        "event_time": stamp_of(capture.event_time),
        "changed_time": stamp_of(line.at),
    }
    return EntryChange(**values).SerializeToString()
