"""The back-test, in this process and on one core: from compressed blocks to decisions and what becomes of their actions."""

import asyncio
import gc
import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from antiphon import ids
from antiphon.kafka import Record
from antiphon.times import to_timestamp
from antiphon.v1.event_pb2 import Event as EventMessage
from bench.material import AUTHORS, BRAND, event, rules, texts
from bench.measure import SERVER_CPU, median
from rules.adapters.codec import decode_event, encode_decision
from rules.adapters.history.blocks import Raw, pack, unpack
from rules.adapters.history.past import PastReader
from rules.adapters.history.replaying import calm_collector
from rules.adapters.matching import build_matcher
from rules.adapters.schema.document import to_rule
from rules.domain.event import NOTHING_UNDERSTOOD, Understanding
from rules.domain.matching.index import Snapshot, build_snapshot
from rules.domain.model import BrandSettings, Rule
from rules.domain.replaying.comparison import Comparison, Terms
from rules.domain.replaying.replay import Past, Replay
from rules.domain.replaying.simulation import Simulation

EVENTS = 40_000
ROUNDS = 3
RULES = 1_000
LANES = 12
BLOCK = 500
"""Records a block: what a second of a busy brand leaves in a partition."""

HIT_SHARE = 0.1
NAIVE_EVENTS = 300
"""The simpler way is two orders of magnitude slower; it is asked of fewer events."""

RECORDED = Path(__file__).parents[2] / "shared" / "data" / "replay" / "airline_mentions.jsonl"
"""Real comments; where they are not, made-up ones of the same length stand in."""

UNDERSTOOD = Understanding("en", 0.98, -0.41, "negative", 0.77, frozenset({"complaint"}))

Blocks = tuple[Sequence[bytes], Sequence[bytes]]
"""Compressed blocks of events and of decisions of one lane."""


def measure(sample: float) -> dict[str, float]:
    """Return recorded events replayed a second of CPU time, under one set of rules, compared with another, and naively."""
    os.sched_setaffinity(0, {SERVER_CPU})
    count = max(600, int(EVENTS * sample))
    old = [to_rule(BRAND, 1, orjson.dumps(document)) for document in rules(RULES)]
    lanes = _archive(_texts(count), _snapshot(old))
    few = _archive(_texts(max(60, int(NAIVE_EVENTS * sample))), _snapshot(old))
    ways: dict[str, tuple[Callable[[Past], object], Sequence[Blocks]]] = {}
    took: dict[str, list[float]] = {name: [] for name in ("backtest", "backtest_diff", "backtest_naive")}
    for _ in range(ROUNDS):
        ways = {
            "backtest": (_one_set(_snapshot(old)), lanes),
            "backtest_diff": (_difference(old), lanes),
            "backtest_naive": (_naive(old), few),
        }
        for name, (take, blocks) in ways.items():
            took[name].append(_round(take, blocks))
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    return {f"{name}_events_per_s": median(rates) for name, rates in took.items()}


def _snapshot(documents: Sequence[Rule]) -> Snapshot:
    return build_snapshot(1, [BrandSettings(BRAND)], documents, [], build_matcher)


def _texts(count: int) -> list[str]:
    """Return real comments where they are, a tenth of them with a rule's keyword added; made-up ones otherwise."""
    made = texts(count, RULES, hit_share=HIT_SHARE)
    if not RECORDED.exists():
        return made
    keywords = {word for document in rules(RULES) for word in document["when"]["text"]["any"]}
    lines = [str(orjson.loads(line)["text"]) for line in RECORDED.read_bytes().splitlines()]
    real = [line for line in lines if keywords.isdisjoint(re.findall(r"\w+", line.lower()))]
    hits = [next((word for word in text.split() if word in keywords), "") for text in made]
    return [f"{real[number % len(real)]} {hit}".rstrip() for number, hit in enumerate(hits)]


def _archive(lines: Sequence[str], snapshot: Snapshot) -> list[Blocks]:
    """Return the events and the decisions that an engine would have made, as the archive holds them."""
    begin = datetime.now(UTC) - timedelta(seconds=len(lines))
    replay = Replay(snapshot)
    events: list[list[Raw]] = [[] for _ in range(LANES)]
    decisions: list[list[Raw]] = [[] for _ in range(LANES)]
    for number, text in enumerate(lines):
        message, lane = _moved(event(number, text), number, begin), number % AUTHORS % LANES
        key, value = f"{BRAND}/{message.author.id}".encode(), message.SerializeToString()
        decoded = decode_event(Record("", 0, number, key, value)).event
        decision = replay.decide(Past(key, decoded, UNDERSTOOD))
        events[lane].append(Raw(number, key, value))
        decisions[lane].append(Raw(number, key, encode_decision(decision, decoded.received_time)))
    return [(_packed(mine), _packed(made)) for mine, made in zip(events, decisions, strict=True)]


def _moved(message: EventMessage, number: int, begin: datetime) -> EventMessage:
    """Return the comment at its own second, with an id that is a hash as real ones are."""
    moment = to_timestamp(begin + timedelta(seconds=number))
    message.event_id = ids.event_id("facebook", "page", str(number), "create", "")
    message.event_time.CopyFrom(moment)
    message.received_time.CopyFrom(moment)
    return message


def _packed(records: Sequence[Raw]) -> list[bytes]:
    return [pack(records[start : start + BLOCK]) for start in range(0, len(records), BLOCK)]


class _Shelf:
    """Blocks in memory, unpacked when they are asked for."""

    def __init__(self, blocks: Sequence[bytes]) -> None:
        self._blocks = iter(blocks)

    async def next(self) -> Sequence[Raw] | None:
        """Return the next block's records."""
        block = next(self._blocks, None)
        return unpack(block) if block is not None else None


def _one_set(snapshot: Snapshot) -> Callable[[Past], object]:
    simulation = Simulation(snapshot, 3600.0)

    def take(past: Past) -> None:
        simulation.count_decision(simulation.take(past, past.event.received_time, ours=False))
        for settled in simulation.settled():
            simulation.count_settled(settled)

    return take


def _difference(old: Sequence[Rule]) -> Callable[[Past], object]:
    comparison = Comparison(_snapshot(old), _snapshot(old[10:]), Terms(human_pause=3600.0))
    return lambda past: comparison.take(past, counted=True)


def _naive(old: Sequence[Rule]) -> Callable[[Past], object]:
    """Ask each rule alone: one evaluation a rule and event."""
    replays = [Replay(_snapshot([rule])) for rule in old]
    return lambda past: [replay.decide(past) for replay in replays]


def _round(take: Callable[[Past], object], lanes: Sequence[Blocks]) -> float:
    """Return events a second of this process's CPU time."""

    async def run() -> int:
        shelves = [(_Shelf(events), _Shelf(decisions)) for events, decisions in lanes]
        reader = PastReader(shelves, 0.0, time.time() + 86_400, lambda _: NOTHING_UNDERSTOOD)
        done = 0
        async for chunk in reader.chunks():
            for past in chunk:
                take(past)
            done += len(chunk)
        return done

    calm_collector()
    begun = time.process_time()
    done = asyncio.run(run())
    rate = done / (time.process_time() - begun)
    gc.unfreeze()
    return rate
