"""Records of the four topics → facts. The contract's classes stop here, and so do texts and names."""

from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Final, Protocol

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.times import from_timestamp
from antiphon.topics import DECISIONS, DELIVERIES, ENTRIES, EVENTS
from antiphon.v1 import decision_pb2, delivery_pb2, entry_pb2, event_pb2
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.entry_pb2 import EntryChange
from antiphon.v1.event_pb2 import Event
from metrics.adapters.people import Pseudonyms
from metrics.domain.facts import ActionFact, DecisionFact, DeliveryFact, EntryFact, EventFact, Fact, Referral, RuleFact, Said

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
LEVELS: Final = Words(decision_pb2.DESCRIPTOR.enum_types_by_name["CobraLevel"], unspecified="")
POLARITIES: Final = Words(decision_pb2.DESCRIPTOR.enum_types_by_name["Polarity"], unspecified="")
ENTRY_STATES: Final = Words(entry_pb2.DESCRIPTOR.enum_types_by_name["EntryState"])

_MILLI: Final = 1_000
_CENTI: Final = 100
_MICRO: Final = 1_000_000


class Decoder:
    """Decodes the records of the four topics; people become pseudonyms here and nowhere else."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._decoders: dict[str, Callable[[bytes], Fact]] = {
            EVENTS: event_fact,
            DECISIONS: self.decision_fact,
            DELIVERIES: self.delivery_fact,
            ENTRIES: self.entry_fact,
        }

    def decode(self, record: Record) -> Fact:
        """Return the fact that a record states. Raises Invalid with one of INVALID_REASONS."""
        try:
            return self._decoders[record.topic](record.value)
        except DecodeError as error:
            raise Invalid("undecodable", str(error)) from error

    def decision_fact(self, value: bytes) -> DecisionFact:
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
            actions=tuple(ActionFact(ACTION_KINDS.word(a.kind), MODES.word(a.mode)) for a in decision.actions),
            said=self._said(decision),
        )

    def delivery_fact(self, value: bytes) -> DeliveryFact:
        """Return the fact for a serialized Delivery. Raises Invalid, DecodeError."""
        delivery = Delivery.FromString(value)
        _demand(action_id=delivery.action_id, sequence=delivery.sequence, event_id=delivery.event_id, brand=delivery.brand)
        platform = PLATFORMS.word(delivery.platform)
        return DeliveryFact(
            action_id=delivery.action_id,
            sequence=delivery.sequence,
            event_id=delivery.event_id,
            brand=delivery.brand,
            platform=platform,
            channel=delivery.channel,
            rule_id=delivery.rule_id,
            kind=ACTION_KINDS.word(delivery.kind),
            mode=MODES.word(delivery.mode),
            state=STATES.word(delivery.state),
            reason=DELIVERY_REASONS.word(delivery.reason),
            event_time=_stated_time(delivery),
            received_time=_time(delivery.received_time) if delivery.HasField("received_time") else None,
            delivered_time=_time(delivery.delivered_time) if delivery.HasField("delivered_time") else None,
            person=self._pseudonyms.of(delivery.brand, platform, delivery.author),
            target=delivery.target,
            root=delivery.root,
            posted_object=delivery.platform_id,
        )

    def entry_fact(self, value: bytes) -> EntryFact:
        """Return the fact for a serialized EntryChange. Raises Invalid, DecodeError."""
        change = EntryChange.FromString(value)
        _demand(entry_id=change.entry_id, sequence=change.sequence, brand=change.brand, campaign=change.campaign)
        platform = PLATFORMS.word(change.platform)
        return EntryFact(
            entry_id=change.entry_id,
            sequence=change.sequence,
            brand=change.brand,
            campaign=change.campaign,
            platform=platform,
            channel=change.channel,
            state=ENTRY_STATES.word(change.state),
            reason=change.reason or "none",
            person=self._pseudonyms.of(change.brand, platform, change.author),
            flags=tuple(sorted(set(change.flags))),
            terms_version=change.terms_version,
            event_time=_stated_time(change),
            changed_time=_time(change.changed_time) if change.HasField("changed_time") else None,
        )

    def _said(self, decision: Decision) -> Said:
        author, platform = decision.author, PLATFORMS.word(decision.platform)
        person = self._pseudonyms.of(decision.brand, platform, author.id)
        if person is not None and not decision.echo:
            self._pseudonyms.saw(decision.brand, person, author.handle or author.name)
        return Said(
            person=person,
            level=LEVELS.word(decision.cobra),
            polarity=POLARITIES.word(decision.polarity),
            sentiment=round(decision.sentiment * _MILLI) if decision.HasField("sentiment") else None,
            topics=tuple(sorted(set(decision.topics))),
            campaigns=tuple(sorted(set(decision.campaigns))),
            flags=tuple(sorted(set(decision.flags))),
            language=decision.language,
            rating=round(decision.rating * _CENTI) if decision.HasField("rating") else None,
            reach=_reach(decision),
            ad=decision.ad,
            object=decision.object,
            parent=decision.parent,
            root=decision.root,
            referral=_referral(decision) if decision.HasField("referral") else None,
        )


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


def _reach(decision: Decision) -> int | None:
    if decision.HasField("reach"):
        return max(0, decision.reach)
    return max(0, decision.author.followers) if decision.author.HasField("followers") else None


def _referral(decision: Decision) -> Referral:
    told = decision.referral
    value = round(told.value * _MICRO) if isfinite(told.value) else 0
    return Referral(told.link, told.action_id, told.click, told.reference, value, told.currency)


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
