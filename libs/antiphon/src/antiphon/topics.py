"""The topics of the platform; `proto/topics.yaml` is their full description and a test holds the two together."""

from typing import Final

EVENTS: Final = "ingest.events.v1"
DECISIONS: Final = "rules.decisions.v1"
DELIVERIES: Final = "publisher.deliveries.v1"
ENTRIES: Final = "publisher.entries.v1"
CONFIG: Final = "rules.config.v1"
LIMITS: Final = "rules.limits.v1"
"""Changelog of the engine's table of consumed limits; read by nobody but the engine."""


def dead_letters_of(topic: str) -> str:
    """Return the name of the topic that takes what cannot be processed on `topic`."""
    return f"{topic}.dlq"


def record_key(brand: str, part: str) -> bytes:
    """Return the record key `brand/part`; of events and decisions the part refers to the author (`antiphon.persons`)."""
    return f"{brand}/{part}".encode()


def part_of(key: bytes) -> str:
    """Return what follows the brand in a record key."""
    return key.decode().partition("/")[2]
