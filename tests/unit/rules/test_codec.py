"""Events keep their very microsecond on the way through the engine: it is how they are found again."""

import random

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.kafka import Record
from antiphon.v1.decision_pb2 import Decision as DecisionMessage
from antiphon.v1.event_pb2 import Event as EventMessage
from antiphon.v1.event_pb2 import EventKind, Platform, Verb
from rules.adapters.codec import decode_event, encode_decision
from rules.domain.decision import Decision, Outcome, Reason


def through(moment: Timestamp) -> Timestamp:
    message = EventMessage(
        event_id="e",
        brand="b",
        object="o",
        platform=Platform.PLATFORM_FACEBOOK,
        kind=EventKind.EVENT_KIND_COMMENT,
        verb=Verb.VERB_CREATE,
        event_time=moment,
        received_time=moment,
    )
    event = decode_event(Record("", 0, 0, b"b/a", message.SerializeToString())).event
    decision = Decision(event, 1, Outcome.NO_MATCH, Reason.UNSPECIFIED)
    return DecisionMessage.FromString(encode_decision(decision, 0.0)).event_time


def test_a_decision_names_its_events_time_to_the_microsecond(rng: random.Random) -> None:
    for micros in (0, 1, 999_999, *(rng.randrange(1_000_000) for _ in range(2_000))):
        moment = Timestamp(seconds=1_767_606_000 + rng.randrange(10**8), nanos=micros * 1_000)
        assert through(moment) == moment
