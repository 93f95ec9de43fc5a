"""A large contest's draw and its verification, in this process, beside a draw that proves nothing."""

import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.measure import SERVER_CPU, median
from contest import load, make_certificate, verify
from contest.example import CONTEST, DRAWN, SEED

ENTRIES = 200_000
PEOPLE = 100
"""Winners, and as many alternates."""

ROUNDS = 5

_CONTEST = replace(CONTEST, winners=PEOPLE, alternates=PEOPLE)


def measure(sample: float) -> dict[str, float]:
    """Return CPU-seconds of drawing with the certificate as text, of verifying that text, and of the baseline."""
    os.sched_setaffinity(0, {SERVER_CPU})
    count = max(1_000, int(ENTRIES * sample))
    entries = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    text = _draw(entries)
    if verify(load(text)):
        raise SystemExit("the certificate does not hold")
    took: dict[str, list[float]] = {"contest_draw_200k_s": [], "contest_verify_200k_s": [], "contest_shuffle_200k_s": []}
    for _ in range(ROUNDS):
        took["contest_draw_200k_s"].append(_seconds(lambda: _draw(entries)))
        took["contest_verify_200k_s"].append(_seconds(lambda: verify(load(text))))
        took["contest_shuffle_200k_s"].append(_seconds(lambda: random.Random(0).sample(entries, 2 * PEOPLE)))
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    return {name: median(values) for name, values in took.items()}


def _draw(entries: Sequence[str]) -> bytes:
    return json.dumps(make_certificate(_CONTEST, SEED, entries, at=DRAWN)).encode()


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
