"""The read model: how fast records enter it from Kafka, and how long reports over 90 days take at a million events."""

import asyncio
import base64
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pymongo import MongoClient

from antiphon.auth import new_key
from antiphon.times import to_timestamp
from antiphon.topics import CONFIG, DECISIONS, EVENTS
from antiphon.v1 import decision_pb2, event_pb2
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.event_pb2 import Author, Event
from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process
from antiphon_local.services import LocalServices
from bench.engine import Topic
from bench.measure import percentile
from metrics.adapters.codec import Decoder
from metrics.adapters.documents import pack
from metrics.adapters.facts import PERIOD_INDEX
from metrics.adapters.pages import pages, row_of
from metrics.adapters.people import Pseudonyms
from metrics.domain.facts import DecisionFact, EventFact
from metrics.domain.fold import Records, fold
from metrics.domain.periods import HOUR

BRAND = "bench"
EVENTS_IN = 20_000
"""Events that are consumed, each with its decision."""

EVENTS_STORED = 1_000_000
HOURS = 90 * 24
PEOPLE = 200_000
ROUNDS = 3
DATABASE = "bench_metrics"
REPORTS = ("summary", "cobra", "ewom", "campaigns", "influencers", "responses", "guard")
START = datetime(2026, 1, 1, tzinfo=UTC)
_KEY = "a key for the benchmark"
_PATIENCE_S = 600.0
_BATCH = 1_000


