"""Ten thousand real comments: late, repeated, shuffled, with kills at every step; each report equals a plain recomputation."""

import asyncio
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pymongo
import pytest
from aiokafka import AIOKafkaProducer

from antiphon.kafka import Record
from antiphon.times import to_timestamp
from antiphon.topics import DECISIONS
from antiphon.v1 import decision_pb2, event_pb2
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.event_pb2 import Author
from metrics.adapters.codec import Decoder
from metrics.adapters.people import Pseudonyms
from metrics.domain.facts import DecisionFact

pytestmark = [pytest.mark.local, pytest.mark.timeout(400)]

REPLAY = Path(__file__).parents[4] / "shared" / "data" / "replay" / "airline_mentions.jsonl"
COUNT = 10_000
POLARITIES = {"negative": 1, "neutral": 2, "positive": 3}
POINTS = (
    "metrics.before_write",
    "metrics.after_mark",
    "metrics.after_write",
    "metrics.before_bucket",
    "metrics.after_bucket",
    "metrics.after_trees",
)

Sent = list[tuple[bytes, bytes]]


def comments(brand: str, lines: list[dict[str, Any]]) -> Sent:
    """A decision for each line: on ten posts, every fifth an answer to the comment before it, some deleted."""
    sent: Sent = []
    for number, line in enumerate(lines):
        moment = datetime.strptime(line["created"], "%d-%m-%Y %H.%M").replace(tzinfo=UTC) + timedelta(seconds=number % 60)
        deletes = number % 97 == 96  # the comment before it
        named = number - deletes
        reply = named % 5 == 0 and named > 0
        decision = Decision(
            event_id=sha256(f"{brand}{number}".encode()).hexdigest(),
            brand=brand,
            platform=event_pb2.PLATFORM_INSTAGRAM if number % 3 else event_pb2.PLATFORM_FACEBOOK,
            channel="main",
            kind=event_pb2.EVENT_KIND_REPLY if reply else event_pb2.EVENT_KIND_COMMENT,
            verb=event_pb2.VERB_DELETE if deletes else event_pb2.VERB_CREATE,
            object=f"c{named}",
            parent=f"c{named - 1}" if reply else f"post{named // 5 % 10}",
            root=f"post{(named - reply) // 5 % 10}",
            author=Author(id=line["author"], followers=number % 1_000 if number % 4 == 0 else None),
            event_time=to_timestamp(moment),
            received_time=to_timestamp(moment),
            decided_time=to_timestamp(moment + timedelta(milliseconds=number % 50)),
            outcome=decision_pb2.OUTCOME_NO_MATCH,
            polarity=POLARITIES[line["sentiment"]],  # type: ignore[arg-type]
            sentiment=(POLARITIES[line["sentiment"]] - 2) * 0.5,
            cobra=decision_pb2.COBRA_LEVEL_CONTRIBUTING if number % 7 else decision_pb2.COBRA_LEVEL_CREATING,
        )
        sent.append((f"{brand}/{line['author']}".encode(), decision.SerializeToString()))
    return sent


async def send(producer: AIOKafkaProducer, sent: Sent) -> None:
    for waiting in [await producer.send(DECISIONS, value, key=key) for key, value in sent]:
        await waiting


