"""The evaluation alone, in this process: what 10,000 rules cost more than 10."""

import os
import time
from collections.abc import Sequence

import orjson

from antiphon.kafka import Record
from bench.material import BRAND, event, rules, texts
from bench.measure import SERVER_CPU, median
from rules.adapters.codec import decode_event
from rules.adapters.matching import build_matcher
from rules.adapters.schema.document import to_rule
from rules.adapters.understanding import understand
from rules.domain.evaluate import evaluate
from rules.domain.event import NOTHING_UNDERSTOOD, Event
from rules.domain.matching.index import Snapshot, build_snapshot
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
    cases = {size: (_snapshot(size), decoded(texts(count, size, hit_share=HIT_SHARE))) for size in (FEW, MANY)}
    took: dict[tuple[int, bool], list[float]] = {(size, enriched): [] for size in cases for enriched in (False, True)}
    for _ in range(ROUNDS):
        for size, enriched in took:
            took[size, enriched].append(_round(*cases[size], enriched=enriched))
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    few, many = median(took[FEW, False]), median(took[MANY, False])
    return {
        "evaluate_10_us": few,
        "evaluate_10k_us": many,
        "evaluate_10k_vs_10_ratio": many / few,
        "evaluate_enriched_10k_us": median(took[MANY, True]),
    }


def _snapshot(size: int) -> Snapshot:
    documents = [to_rule(BRAND, 1, orjson.dumps(document)) for document in rules(size)]
    return build_snapshot(1, [BrandSettings(BRAND)], documents, [], build_matcher)


def decoded(lines: Sequence[str]) -> list[Event]:
    """Return an event for each text, as the engine decodes it."""
    records = [Record("", 0, 0, b"bench/author", event(number, text).SerializeToString()) for number, text in enumerate(lines)]
    return [decode_event(record).event for record in records]


def _round(snapshot: Snapshot, events: list[Event], *, enriched: bool) -> float:
    begun = time.process_time()
    for one in events:
        evaluate(snapshot, EMPTY, one, understand(one.text) if enriched else NOTHING_UNDERSTOOD)
    return (time.process_time() - begun) / len(events) * 1e6
