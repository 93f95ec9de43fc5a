"""Every golden example of the four topics is a fact, in words that this release knows."""

from pathlib import Path

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from antiphon.kafka import Record
from antiphon.topics import DECISIONS, DELIVERIES, ENTRIES, EVENTS
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.entry_pb2 import EntryChange
from antiphon.v1.event_pb2 import Event
from metrics.adapters import codec
from metrics.adapters.pages import pages, row_of
from metrics.adapters.people import Pseudonyms

EXAMPLES = Path(__file__).parents[3] / "proto" / "examples"

TOPICS: dict[str, type[Message]] = {EVENTS: Event, DECISIONS: Decision, DELIVERIES: Delivery, ENTRIES: EntryChange}

CASES = [(topic, path) for topic, kind in TOPICS.items() for path in sorted((EXAMPLES / kind.__name__).glob("*.json"))]


@pytest.mark.parametrize(("topic", "path"), CASES, ids=lambda value: value.stem if isinstance(value, Path) else value)
def test_it_is_a_fact_without_text_and_name(topic: str, path: Path) -> None:
    example = orjson.loads(path.read_bytes())
    message = json_format.ParseDict(example, TOPICS[topic]())
    fact = codec.Decoder(Pseudonyms(b"a key for tests")).decode(Record(topic, 0, 0, None, message.SerializeToString()))
    assert fact.fact_id.startswith(example.get("actionId") or example.get("entryId") or example["eventId"])
    assert codec.OTHER not in [getattr(fact, name, None) for name in ("platform", "kind", "outcome", "state")]
    kept = pages(type(fact), [row_of(fact)])
    author = example.get("author", {})
    private = [author.get("name"), author.get("handle")] if isinstance(author, dict) else [author]
    for secret in [example.get("text"), example.get("detail"), *private]:
        assert not secret or secret not in repr(kept)


def test_all_four_topics_have_examples() -> None:
    assert {topic for topic, _ in CASES} == set(TOPICS)
