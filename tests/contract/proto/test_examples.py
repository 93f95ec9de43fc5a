"""The golden examples: each parses, survives a round trip, and together they show every shape that matters."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from google.protobuf import json_format
from google.protobuf.message import Message

from antiphon import ids
from antiphon.v1 import config_pb2, decision_pb2, delivery_pb2, entry_pb2, event_pb2
from antiphon.v1.config_pb2 import ConfigRecord
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.entry_pb2 import EntryChange
from antiphon.v1.event_pb2 import Event

PROTO = Path(__file__).parents[3] / "proto"

EXAMPLES = sorted((PROTO / "examples").glob("*/*.json"))

TYPES: dict[str, type[Message]] = {
    "Event": Event,
    "Decision": Decision,
    "Delivery": Delivery,
    "EntryChange": EntryChange,
    "ConfigRecord": ConfigRecord,
}


def parse(path: Path) -> Any:
    return json_format.ParseDict(orjson.loads(path.read_bytes()), TYPES[path.parent.name]())


def examples(kind: str) -> list[Any]:
    return [parse(path) for path in EXAMPLES if path.parent.name == kind]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_parses_and_survives_the_wire(path: Path) -> None:
    message = parse(path)
    again = type(message).FromString(message.SerializeToString())
    assert again == message
    assert message.ByteSize() > 0
    assert json_format.MessageToDict(again) == orjson.loads(path.read_bytes())


def test_every_message_that_travels_has_examples_and_no_other_has() -> None:
    catalog = yaml.safe_load((PROTO / "topics.yaml").read_text(encoding="utf-8"))
    travelling = {topic["message"].removeprefix("antiphon.v1.") for topic in catalog if topic["message"] != "raw"}
    assert travelling == {path.name for path in (PROTO / "examples").iterdir()} == set(TYPES)


def test_events_show_every_kind_and_verb() -> None:
    events = examples("Event")
    assert {event.kind for event in events} == set(event_pb2.EventKind.values()) - {0}
    assert {event.verb for event in events} == set(event_pb2.Verb.values()) - {0}
    assert {True, False} == {event.echo for event in events}
    assert any(not event.author.id for event in events)


def test_decisions_show_every_outcome() -> None:
    decisions = examples("Decision")
    assert {decision.outcome for decision in decisions} == set(decision_pb2.Outcome.values()) - {0}
    for decision in decisions:
        assert bool(decision.actions) == (decision.outcome == decision_pb2.OUTCOME_ACTED)


def test_deliveries_show_every_state() -> None:
    assert {delivery.state for delivery in examples("Delivery")} == set(delivery_pb2.DeliveryState.values()) - {0}


def test_entry_changes_show_every_state() -> None:
    assert {change.state for change in examples("EntryChange")} == set(entry_pb2.EntryState.values()) - {0}


def test_configuration_shows_every_entity() -> None:
    entities = {field.name for field in config_pb2.ConfigRecord.DESCRIPTOR.oneofs_by_name["entity"].fields}
    assert {record.WhichOneof("entity") for record in examples("ConfigRecord")} == entities


def test_ids_are_those_that_content_gives() -> None:
    events = {event.event_id: event for event in examples("Event")}
    for event in events.values():
        if event.verb == event_pb2.VERB_CREATE:
            platform = event_pb2.Platform.Name(event.platform).removeprefix("PLATFORM_").lower()
            assert event.event_id == ids.event_id(platform, event.account, event.object, "create", "")
    actions = {action.action_id for decision in examples("Decision") for action in decision.actions}
    for decision in examples("Decision"):
        assert decision.event_id in events
        for action in decision.actions:
            assert action.action_id == ids.action_id(decision.brand, decision.event_id, action.rule_id, action.position)
    assert {delivery.action_id for delivery in examples("Delivery")} <= actions
