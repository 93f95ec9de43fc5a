"""Replaying the rules in force over recorded events makes every recorded decision again, to the last byte."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from antiphon import ids, mongo
from antiphon.config_feed import ConfigFeed
from antiphon.process import background
from antiphon.settings import KafkaSettings, MongoSettings
from antiphon.times import to_timestamp
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.event_pb2 import Author, Event, EventKind, Platform, Verb
from antiphon_local.line.processes import Line
from antiphon_local.settings import ROOT
from rules.adapters.codec import encode_decision
from rules.adapters.config import ConfigurationInForce
from rules.adapters.history.archive import COLLECTION
from rules.adapters.history.lanes import Stretch
from rules.adapters.history.past import open_past
from rules.domain.event import NOTHING_UNDERSTOOD
from rules.domain.matching.index import Snapshot
from rules.domain.replaying.comparison import Comparison, Terms
from rules.domain.replaying.replay import Past, Replay

pytestmark = [pytest.mark.local, pytest.mark.timeout(400)]

COMMENTS = ROOT.parent / "shared" / "data" / "replay" / "airline_mentions.jsonl"
DATABASE = "replay-reproduces"
BRAND = "b"

REDELIVERED_SECONDS = 36 * 3600
"""For so long platforms try; an author's state remembers longer."""

RULES: Sequence[dict[str, Any]] = [
    {
        "id": "refund",
        "state": "active",
        "priority": 5,
        "where": {"kinds": ["comment"]},
        "when": {"all": [{"text": {"any": ["refund", "voucher", "compensation"]}}, {"sentiment": {"at_most": "neutral"}}]},
        "limits": [{"per": "author", "at_most": 1, "within": "24h"}, {"per": "rule", "at_most": 50, "within": "1h"}],
        "then": [
            {
                "reply": {
                    "text": {"default": ["Sorry, {{author.first_name|there}}.", "We are sorry.", "Oh no."]},
                    "delay": "20s-90s",
                }
            },
            {"handoff": {"queue": "care", "note": "refund"}},
        ],
        "stop": True,
    },
    {
        "id": "thanks",
        "state": "active",
        "when": {"text": {"any": ["thank you", "thanks", "thx", "awesome"], "none": ["no thanks"], "squeeze": True}},
        "limits": [{"per": "author_object", "at_most": 1}],
        "test": {"share": 0.5, "experiment": "warm"},
        "then": [{"reply": {"text": {"en": ["Thank you!", "Welcome!"], "default": ["♥", "♡"]}}}, {"like": {}}],
    },
    {
        "id": "late",
        "state": "active",
        "when": {"text": {"any": ["delay", "cancel"], "as": "prefix"}},
        "schedule": {"timezone": "America/New_York", "hours": ["08:00-20:00"]},
        "limits": [{"per": "author", "at_most": 2, "within": "7d"}],
        "then": [{"reply": {"text": {"default": ["We are looking into it."]}}}, {"tag": ["late"]}],
    },
    {
        "id": "welcome",
        "state": "active",
        "priority": 900,
        "when": {"author": {"first_contact": True}},
        "then": [{"tag": ["new"]}],
    },
    {"id": "unhappy", "state": "active", "priority": 800, "when": {"sentiment": "negative"}, "then": [{"tag": ["unhappy"]}]},
    {
        "id": "question",
        "state": "active",
        "priority": 700,
        "when": {"all": [{"has": ["question"]}, {"text": {"any": ["how|when|where"], "as": "regex"}}]},
        "limits": [{"per": "author", "at_most": 1, "within": "1h"}],
        "then": [{"private_reply": {"text": {"default": ["Let us help, {{author.handle|you}}.", "How can we help?"]}}}],
    },
]


def recorded_comments(rng: random.Random) -> list[Event]:
    """Return the real comments, moved in time so that the last came just now, in the order in which they came."""
    lines = [orjson.loads(line) for line in COMMENTS.read_bytes().splitlines()]
    made = sorted(
        ((datetime.strptime(line["created"], "%d-%m-%Y %H.%M").replace(tzinfo=UTC), line) for line in lines),
        key=lambda pair: pair[0],
    )
    shift = datetime.now(UTC) - made[-1][0] - timedelta(minutes=1)
    return [comment(number, created + shift, line, rng) for number, (created, line) in enumerate(made)]


