"""Protobuf ↔ domain for the engine; no protobuf class goes further in than this module."""

from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.v1 import decision_pb2, event_pb2
from rules.domain.decision import Action, Decision, EntryDraft, RuleOutcome
from rules.domain.event import Event, Referral
from rules.service import Incoming

_PLATFORMS = {number: name.removeprefix("PLATFORM_").lower() for name, number in event_pb2.Platform.items()}
_KINDS = {number: name.removeprefix("EVENT_KIND_").lower() for name, number in event_pb2.EventKind.items()}
_VERBS = {number: name.removeprefix("VERB_").lower() for name, number in event_pb2.Verb.items()}
_PLATFORM_NUMBERS = {name: number for number, name in _PLATFORMS.items()}
_KIND_NUMBERS = {name: number for number, name in _KINDS.items()}
_VERB_NUMBERS = {name: number for number, name in _VERBS.items()}


def _numbers(enum: dict[str, int], prefix: str) -> dict[str, Any]:
    # Any: the generated types want their own kind of int, which costs a call a field to make.
    return {name.removeprefix(prefix).lower(): number for name, number in enum.items()}


_OUTCOMES = _numbers(dict(decision_pb2.Outcome.items()), "OUTCOME_")
_REASONS = _numbers(dict(decision_pb2.Reason.items()), "REASON_")
_MODES = _numbers(dict(decision_pb2.Mode.items()), "MODE_")
_ACTIONS = _numbers(dict(decision_pb2.ActionKind.items()), "ACTION_KIND_")
_SCOPES = _numbers(dict(decision_pb2.LimitScope.items()), "LIMIT_SCOPE_")

_POLARITIES = {"": 0, **_numbers(dict(decision_pb2.Polarity.items()), "POLARITY_")}
_CONSENTS = _numbers(dict(decision_pb2.ConsentAnswer.items()), "CONSENT_ANSWER_")
_COBRA = _numbers(dict(decision_pb2.CobraLevel.items()), "COBRA_LEVEL_")

_NANOS = 1_000_000_000


def decode_event(record: Record) -> Incoming:
    """Return the event in a record. Raises Invalid when the bytes are no event."""
    event = read_event(record.value)
    if record.key is None:
        raise Invalid("no_key", "an event's record needs its key brand/author")
    return Incoming(record.key, event)


def read_event(value: bytes) -> Event:
    """Return the event in bytes. Raises Invalid when they are none."""
    try:
        message = event_pb2.Event.FromString(value)
    except DecodeError as error:
        raise Invalid("undecodable", f"not an antiphon.v1.Event: {error}") from error
    media = message.media
    event = to_event(
        message,
        message.text,
        tuple([item.type for item in media]) if media else (),
        tuple([item.url for item in media]) if media else (),
        message.campaign,
    )
    if not event.event_id or not event.brand or not event.object:
        raise Invalid("incomplete", "an event needs event_id, brand and object")
    return event


def to_event(
    message: event_pb2.Event | decision_pb2.Decision,
    text: str = "",
    media: tuple[str, ...] = (),
    media_urls: tuple[str, ...] = (),
    campaign: str = "",
) -> Event:
    """Return the event with the fields that a decision repeats, and what it does not: text, media, and the form's campaign."""
    author = message.author
    return Event(
        message.event_id,
        message.brand,
        _PLATFORMS.get(message.platform, "unspecified"),
        message.account,
        message.channel,
        _KINDS.get(message.kind, "unspecified"),
        _VERBS.get(message.verb, "unspecified"),
        message.object,
        message.parent,
        message.root,
        author.id,
        author.name,
        author.handle,
        author.followers if author.HasField("followers") else None,
        author.verified if author.HasField("verified") else None,
        text,
        media,
        message.rating if message.HasField("rating") else None,
        message.ad,
        message.echo,
        seconds(message.event_time),
        seconds(message.received_time),
        media_urls,
        message.reach if message.HasField("reach") else None,
        to_referral(message.referral) if message.HasField("referral") else None,
        campaign,
    )


def to_referral(message: event_pb2.Referral) -> Referral:
    """Return where a click or a conversion came from."""
    return Referral(
        link=message.link,
        action_id=message.action_id,
        click=message.click,
        reference=message.reference,
        value=message.value,
        currency=message.currency,
    )


def seconds(stamp: Timestamp) -> float:
    """Return unix seconds."""
    return stamp.seconds + stamp.nanos / _NANOS


