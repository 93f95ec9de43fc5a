"""`topics.yaml` describes every topic; code and catalog agree, and what can be put aside has a place to go."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import descriptor_pool

from antiphon import topics
from antiphon.v1 import config_pb2, decision_pb2, delivery_pb2, entry_pb2, event_pb2

PROTO = Path(__file__).parents[3] / "proto"

CATALOG: list[dict[str, Any]] = yaml.safe_load((PROTO / "topics.yaml").read_text(encoding="utf-8"))

BY_NAME = {topic["name"]: topic for topic in CATALOG}

SERVICES = {"ingest", "rules", "publisher", "metrics"}

NAME = re.compile(r"(?P<producer>[a-z]+)\.[a-z-]+\.v[1-9][0-9]*(?P<dead>\.dlq)?")


def constants() -> set[str]:
    return {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}


def test_code_and_catalog_name_the_same_topics() -> None:
    assert constants() == {name for name in BY_NAME if not name.endswith(".dlq")}
    assert len(BY_NAME) == len(CATALOG)


@pytest.mark.parametrize("topic", CATALOG, ids=lambda topic: topic["name"])
def test_an_entry_is_complete_and_consistent(topic: dict[str, Any]) -> None:
    assert set(topic) == {"name", "message", "key", "producer", "consumers", "partitions", "retention_ms", "cleanup"}
    parts = NAME.fullmatch(topic["name"])
    assert parts is not None
    assert topic["producer"] in SERVICES
    assert parts["dead"] or parts["producer"] == topic["producer"]
    assert set(topic["consumers"]) <= SERVICES
    assert (topic["cleanup"], topic["retention_ms"] > 0) in {("delete", True), ("compact", False)}
    assert topic["partitions"] >= 1


def test_every_message_named_is_one_of_the_contract() -> None:
    pool = descriptor_pool.Default()
    assert {module.DESCRIPTOR.package for module in (config_pb2, decision_pb2, delivery_pb2, entry_pb2, event_pb2)} == {
        "antiphon.v1"
    }
    named = {topic["message"] for topic in CATALOG if topic["message"] != "raw"}
    assert len(named) == 5
    for name in named:
        assert pool.FindMessageTypeByName(name).full_name == name


def test_what_another_service_reads_has_dead_letters() -> None:
    read = {name for name, topic in BY_NAME.items() if set(topic["consumers"]) - {topic["producer"]}}
    assert {topics.dead_letters_of(name) for name in read} == {name for name in BY_NAME if name.endswith(".dlq")}


def test_dead_letters_are_kept_longer_than_a_weekend() -> None:
    for name, topic in BY_NAME.items():
        if name.endswith(".dlq"):
            assert (topic["message"], topic["partitions"], topic["consumers"]) == ("raw", 1, [])
            assert topic["retention_ms"] >= 7 * 86_400_000


def test_the_configuration_keeps_its_order_and_its_content() -> None:
    topic = BY_NAME[topics.CONFIG]
    assert (topic["partitions"], topic["cleanup"], topic["retention_ms"]) == (1, "compact", -1)


def test_tables_have_as_many_partitions_as_what_fills_them() -> None:
    assert BY_NAME[topics.LIMITS]["partitions"] == BY_NAME[topics.EVENTS]["partitions"]
    assert BY_NAME[topics.DECISIONS]["partitions"] == BY_NAME[topics.EVENTS]["partitions"]


def test_the_generated_classes_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, PROTO / "generate.py", "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
