"""Records of the three topics → facts. The contract's classes stop here, and so do texts and names."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.times import from_timestamp
from antiphon.topics import DECISIONS, DELIVERIES, EVENTS
from antiphon.v1 import decision_pb2, delivery_pb2, event_pb2
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.event_pb2 import Event
from metrics.domain.facts import ActionFact, DecisionFact, DeliveryFact, EventFact, Fact, RuleFact

OTHER: Final = "other"
"""A word that this release does not know yet: counted, so that totals stay whole while a newer producer is rolled out."""

INVALID_REASONS: Final = ("undecodable", "incomplete", "bad_time")
"""Every reason for which a record is refused here."""


class Words:
    """The closed set of lower-case words that an enum of the contract stands for."""

    def __init__(self, enum: EnumDescriptor, *, unspecified: str = OTHER) -> None:
        prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
        self._words = {value.number: value.name.removeprefix(prefix).lower() for value in enum.values}
        self._words[0] = unspecified

    @property
    def all(self) -> tuple[str, ...]:
        """Every word that may be returned."""
        return tuple(dict.fromkeys([*self._words.values(), OTHER]))

    def word(self, number: int) -> str:
        """Return the word for a number, `other` for one that is not known."""
        return self._words.get(number, OTHER)


PLATFORMS: Final = Words(event_pb2.DESCRIPTOR.enum_types_by_name["Platform"])
EVENT_KINDS: Final = Words(event_pb2.DESCRIPTOR.enum_types_by_name["EventKind"])
VERBS: Final = Words(event_pb2.DESCRIPTOR.enum_types_by_name["Verb"])
OUTCOMES: Final = Words(decision_pb2.DESCRIPTOR.enum_types_by_name["Outcome"])
REASONS: Final = Words(decision_pb2.DESCRIPTOR.enum_types_by_name["Reason"], unspecified="none")
RULE_REASONS: Final = Words(decision_pb2.DESCRIPTOR.enum_types_by_name["Reason"], unspecified="acted")
ACTION_KINDS: Final = Words(decision_pb2.DESCRIPTOR.enum_types_by_name["ActionKind"])
MODES: Final = Words(decision_pb2.DESCRIPTOR.enum_types_by_name["Mode"])
STATES: Final = Words(delivery_pb2.DESCRIPTOR.enum_types_by_name["DeliveryState"])
DELIVERY_REASONS: Final = Words(delivery_pb2.DESCRIPTOR.enum_types_by_name["DeliveryReason"], unspecified="none")


def decode(record: Record) -> Fact:
    """Return the fact that a record states. Raises Invalid with one of INVALID_REASONS."""
    try:
        return _DECODERS[record.topic](record.value)
    except DecodeError as error:
        raise Invalid("undecodable", str(error)) from error


def event_fact(value: bytes) -> EventFact:
    """Return the fact for a serialized Event. Raises Invalid, DecodeError."""
    event = Event.FromString(value)
    _demand(event_id=event.event_id, brand=event.brand)
    event_time = _stated_time(event)
    return EventFact(
        event_id=event.event_id,
        brand=event.brand,
        platform=PLATFORMS.word(event.platform),
        channel=event.channel,
        kind=EVENT_KINDS.word(event.kind),
        verb=VERBS.word(event.verb),
        echo=event.echo,
        event_time=event_time,
        received_time=_time(event.received_time) if event.HasField("received_time") else event_time,
    )


def decision_fact(value: bytes) -> DecisionFact:
    """Return the fact for a serialized Decision. Raises Invalid, DecodeError."""
    decision = Decision.FromString(value)
    _demand(event_id=decision.event_id, brand=decision.brand)
    return DecisionFact(
        event_id=decision.event_id,
        brand=decision.brand,
        platform=PLATFORMS.word(decision.platform),
        channel=decision.channel,
        kind=EVENT_KINDS.word(decision.kind),
        verb=VERBS.word(decision.verb),
        echo=decision.echo,
        event_time=_stated_time(decision),
        received_time=_time(decision.received_time) if decision.HasField("received_time") else None,
        decided_time=_time(decision.decided_time) if decision.HasField("decided_time") else None,
        outcome=OUTCOMES.word(decision.outcome),
        reason=REASONS.word(decision.reason),
        rules=tuple(RuleFact(rule.rule_id, RULE_REASONS.word(rule.reason)) for rule in decision.rules),
        actions=tuple(ActionFact(ACTION_KINDS.word(action.kind), MODES.word(action.mode)) for action in decision.actions),
    )


def delivery_fact(value: bytes) -> DeliveryFact:
    """Return the fact for a serialized Delivery. Raises Invalid, DecodeError."""
    delivery = Delivery.FromString(value)
    _demand(action_id=delivery.action_id, sequence=delivery.sequence, event_id=delivery.event_id, brand=delivery.brand)
    return DeliveryFact(
        action_id=delivery.action_id,
        sequence=delivery.sequence,
        event_id=delivery.event_id,
        brand=delivery.brand,
        platform=PLATFORMS.word(delivery.platform),
        channel=delivery.channel,
        rule_id=delivery.rule_id,
        kind=ACTION_KINDS.word(delivery.kind),
        mode=MODES.word(delivery.mode),
        state=STATES.word(delivery.state),
        reason=DELIVERY_REASONS.word(delivery.reason),
        event_time=_stated_time(delivery),
        received_time=_time(delivery.received_time) if delivery.HasField("received_time") else None,
        delivered_time=_time(delivery.delivered_time) if delivery.HasField("delivered_time") else None,
    )


_DECODERS: Final[dict[str, Callable[[bytes], Fact]]] = {
    EVENTS: event_fact,
    DECISIONS: decision_fact,
    DELIVERIES: delivery_fact,
}


class _Timed(Protocol):
    @property
    def event_time(self) -> Timestamp: ...


def _demand(**fields: object) -> None:
    missing = [name for name, value in fields.items() if not value]
    if missing:
        raise Invalid("incomplete", f"without {', '.join(missing)} this cannot be counted")


def _stated_time(message: _Timed) -> datetime:
    # An absent message field reads as the epoch; nothing on a platform happened then.
    if not message.event_time.ByteSize():
        raise Invalid("incomplete", "without event_time this belongs to no period")
    return _time(message.event_time)


def _time(stamp: Timestamp) -> datetime:
    try:
        return from_timestamp(stamp)
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid("bad_time", f"{stamp.seconds} s is outside the calendar") from error