def measure(services: LocalServices, sample: float) -> dict[str, float]:
    """Return events a second from Kafka into the read model, and the p95 of all reports over 90 days in seconds."""
    count = max(5_000, int(EVENTS_IN * sample))
    key = new_key()
    entity = ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, brands=[BRAND], role="viewer")
    record = ConfigRecord(generation=1, api_key=entity).SerializeToString()
    topic = Topic(services.kafka.address)
    asyncio.run(topic.send(CONFIG, [(f"api_key//{key.key_id}".encode(), record)]))
    dice = random.Random(1)
    pairs = [_pair(dice, number, START + timedelta(days=100, seconds=number // 200)) for number in range(count)]
    asyncio.run(topic.send(EVENTS, [(b"bench/%d" % (number % 97), event) for number, (event, _) in enumerate(pairs)]))
    asyncio.run(topic.send(DECISIONS, [(b"bench/%d" % (number % 97), one) for number, (_, one) in enumerate(pairs)]))
    bare = _inserted(services.mongo.address, [decision for _, decision in pairs])
    _store(services.mongo.address, sample)
    with _service(services) as (url, _process):
        rate = _drained(url, 2 * count) / 2
        waits = [_report(url, key.token, name) for _ in range(ROUNDS) for name in REPORTS]
    p50, p95 = percentile(waits, 0.5), percentile(waits, 0.95)
    return {"metrics_events_per_s": rate, "metrics_bare_inserts_per_s": bare, "report_90d_p50_s": p50, "report_90d_p95_s": p95}


@contextmanager
def _service(services: LocalServices) -> Iterator[tuple[str, Process]]:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    settings = {
        "HTTP_PORT": str(port),
        "MONGO_DATABASE": DATABASE,
        "METRICS_PERSON_KEY": _KEY,
        "SEAL_KEYS": "bench:" + base64.b64encode(bytes(32)).decode(),
        "KAFKA_SESSION_TIMEOUT_MS": "6000",
    }
    command = Command(
        name="metrics",
        argv=[sys.executable, "-m", "metrics"],
        log=services.directory / "bench-metrics.log",
        env={**services.env(), **settings},
        ready_url=f"{url}/healthz",
    )
    process = Process(command)
    process.start()
    try:
        process.wait_ready()
        yield url, process
    finally:
        process.stop()


def _drained(url: str, count: int) -> float:
    """Return the facts recorded a second, from the first that are seen recorded to the last."""
    deadline = time.monotonic() + _PATIENCE_S
    first: tuple[float, float] | None = None
    while time.monotonic() < deadline:
        recorded, now = _recorded(url), time.perf_counter()
        if first is None and recorded:
            first = recorded, now
        if first is not None and recorded >= count:
            if recorded == first[0]:
                raise RuntimeError(f"{count} facts are too few to be timed")
            return (recorded - first[0]) / (now - first[1])
        time.sleep(0.02)
    raise RuntimeError("the records were not consumed in time")


def _inserted(address: str, decisions: list[bytes]) -> float:
    """Return the facts a second that the store takes of those of decisions, in pages, from a client that does nothing else."""
    decoder = Decoder(Pseudonyms(_KEY.encode()))
    rows = [row_of(decoder.decision_fact(value)) for value in decisions]
    batches = [pages(DecisionFact, rows[start : start + _BATCH]) for start in range(0, len(rows), _BATCH)]
    with MongoClient[dict[str, Any]](address) as client:
        bare = client[DATABASE]["bare"]
        bare.create_index(PERIOD_INDEX)
        bare.create_index("keys", unique=True)
        begun = time.perf_counter()
        for batch in batches:
            bare.insert_many(batch, ordered=False)
        took = time.perf_counter() - begun
        bare.drop()
    return len(rows) / took


def _recorded(url: str) -> float:
    lines = httpx.get(f"{url}/metrics", trust_env=False).text.splitlines()
    counters = ("antiphon_metrics_events_total{", "antiphon_metrics_decisions_total{")
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(counters))


def _report(url: str, token: str, name: str) -> float:
    headers = {"authorization": f"Bearer {token}"}
    period = {"brand": BRAND, "from": START.isoformat(), "to": (START + timedelta(days=90)).isoformat()}
    begun = time.perf_counter()
    answer = httpx.get(f"{url}/v1/reports/{name}", params=period, headers=headers, timeout=60, trust_env=False)
    if answer.status_code != 200:
        raise RuntimeError(f"{name}: {answer.status_code} {answer.text}")
    return time.perf_counter() - begun


def _store(address: str, sample: float) -> None:
    """Store the hours of 90 days as the builder does; the records behind them are not read by a report."""
    dice, decoder = random.Random(2), Decoder(Pseudonyms(_KEY.encode()))
    each = max(1, int(EVENTS_STORED * sample) // HOURS)
    with MongoClient[dict[str, Any]](address) as client:
        hours = client[DATABASE]["kpi_hours"]
        hours.create_index([("brand", 1), ("hour", 1)])
        for number in range(HOURS):
            begin = START + number * HOUR
            hour = fold(_records(dice, decoder, each, begin))
            name = f"{BRAND}/{begin:%Y-%m-%dT%H}"
            hours.insert_one({"_id": name, "brand": BRAND, "hour": begin, "token": "bench", **pack(hour)})


def _records(dice: random.Random, decoder: Decoder, count: int, begin: datetime) -> Records:
    records = Records()
    for number in range(count):
        _, value = _pair(dice, number, begin + timedelta(seconds=number * 3_600 // count))
        decision = decoder.decision_fact(value)
        records.take([_event_of(decision), decision])
    return records


def _event_of(decision: DecisionFact) -> EventFact:
    shared = {name: getattr(decision, name) for name in ("event_id", "brand", "platform", "channel", "kind", "verb", "echo")}
    return EventFact(**shared, event_time=decision.event_time, received_time=decision.event_time)


def _pair(dice: random.Random, number: int, moment: datetime) -> tuple[bytes, bytes]:
    """Return an event and its decision, as a brand's people write: two platforms, a third of the reaches known."""
    who = Author(id=str(dice.randrange(PEOPLE)))
    if dice.random() < 1 / 3:
        who.followers = dice.randrange(5_000)
    shared: dict[str, Any] = {
        "event_id": f"{dice.getrandbits(256):064x}",
        "brand": BRAND,
        "platform": dice.choice([event_pb2.PLATFORM_FACEBOOK, event_pb2.PLATFORM_INSTAGRAM]),
        "channel": "main",
        "kind": dice.choice([1, 1, 1, 2, 3, 7, 7, 8]),
        "verb": event_pb2.VERB_CREATE,
        "object": f"{dice.getrandbits(64):x}",
        "root": f"post{dice.randrange(1_000)}",
        "author": who,
        "event_time": to_timestamp(moment),
        "received_time": to_timestamp(moment),
    }
    shared["parent"] = f"c{number - 1}" if shared["kind"] == event_pb2.EVENT_KIND_REPLY else shared["root"]
    read: dict[str, Any] = {"polarity": dice.choice([1, 2, 2, 3]), "cobra": dice.choice([2, 2, 2, 3])}
    decision = Decision(
        **shared,
        **read,
        decided_time=to_timestamp(moment + timedelta(milliseconds=dice.randrange(80))),
        outcome=decision_pb2.OUTCOME_NO_MATCH,
        language="en",
        sentiment=dice.uniform(-1, 1),
        topics=dice.choice([[], [], ["product:shoe"], ["topic:delivery"], ["competitor:rival"]]),
        campaigns=dice.choice([[], [], [], ["spring"]]),
    )
    return Event(**shared, text="x" * 120).SerializeToString(), decision.SerializeToString()
