"""Matching alone, in this process: which of a brand's rules an event meets, at 10 to 100,000 rules, beside simpler ways."""

import os
import re
import time
from collections.abc import Callable, Sequence

import orjson

from bench.evaluate import decoded
from bench.material import BRAND, rules, scaled, texts
from bench.measure import SERVER_CPU, median
from rules.adapters.matching import build_matcher
from rules.adapters.schema.document import to_rule
from rules.domain.decision import CobraLevel
from rules.domain.event import NOTHING_UNDERSTOOD, Event
from rules.domain.matching.facts import Facts
from rules.domain.matching.index import build_index
from rules.domain.model import BrandSettings

EVENTS = 20_000
ROUNDS = 5
SIZES = (10, 10_000, 100_000)
HIT_SHARE = 0.1
NAIVE_EVENTS = 200
"""The simpler ways are a thousand times slower at 10,000 rules; they are asked of fewer events."""

Way = Callable[[Event], object]


def measure(sample: float) -> dict[str, float]:
    """Return CPU-µs an event of matching at each size, their ratios, and the simpler ways at 10,000 rules."""
    os.sched_setaffinity(0, {SERVER_CPU})
    count = max(500, int(EVENTS * sample))
    sizes = [SIZES[0], *(scaled(size, sample) for size in SIZES[1:])]
    ways: dict[str, tuple[Way, Sequence[Event]]] = {}
    for name, size in zip(("match_10", "match_10k", "match_100k"), sizes, strict=True):
        ways[name] = _indexed(size), decoded(texts(count, size, hit_share=HIT_SHARE))
    few = decoded(texts(max(20, int(NAIVE_EVENTS * sample)), sizes[1], hit_share=HIT_SHARE))
    ways["match_10k_loop"] = _loop(sizes[1]), few
    ways["match_10k_alternation"] = _alternation(sizes[1]), few
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (way, events) in ways.items():
            took[name].append(_round(way, events))
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    figures = {f"{name}_us": median(values) for name, values in took.items()}
    return {
        **figures,
        "match_10k_vs_10_ratio": figures["match_10k_us"] / figures["match_10_us"],
        "match_100k_vs_10_ratio": figures["match_100k_us"] / figures["match_10_us"],
    }


def _indexed(size: int) -> Way:
    index = build_index([to_rule(BRAND, 1, orjson.dumps(document)) for document in rules(size)], build_matcher)
    settings = BrandSettings(BRAND)
    contributing = CobraLevel.CONTRIBUTING
    return lambda event: index.matched(Facts(event, NOTHING_UNDERSTOOD, settings, cobra=contributing, first_contact=False))


def _loop(size: int) -> Way:
    """A loop over the rules: every keyword looked for in every text."""
    keywords = [document["when"]["text"]["any"] for document in rules(size)]
    return lambda event: [number for number, any_of in enumerate(keywords) if any(word in event.text for word in any_of)]


def _alternation(size: int) -> Way:
    """One regular expression of all keywords."""
    pattern = re.compile(
        r"\b(?:" + "|".join(word for document in rules(size) for word in document["when"]["text"]["any"]) + r")\b"
    )
    return lambda event: pattern.findall(event.text)


def _round(way: Way, events: Sequence[Event]) -> float:
    begun = time.process_time()
    for event in events:
        way(event)
    return (time.process_time() - begun) / len(events) * 1e6
