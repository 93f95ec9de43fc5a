"""Decisions → what the guard hears; the guard's state ↔ bytes of the store."""

import zlib
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson
from google.protobuf.message import DecodeError

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.v1 import decision_pb2, event_pb2
from rules.domain.guard.counts import Bucket, Counts, Heard, Hour, scope_of
from rules.domain.guard.repeats import Repeats
from rules.domain.guard.watch import LATEST, Incident, Watched

_PLATFORMS = {number: name.removeprefix("PLATFORM_").lower() for name, number in event_pb2.Platform.items()}

_MADE = frozenset({event_pb2.VERB_CREATE, event_pb2.VERB_UNSPECIFIED})
"""An edit says the same thing again, and a deletion unsays it; a crisis is what was said."""

_LEVEL = 1
"""Of compression: states are written every few seconds, and the fastest makes them a quarter already."""

Heeded = Heard | tuple[int, int]
"""What was heard, or partition and offset of a record that says nothing."""


def decode(record: Record) -> Heeded:
    """Return what the guard hears in a decision. Raises Invalid when the bytes are none."""
    try:
        decision = decision_pb2.Decision.FromString(record.value)
    except DecodeError as error:
        raise Invalid("undecodable", "not an antiphon.v1.Decision") from error
    if not decision.event_id or not decision.brand:
        raise Invalid("incomplete", "a decision names its event and its brand")
    if (
        decision.outcome == decision_pb2.OUTCOME_UNKNOWN_BRAND
        or decision.echo
        or not decision.polarity
        or decision.verb not in _MADE
    ):
        return record.partition, record.offset
    author = decision.author
    received = decision.received_time.seconds or decision.event_time.seconds
    return Heard(
        record.partition,
        record.offset,
        decision.event_id,
        decision.brand,
        _PLATFORMS.get(decision.platform, "unspecified"),
        min(float(decision.event_time.seconds), received + LATEST),
        decision.polarity == decision_pb2.POLARITY_NEGATIVE,
        decision.root or decision.object,
        author.followers if author.HasField("followers") else None,
        tuple(decision.campaigns) if decision.campaigns else (),
        tuple(decision.topics) if decision.topics else (),
    )


def pack(watched: Watched) -> bytes:
    """Return the counts and the crisis of a scope as bytes."""
    counts, incident = watched.counts, watched.incident
    state = {
        "first": counts.first,
        "hours": [[number, h.said, h.negative, h.thread, h.reach, h.known, h.burst] for number, h in counts.hours.items()],
        "buckets": [[number, b.said, b.negative, b.reach, b.known, b.threads] for number, b in counts.buckets.items()],
        "incident": asdict(incident) if incident is not None else None,
        "tipped": watched.tipped,
    }
    return zlib.compress(orjson.dumps(state), _LEVEL)


def pack_repeats(repeats: Repeats) -> bytes:
    """Return what a partition remembers as bytes: event and offset in turn, 8 bytes each."""
    return array("Q", [number for item in repeats.items() for number in item]).tobytes()


def unpack_repeats(packed: bytes) -> Repeats:
    """Return what a partition remembers."""
    numbers = array("Q", packed)
    return Repeats(zip(numbers[::2], numbers[1::2], strict=True))


def unpack(key: str, packed: bytes, offsets: Mapping[str, int], version: int) -> Watched:
    """Return a scope's state. `offsets`: partition → the last offset counted."""
    state: dict[str, Any] = orjson.loads(zlib.decompress(packed))
    counts = Counts(first=state["first"])
    counts.hours = {number: Hour(*values) for number, *values in state["hours"]}
    counts.buckets = {
        number: Bucket(said, negative, reach, known, Counter(threads))
        for number, said, negative, reach, known, threads in state["buckets"]
    }
    incident = Incident(**state["incident"]) if state["incident"] else None
    return Watched(
        scope_of(key),
        counts,
        {int(partition): offset for partition, offset in offsets.items()},
        incident,
        version=version,
        changed=False,
        tipped=state.get("tipped", 0.0),  # states of before it was kept do not tell
    )
