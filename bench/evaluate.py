"""The evaluation alone, in this process: what 10,000 rules cost more than 10."""

import os
import time

import orjson

from antiphon.kafka import Record
from bench.material import BRAND, event, rules, texts
from bench.measure import SERVER_CPU, median
from rules.adapters.codec import decode_event
from rules.adapters.matching import build_matcher
from rules.adapters.schema import to_rule
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.index import Snapshot, build_snapshot
from rules.domain.model import BrandSettings
from rules.domain.state import EMPTY

EVENTS = 20_000
ROUNDS = 5
FEW, MANY = 10, 10_000
HIT_SHARE = 0.1


def measure(sample: float) -> dict[str, float]:
    """Return CPU-µs an event at few and at many rules, a tenth of the events acting in both, and their ratio."""
    os.sched_setaffinity(0, {SERVER_CPU})
    count = max(500, int(EVENTS * sample))
    cases = {size: (_snapshot(size), _events(count, size)) for size in (FEW, MANY)}
    took: dict[int, list[float]] = {size: [] for size in cases}
    for _ in range(ROUNDS):
        for size, (snapshot, events) in cases.items():
            took[size].append(_round(snapshot, events))
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    few, many = median(took[FEW]), median(took[MANY])
    return {"evaluate_10_us": few, "evaluate_10k_us": many, "evaluate_10k_vs_10_ratio": many / few}


def _snapshot(size: int) -> Snapshot:
    documents = [to_rule(BRAND, 1, orjson.dumps(document)) for document in rules(size)]
    return build_snapshot(1, [BrandSettings(BRAND)], documents, [], build_matcher)


def _events(count: int, size: int) -> list[Event]:
    lines = texts(count, size, hit_share=HIT_SHARE)
    records = [Record("", 0, 0, b"bench/author", event(number, text).SerializeToString()) for number, text in enumerate(lines)]
    return [decode_event(record).event for record in records]


def _round(snapshot: Snapshot, events: list[Event]) -> float:
    understanding = Understanding()
    begun = time.process_time()
    for one in events:
        evaluate(snapshot, EMPTY, one, understanding)
    return (time.process_time() - begun) / len(events) * 1e6