def _stamp(moment: float) -> Timestamp:
    micros = round(moment * 1_000_000)  # to the nearest: what was read as whole microseconds is written as the same
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1_000)


def encode_decision(decision: Decision, decided_time: float) -> bytes:
    """Return the decision as bytes; `decided_time` in unix seconds."""
    event, understood = decision.event, decision.understanding
    message = decision_pb2.Decision(
        event_id=event.event_id,
        brand=event.brand,
        platform=_PLATFORM_NUMBERS[event.platform],
        account=event.account,
        channel=event.channel,
        kind=_KIND_NUMBERS[event.kind],
        verb=_VERB_NUMBERS[event.verb],
        object=event.object,
        parent=event.parent,
        root=event.root,
        author=event_pb2.Author(
            id=event.author_id, name=event.author_name, handle=event.author_handle, followers=event.followers
        ),
        echo=event.echo,
        event_time=_stamp(event.event_time),
        received_time=_stamp(event.received_time),
        decided_time=_stamp(decided_time),
        config_revision=decision.config_revision,
        outcome=_OUTCOMES[decision.outcome],
        reason=_REASONS[decision.reason],
        language=understood.language,
        sentiment=understood.sentiment,
        language_confidence=understood.language_confidence,
        polarity=_POLARITIES[understood.polarity],
        sentiment_confidence=understood.sentiment_confidence,
        flags=sorted(understood.flags),
        cobra=_COBRA[decision.cobra],
        rating=event.rating,
        reach=event.reach,
        ad=event.ad,
        topics=decision.topics,
        campaigns=decision.campaigns,
        text_sha256=decision.text_sha256,
    )
    _add_rare(message, decision)
    return message.SerializeToString()


def _add_rare(message: decision_pb2.Decision, decision: Decision) -> None:
    """Add what most decisions have nothing of."""
    if decision.event.referral is not None:
        message.referral.CopyFrom(_referral(decision.event.referral))
    if decision.rules or decision.actions:
        message.rules.extend(_rule(rule) for rule in decision.rules)
        message.holds.extend(decision.holds)
        message.actions.extend(_action(action) for action in decision.actions)
        message.assignments.extend(
            decision_pb2.Assignment(experiment=given.experiment, rule_id=given.rule_id, arm=given.arm)
            for given in decision.assignments
        )
    for heard in decision.consents:
        message.consents.add(campaign=heard.campaign, answer=_CONSENTS[heard.answer], phrase=heard.phrase)


def _referral(referral: Referral) -> event_pb2.Referral:
    return event_pb2.Referral(
        link=referral.link,
        action_id=referral.action_id,
        click=referral.click,
        reference=referral.reference,
        value=referral.value,
        currency=referral.currency,
    )


def _rule(rule: RuleOutcome) -> decision_pb2.RuleOutcome:
    return decision_pb2.RuleOutcome(
        rule_id=rule.rule_id,
        rule_version=rule.rule_version,
        reason=_REASONS[rule.reason],
        detail=rule.detail,
    )


def _action(action: Action) -> decision_pb2.Action:
    return decision_pb2.Action(
        action_id=action.action_id,
        rule_id=action.rule_id,
        rule_version=action.rule_version,
        position=action.position,
        kind=_ACTIONS[action.kind],
        mode=_MODES[action.mode],
        text=action.text,
        language=action.language,
        variant=action.variant,
        not_before_time=_stamp(action.not_before),
        expires_time=_stamp(action.expires),
        limits=[
            decision_pb2.Limit(scope=_SCOPES[limit.per], at_most=limit.at_most, within_seconds=int(limit.within_seconds or 0))
            for limit in action.limits
        ],
        tags=action.tags,
        queue=action.queue,
        note=action.note,
        campaign=action.campaign,
        url=action.url,
        secret_ref=action.secret_ref,
        body=action.body,
        entry=_entry(action.entry) if action.entry is not None else None,
    )


def _entry(entry: EntryDraft) -> decision_pb2.EntryDraft:
    return decision_pb2.EntryDraft(
        eligible=entry.eligible,
        reason=entry.reason,
        detail=entry.detail,
        text=entry.text,
        media=[event_pb2.Media(type=kind, url=url) for kind, url in entry.media],
        hashtags=entry.hashtags,
        friends=entry.friends,
        campaign_version=entry.campaign_version,
        trigger=entry.trigger,
    )
