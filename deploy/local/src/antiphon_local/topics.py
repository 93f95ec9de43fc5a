"""The platform's topics, from `proto/topics.yaml`, created on a broker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from antiphon_local.aio import run_apart
from antiphon_local.errors import SetupError
from antiphon_local.settings import ROOT

CATALOG = ROOT / "proto" / "topics.yaml"


@dataclass(frozen=True, slots=True)
class Topic:
    """One entry of the catalog as a broker needs it. `retention_ms` -1: for ever; `cleanup`: delete or compact."""

    name: str
    partitions: int
    retention_ms: int
    cleanup: str


def load_topics(path: Path = CATALOG) -> list[Topic]:
    """Return the topics of the catalog in its order. Raises ValueError when an entry lacks a field."""
    entries: list[Mapping[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return [Topic(entry["name"], entry["partitions"], entry["retention_ms"], entry["cleanup"]) for entry in entries]
    except KeyError as error:
        raise ValueError(f"{path.name}: an entry has no {error}") from error


def create_topics(bootstrap: str, topics: Iterable[Topic] | None = None, partitions_override: int | None = None) -> list[str]:
    """Create those topics that do not exist yet (default: the whole catalog); return the names of the new ones.

    `partitions_override` replaces the partition counts above one: a small machine needs few; single ones have a reason.
    Raises SetupError when the broker refuses one. For asynchronous callers there is `create_topics_async`.
    """
    return run_apart(create_topics_async(bootstrap, topics, partitions_override))


async def create_topics_async(
    bootstrap: str, topics: Iterable[Topic] | None = None, partitions_override: int | None = None
) -> list[str]:
    """`create_topics` for a running event loop."""
    wanted = [_new_topic(topic, partitions_override) for topic in (load_topics() if topics is None else topics)]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        response = await admin.create_topics(wanted)
    finally:
        await admin.close()
    created = []
    for name, code, *message in response.topic_errors:
        if code == 0:
            created.append(name)
        elif for_code(code) is not TopicAlreadyExistsError:
            raise SetupError(
                f"topic {name} cannot be created: {for_code(code).__name__} {message}", "look at its entry in the catalog"
            )
    return created


def _new_topic(topic: Topic, partitions_override: int | None) -> NewTopic:
    partitions = partitions_override if partitions_override and topic.partitions > 1 else topic.partitions
    configuration = {"cleanup.policy": topic.cleanup, "retention.ms": str(topic.retention_ms)}
    return NewTopic(topic.name, partitions, 1, topic_configs=configuration)