def oracle(sent: Sent) -> dict[str, Any]:
    """What the reports must say, in the plainest words."""
    decoder = Decoder(Pseudonyms(b"any key: only how many differ is compared"))
    facts = {}
    for _, value in sent:
        fact = decoder.decode(Record(DECISIONS, 0, 0, None, value))
        assert isinstance(fact, DecisionFact)
        facts[fact.fact_id] = fact
    new = [fact for fact in facts.values() if fact.verb == "create"]
    creating = {fact.said.person for fact in new if fact.said.level == "creating"}
    everybody = {fact.said.person for fact in new}
    known = {
        p: sorted(f.said.reach for f in new if f.platform == p and f.said.reach is not None) for p in ("facebook", "instagram")
    }
    usual = {platform: reaches[-(-len(reaches) // 2) - 1] for platform, reaches in known.items()}
    weights = [usual[fact.platform] if fact.said.reach is None else fact.said.reach for fact in new]
    moods = [fact.said.sentiment or 0 for fact in new]
    return {
        "decisions": len(facts),
        "volume": len(new),
        "negative": sum(fact.said.polarity == "negative" for fact in new),
        "creating_events": sum(fact.said.level == "creating" for fact in new),
        "people": len(everybody),
        "creating_people": len(creating),
        "exposure": sum(weights),
        "valence": sum(moods) / len(moods) / 1000,
        "weighted": sum(w * m for w, m in zip(weights, moods, strict=True)) / sum(weights) / 1000,
    }


def told(service: Any, brand: str) -> dict[str, Any]:
    period = {"brand": brand, "from": "2015-02-01T00:00:00Z", "to": "2015-03-10T00:00:00Z", "granularity": "week"}
    documents = {name: service.get(f"/v1/reports/{name}", **period) for name in ("summary", "cobra", "ewom")}
    assert {name: answer.status_code for name, answer in documents.items()} == dict.fromkeys(documents, 200)
    summary, cobra, ewom = (orjson.loads(answer.content) for answer in documents.values())
    speech = ewom["total"]["all"]
    assert sum(point["total"]["all"]["volume"] for point in ewom["series"]) == speech["volume"]
    return {
        "decisions": summary["decisions"]["total"],
        "volume": speech["volume"],
        "negative": speech["negative"]["count"],
        "creating_events": cobra["total"]["events"]["creating"]["count"],
        "people": cobra["total"]["people_total"],
        "creating_people": cobra["total"]["people"]["creating"]["count"],
        "exposure": speech["exposure"]["total"],
        "valence": speech["valence"],
        "weighted": speech["weighted_valence"],
    }


def all_trees(service: Any, brand: str) -> list[tuple[str, int, int, int, float, int]]:
    period = {"brand": brand, "from": "2015-02-01T00:00:00Z", "to": "2015-03-10T00:00:00Z", "top": "100"}
    found = orjson.loads(service.get("/v1/reports/ewom", **period).content)["cascades"]
    assert found["pending_hours"] == 0
    return sorted((t["root"], t["size"], t["depth"], t["breadth"], t["virality"], t["waiting"]) for t in found["largest"])


def plain_trees(sent: Sent) -> list[tuple[str, int]]:
    decisions = {decision.event_id: decision for decision in (Decision.FromString(value) for _, value in sent)}.values()
    made = {decision.object for decision in decisions if decision.verb == event_pb2.VERB_CREATE}
    gone = {decision.object for decision in decisions if decision.verb == event_pb2.VERB_DELETE}
    trees: dict[str, set[str]] = {}
    for decision in decisions:
        waits = decision.parent.startswith("c") and decision.parent not in made
        if decision.verb == event_pb2.VERB_CREATE and not waits:
            trees.setdefault(decision.root, {decision.root}).add(decision.object)
    return sorted((root, len(nodes - gone)) for root, nodes in trees.items())


async def test_ten_thousand_real_comments(service: Any, producer: AIOKafkaProducer, brand: str, rng: random.Random) -> None:
    if not REPLAY.exists():
        pytest.skip("the real comments are not beside this checkout")
    lines = [orjson.loads(line) for line in REPLAY.read_bytes().splitlines()[:COUNT]]
    service.env["KAFKA_GROUP_INSTANCE_ID"] = "metrics-0"  # a static member is back at once, without a rebalance
    sent = comments(brand, lines)
    shuffled = out_of_order(sent, rng)
    share = len(shuffled) // len(POINTS)
    for number, point in enumerate(POINTS):
        service.start(f"{point}:kill")
        await send(producer, shuffled[number * share : (number + 1) * share])
        await asyncio.to_thread(wait_dead, service)
        assert service.process.exit_code == -signal.SIGKILL, point
    await send(producer, shuffled[len(POINTS) * share :])
    service.start()
    await asyncio.to_thread(service.wait_drained)
    right = oracle(sent)
    assert told(service, brand) == pytest.approx(right, rel=1e-12)
    await until_built(service, brand)
    assert told(service, brand) == pytest.approx(right, rel=1e-12)
    assert [(root, size) for root, size, *_ in all_trees(service, brand)] == plain_trees(sent)

    await send(producer, [late(brand)])
    await asyncio.to_thread(service.wait_drained)
    after = told(service, brand)
    assert (after["volume"], after["people"]) == (right["volume"] + 1, right["people"] + 1)


def out_of_order(sent: Sent, rng: random.Random) -> Sent:
    """Return them as a bad day brings them: a third twice, neighbours in any order, every twentieth weeks early or late."""
    places = [*range(len(sent)), *rng.sample(range(len(sent)), len(sent) // 3)]
    moved = [(rng.uniform(0, len(sent)) if rng.random() < 0.05 else rng.gauss(place, 300), place) for place in places]
    return [sent[place] for _, place in sorted(moved)]


def late(brand: str) -> tuple[bytes, bytes]:
    """A comment of weeks ago by somebody new, into an hour that is built already."""
    [(_, value)] = comments(brand, [{"author": "late", "created": "24-02-2015 11.35", "sentiment": "neutral"}])
    decision = Decision.FromString(value)
    decision.event_id = f"{brand}-late"
    return f"{brand}/late".encode(), decision.SerializeToString()


async def until_built(service: Any, brand: str) -> None:
    def wait() -> None:
        deadline = time.monotonic() + 300
        with pymongo.MongoClient(service.env["MONGO_URI"]) as client:  # a report would read all hours that are not built yet
            marks = client[service.env["MONGO_DATABASE"]]["kpi_marks"]
            while marks.count_documents({"brand": brand}):
                assert time.monotonic() < deadline, service.process.log_tail(30)
                time.sleep(0.5)

    await asyncio.to_thread(wait)


def wait_dead(service: Any) -> None:
    deadline = time.monotonic() + 60
    while service.process.running and time.monotonic() < deadline:
        time.sleep(0.1)