def comment(number: int, created: datetime, line: dict[str, Any], rng: random.Random) -> Event:
    late = rng.choice([timedelta(seconds=2)] * 50 + [timedelta(hours=30)])  # some come too late to be answered
    return Event(
        event_id=ids.event_id("facebook", "page", str(number), "create", ""),
        brand=BRAND,
        platform=Platform.PLATFORM_FACEBOOK,
        account="page",
        channel="main",
        kind=EventKind.EVENT_KIND_COMMENT,
        verb=Verb.VERB_CREATE,
        object=str(number),
        root=line["brand"],
        author=Author(id=line["author"], name=line["author"].title(), handle=line["author"]),
        text=line["text"],
        event_time=to_timestamp(created - late),
        received_time=to_timestamp(created + timedelta(milliseconds=rng.randrange(5000))),
    )


async def in_force(bootstrap: str) -> Snapshot:
    """Return the configuration as an engine reads it."""
    refused: list[bool] = []
    configuration = ConfigurationInForce(lambda: refused.append(True))
    feed = ConfigFeed(KafkaSettings(kafka_bootstrap_servers=bootstrap), configuration.apply)
    async with background(feed.run(), configuration.run(feed.wait_complete)):
        await feed.wait_complete()
        await configuration.wait_built()
    assert not refused
    return configuration.snapshot


async def archived(uri: str, count: int) -> list[Past]:
    """Return the whole past, once the archive has so many events, each with its decision."""
    client, database = mongo.connect(MongoSettings(mongo_uri=uri, mongo_database=DATABASE))
    stretch = Stretch(BRAND, 0.0, time.time() + 3600)
    try:
        async with asyncio.timeout(120):
            while True:
                reader = await open_past(database[COLLECTION], stretch, lambda _: NOTHING_UNDERSTOOD)
                pasts = [past for chunk in [chunk async for chunk in reader.chunks()] for past in chunk]
                if len(pasts) >= count and reader.understood_anew == 0:
                    return pasts
                await asyncio.sleep(0.5)
    finally:
        client.close()


def is_redeliverable(event: Event, now: Event) -> bool:
    """Tell whether a platform would deliver the event again at the time of another."""
    return now.received_time.seconds - event.received_time.seconds < REDELIVERED_SECONDS


def kill_and_restart(line: Line) -> None:
    line.processes["engine"].kill()
    line.restart("engine")
    line.wait_working()


def without_clock(decision: Decision) -> bytes:
    decision.ClearField("decided_time")
    return decision.SerializeToString(deterministic=True)


@pytest.mark.skipif(not COMMENTS.exists(), reason="the recorded comments are not here")
def test_the_rules_in_force_make_every_recorded_decision_again(engine, rng: random.Random, tmp_path: Path) -> None:
    engine.configure(RULES)
    events = recorded_comments(rng)
    assert len(events) >= 10_000
    half = len(events) // 2
    repeated = rng.sample([event for event in events[:half] if is_redeliverable(event, events[half])], 500)
    line = Line(engine.services, tmp_path, env={"MONGO_DATABASE": DATABASE}, roles=("engine", "historian"))
    with line:
        line.wait_working()
        engine.feed(events[:half])
        engine.decisions({event.event_id for event in events[: half // 2]})
        kill_and_restart(line)
        engine.feed([*repeated, *events[half:]])
        recorded = engine.decisions({event.event_id for event in events}, timeout_s=180)
        pasts = asyncio.run(archived(engine.services.mongo.address, len(events) + len(repeated)))
    snapshot = asyncio.run(in_force(engine.bootstrap))
    assert {past.event.event_id for past in pasts} == {event.event_id for event in events}
    different = differing(snapshot, pasts, recorded)
    assert different == []
    report = compared(snapshot, pasts)
    assert (report.events, report.repeated) == (len(events), len(repeated))
    assert (report.fidelity.compared, report.fidelity.reproduced) == (len(events), len(events))
    assert report.changes == {}
    assert set(report.old.reasons) >= {"limit", "holdout", "schedule", "stale", "sentiment", "stopped"}
    assert report.old.outcomes["acted"] > 1_000


def differing(snapshot: Snapshot, pasts: Sequence[Past], recorded: dict[str, list[Decision]]) -> list[str]:
    """Return the events on which any recorded decision differs from the one made now, in any field but the clock's."""
    replay, found = Replay(snapshot), []
    for past in pasts:
        again = without_clock(Decision.FromString(encode_decision(replay.decide(past), 0.0)))
        if any(without_clock(decision) != again for decision in recorded[past.event.event_id]):
            found.append(past.event.event_id)
    return found


def compared(snapshot: Snapshot, pasts: Sequence[Past]) -> Any:
    comparison = Comparison(snapshot, snapshot, Terms(human_pause=3600.0))
    for past in pasts:
        comparison.take(past, counted=True)
    return comparison.report()
