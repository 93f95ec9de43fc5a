"""Protobuf ↔ domain; protobuf classes stop here."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.v1.decision_pb2 import Action, Decision
from antiphon.v1.delivery_pb2 import Delivery
from publisher.adapters import words
from publisher.domain.model import Decided, Kind, Limit, Mode, Order, Scope, Told

FOREVER = 86_400.0
"""Seconds an action lives that was given no expiry: a day, as the rules' default freshness."""

_PLATFORMS = words.numbers(words.PLATFORMS)
_MODES = words.numbers(words.MODES)
_KINDS = words.numbers(words.ACTION_KINDS)
_STATES = words.numbers(words.STATES)
_REASONS = words.numbers(words.REASONS)


def decode(record: Record) -> Decided:
    """Return the decision. Raises Invalid for bytes that are none, or that lack what no decision may lack."""
    decision, platform = read_decision(record)
    return Decided(
        event_id=decision.event_id,
        brand=decision.brand,
        platform=platform,
        account=decision.account,
        kind=words.EVENT_KINDS.get(decision.kind, "unspecified"),
        verb=words.VERBS.get(decision.verb, "unspecified"),
        object=decision.object,
        parent=decision.parent,
        root=decision.root,
        author=decision.author.id,
        echo=decision.echo,
        event_time=seconds_of(decision.event_time),
        received_time=seconds_of(decision.received_time),
        actions=tuple((_order(decision, platform, action), action.body or action.text) for action in decision.actions),
    )


def read_decision(record: Record) -> tuple[Decision, str]:
    """Return a decision and the word for its platform. Raises Invalid for what is none, or lacks what none may lack."""
    try:
        decision = Decision.FromString(record.value)
    except DecodeError as error:
        raise Invalid("undecodable", "not a Decision") from error
    platform = words.PLATFORMS.get(decision.platform, "")
    if not decision.event_id or not decision.brand or not decision.object or not decision.platform or not platform:
        raise Invalid("incomplete", "a decision names event, brand, platform and object")
    return decision, platform


def _order(decision: Decision, platform: str, action: Action) -> Order:
    kind = words.ACTION_KINDS.get(action.kind, "")
    if not action.action_id or kind not in set(Kind):
        raise Invalid("incomplete", "an action names its id and a known kind")
    expires = seconds_of(action.expires_time)
    return Order(
        action_id=action.action_id,
        event_id=decision.event_id,
        brand=decision.brand,
        platform=platform,
        account=decision.account,
        channel=decision.channel,
        target=decision.object,
        parent=decision.parent,
        root=decision.root,
        author=decision.author.id,
        event_kind=words.EVENT_KINDS.get(decision.kind, "unspecified"),
        verb=words.VERBS.get(decision.verb, "unspecified"),
        rule_id=action.rule_id,
        rule_version=action.rule_version,
        kind=Kind(kind),
        mode=mode_of(action),
        not_before=seconds_of(action.not_before_time),
        expires=expires or seconds_of(decision.event_time) + FOREVER,
        event_time=seconds_of(decision.event_time),
        received_time=seconds_of(decision.received_time),
        limits=tuple(
            Limit(Scope(scope), limit.at_most, float(limit.within_seconds))
            for limit in action.limits
            if (scope := words.SCOPES.get(limit.scope, "")) in set(Scope)
        ),
        tags=tuple(action.tags),
        queue=action.queue,
        note=action.note,
        campaign=action.campaign,
        url=action.url,
        secret_ref=action.secret_ref,
        topics=tuple(decision.topics),
        campaigns=tuple(decision.campaigns),
    )


def mode_of(action: Action) -> Mode:
    """Return an action's mode; one that this release does not know may be stricter than any it knows, so people approve it."""
    word = words.MODES.get(action.mode, "")
    return Mode(word) if word in set(Mode) else Mode.APPROVAL


def encode(told: Told) -> bytes:
    """Return the announcement as the contract's Delivery."""
    order = told.order
    values: dict[str, Any] = {
        "action_id": order.action_id,
        "sequence": told.sequence,
        "event_id": order.event_id,
        "brand": order.brand,
        "platform": _PLATFORMS[order.platform],
        "account": order.account,
        "channel": order.channel,
        "target": order.target,
        "root": order.root,
        "author": order.author,
        "rule_id": order.rule_id,
        "rule_version": order.rule_version,
        "kind": _KINDS[order.kind],
        "mode": _MODES[order.mode],
        "state": _STATES[told.state],
        "reason": _REASONS[told.reason],
        "detail": told.detail,
        "platform_id": told.platform_id,
        "attempts": told.attempts,
        "event_time": stamp_of(order.event_time),
        "received_time": stamp_of(order.received_time),
        "delivered_time": stamp_of(told.at),
        "actor": told.actor,
    }
    return Delivery(**values).SerializeToString()


def seconds_of(stamp: Timestamp) -> float:
    """Return a timestamp as unix seconds."""
    return stamp.seconds + stamp.nanos / 1e9


def stamp_of(seconds: float) -> Timestamp:
    """Return unix seconds as a timestamp of microseconds."""
    whole = int(seconds)
    return Timestamp(seconds=whole, nanos=round((seconds - whole) * 1e6) * 1000)


def moment(seconds: float) -> str:
    """Return RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
