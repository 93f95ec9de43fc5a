"""The whole line: how fast a rule is live, how many comments a second pass through, and what memory each process takes."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from antiphon.topics import CONFIG, DECISIONS, EVENTS
from antiphon.v1.decision_pb2 import Decision
from antiphon_local.line.processes import Line
from antiphon_local.line.seed import Api
from antiphon_local.services import LocalServices
from bench.engine import Topic
from bench.material import BRAND, configuration, event, rules, scaled
from bench.measure import percentile

CHANGES = 60
LIVE_BRAND = f"{BRAND}-live"
OTHER_RULES = 9_900
"""Rules that the brand has besides those that are changed: together just under the 10,000 that it may have."""

COMMENTS = 6_000
_PROBE_S = 0.01
_TIMEOUT_S = 30.0

_WORDS = (
    "price",
    "delayed",
    "thank you",
    "my luggage is lost",
    "wifi",
    "refund please",
    "hello",
    "what a view",
    "nice",
    "see you soon",
)


def live(services: LocalServices, directory: Path, sample: float) -> dict[str, float]:
    """Return the p99 of the seconds from the request that saves a rule to the first event that meets it in force."""
    line = Line(services, directory, roles=("rules-api", "engine"))
    with line:
        api = Api(line.addresses["rules-api"].url, line.admin_token())
        api.call("POST", "/v1/brands", {"id": LIVE_BRAND, "name": "Bench", "mode": "auto"})
        others = configuration(rules(scaled(OTHER_RULES, sample)), brand=LIVE_BRAND)[1:]
        asyncio.run(Topic(services.kafka.address).send(CONFIG, others))
        line.processes["rules-api"].stop()
        line.restart("rules-api")  # is not ready before it has made ready what saves are checked against
        line.wait_working()
        waits = asyncio.run(_changes(services.kafka.address, api, max(5, int(CHANGES * sample))))
        api.close()
    return {"rule_live_p50_s": percentile(waits, 0.5), "rule_live_p99_s": percentile(waits, 0.99)}


async def _changes(bootstrap: str, api: Api, count: int) -> list[float]:
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer,
        AIOKafkaConsumer(DECISIONS, bootstrap_servers=bootstrap, fetch_max_wait_ms=20) as consumer,
    ):
        return [await _change(producer, consumer, api, number) for number in range(count)]


async def _change(producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, api: Api, number: int) -> float:
    document = rules(1)[0] | {"id": f"live-{number}", "when": {"text": {"any": [f"keyword{number}"], "as": "words"}}}
    sent: dict[str, float] = {}
    begun = time.perf_counter()
    saving = asyncio.create_task(asyncio.to_thread(api.call, "POST", f"/v1/brands/{LIVE_BRAND}/rules", document))
    async with asyncio.timeout(_TIMEOUT_S):
        while True:
            probe = event(number * 1_000_000 + len(sent), f"about keyword{number}")
            probe.brand = LIVE_BRAND
            sent[probe.event_id] = time.perf_counter()
            await producer.send_and_wait(EVENTS, probe.SerializeToString(), key=f"{LIVE_BRAND}/prober".encode())
            for messages in (await consumer.getmany(timeout_ms=int(_PROBE_S * 1000))).values():
                decisions = [Decision.FromString(message.value) for message in messages]
                acted = [sent[decision.event_id] for decision in decisions if decision.actions and decision.event_id in sent]
                if acted:
                    await saving
                    return max(0.0, min(acted) - begun)


def through(directory: Path, sample: float) -> dict[str, float]:
    """Play comments through the whole line; return comments a second until all is answered, and memory by process."""
    count = max(100, int(COMMENTS * sample))
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "comments.jsonl"
    lines = ({"author": f"a{number % 1000}", "text": f"{_WORDS[number % len(_WORDS)]} ({number})"} for number in range(count))
    file.write_bytes(b"\n".join(orjson.dumps(line) for line in lines))
    argv = [sys.executable, "-m", "antiphon_local", "run", "--once", f"--replay={file}", f"--directory={directory / 'run'}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the line did not end well:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    summary = orjson.loads((directory / "run" / "summary.json").read_bytes())
    memory = {f"rss_mb_{process.replace('-', '_')}": mb for process, mb in summary["rss_mb"].items()}
    return {"line_events_per_s": summary["accepted"] / summary["wall_s"], "line_p95_ms": summary["p95_ms"], **memory}
