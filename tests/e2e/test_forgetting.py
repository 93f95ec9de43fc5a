"""Somebody asks to be forgotten: gone from every store, topic, log and export; everybody else and all totals stay."""

import asyncio
import json
import zlib
from collections.abc import Iterator
from typing import Any

import bson
import pymongo
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from antiphon_local.line.seed import BRAND

pytestmark = pytest.mark.e2e

AUTHOR, FIRST, LAST, WORD = "canary-90210", "Zebulon", "Quaggason", "xylophone"
PERSON = f"/v1/brands/{BRAND}/people/facebook:{AUTHOR}"
CANARIES = [canary.encode() for canary in (AUTHOR, FIRST, LAST, WORD)]


def write(stage: Any, text: str) -> str:
    body = {
        "platform": "facebook",
        "account": stage.channels["facebook"].account,
        "author": {"id": AUTHOR, "name": f"{FIRST} {LAST}"},
        "text": text,
    }
    return str(stage.simulator.post("/control/comments", json=body).raise_for_status().json()["id"])


def stored(stage: Any) -> Iterator[tuple[str, bytes]]:
    """Every document of every collection, blocks and results unpacked."""
    env = stage.line.settings("metrics")
    with pymongo.MongoClient(env["MONGO_URI"]) as client:
        database = client[env.get("MONGO_DATABASE", "antiphon")]
        for name in database.list_collection_names():
            for document in database[name].find({}):
                yield f"{name}/{document['_id']}", bson.encode(document)
                for field in ("records", "result"):
                    if isinstance(document.get(field), bytes):
                        yield f"{name}/{document['_id']}/{field}", zlib.decompress(document[field])


async def on_topics(bootstrap: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest") as consumer:
        for topic, partitions in (await _partitions(bootstrap)).items():
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning(*partitions)
            left = {partition for partition in partitions if ends[partition]}
            while left:
                for messages in (await consumer.getmany(timeout_ms=200)).values():
                    found += [
                        (f"{topic}@{m.offset}", (m.key or b"") + (m.value or b"") + repr(m.headers).encode()) for m in messages
                    ]
                left = {p for p in left if await consumer.position(p) < ends[p]}
    return found


async def _partitions(bootstrap: str) -> dict[str, list[TopicPartition]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topics = await admin.describe_topics()
    finally:
        await admin.close()
    return {one["topic"]: [TopicPartition(one["topic"], part["partition"]) for part in one["partitions"]] for one in topics}


def seen_in(places: Any) -> list[str]:
    return [place for place, content in places if any(canary in content for canary in CANARIES)]


def logged(stage: Any) -> list[tuple[str, bytes]]:
    logs = [process.command.log for role, process in stage.line.processes.items() if role != "simulator"]
    return [(log.name, log.read_bytes()) for log in logs]


def exported(stage: Any) -> tuple[set[str], set[str]]:
    """What the person was answered on, and the kinds of records about them."""
    kept = json.loads(stage.command("people", "export", f"facebook:{AUTHOR}"))
    assert (kept["entries"], kept["cut"]) == ([], False)
    return {one["target"] for one in kept["deliveries"]}, {one["record"] for one in kept["measures"]}


def test_a_person_is_forgotten_everywhere_and_totals_stay(stage, wait) -> None:
    asked = write(stage, f"How much is a seat for my {WORD}? price please")
    other = stage.comment("How much is a seat to Rome?", author="somebody-else")
    wait(lambda: stage.replies(asked) == 1 and stage.replies(other) == 1, 30)
    stage.settled()
    wait(lambda: len(stage.api.call("GET", PERSON)["decisions"]) == 1, 30)
    assert stage.api.call("GET", PERSON)["decisions"][0]["text"] == f"How much is a seat for my {WORD}? price please"
    assert seen_in(asyncio.run(on_topics(stage.services.kafka.address))) == [], "topics name nobody, ever"
    assert seen_in(stored(stage)), "else the search proves nothing"
    wait(lambda: exported(stage) == ({asked}, {"decision", "delivery"}), 30, lambda: str(exported(stage)))
    before = stage.api.call("GET", f"/v1/reports/summary?brand={BRAND}")

    assert stage.api.call("DELETE", PERSON)["complete"] is False
    wait(lambda: stage.api.call("GET", f"{PERSON}/erasure")["complete"], 30)

    wait(lambda: seen_in(stored(stage)) == [], 30, lambda: f"still in {seen_in(stored(stage))}")
    assert seen_in(asyncio.run(on_topics(stage.services.kafka.address))) == []
    assert seen_in(logged(stage)) == []
    gone = stage.api.call("GET", PERSON)
    assert (gone["decisions"], gone["segments"], gone["blocked"], gone["opted_out"]) == ([], [], False, False)
    assert exported(stage) == (set(), set())
    after = stage.api.call("GET", f"/v1/reports/summary?brand={BRAND}")
    for total in ("events", "decisions", "deliveries", "lost"):
        assert after[total] == before[total]
    assert len(stage.api.call("GET", f"/v1/brands/{BRAND}/people/facebook:somebody-else")["decisions"]) == 1


def test_who_comes_back_is_heard_again(stage, wait) -> None:
    asked = write(stage, "What is the price now?")
    wait(lambda: stage.replies(asked) == 1, 30)
    wait(lambda: stage.api.call("GET", PERSON)["decisions"], 30)
    words = [decision["text"] for decision in stage.api.call("GET", PERSON)["decisions"]]
    assert words == ["What is the price now?"], "as somebody new: nothing of before has come back"
