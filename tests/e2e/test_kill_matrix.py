"""SIGKILL at every named point of every service, everything redelivered: nothing lost, nothing twice, no limit exceeded.

The seed decides the order of comments, which passing of the point kills and, in a single round, which points are tried.
`make chaos ROUNDS=20` goes round all of them.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Stage, started

pytestmark = pytest.mark.e2e

POINTS = [
    ("ingest", "ingest.before_produce"),
    ("ingest", "ingest.before_ack"),
    ("ingest", "ingest.before_response"),
    ("engine", "rules.after_poll"),
    ("engine", "rules.after_eval"),
    ("engine", "rules.after_produce"),
    ("publisher", "publisher.before_intent"),
    ("publisher", "publisher.after_sending"),
    ("publisher", "publisher.after_write"),
    ("publisher", "publisher.after_response"),
    ("publisher", "publisher.after_save"),
    ("publisher", "publisher.after_commit"),
    ("publisher", "publisher.before_clear"),
]

AUTHORS = 12
COMMENTS = 40


RULES: list[dict[str, Any]] = [
    {
        "id": "price",
        "name": "Two answers a person",
        "state": "active",
        "when": {"text": {"any": ["price"], "as": "words"}},
        "limits": [{"per": "author", "at_most": 2, "within": "24h"}, {"per": "rule", "at_most": 400, "within": "24h"}],
        "then": [{"reply": {"text": {"default": ["It is 49 €.", "From 49 €.", "49 € and up."]}}}, {"tag": ["price"]}],
    },
    {
        "id": "spam",
        "name": "Hide",
        "state": "active",
        "priority": 10,
        "when": {"text": {"any": ["free followers"], "as": "contains"}},
        "then": [{"hide": {}}],
        "stop": True,
    },
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A line of its own: what is redelivered must meet the rules that it met before."""
    with started(tmp_path_factory.mktemp("line"), RULES) as running:
        yield running


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("role", "point"), POINTS, ids=[point for _, point in POINTS])
@pytest.mark.timeout(3600)
def test_killed_there_nothing_is_lost_and_nothing_is_posted_twice(
    stage, wait, rng: random.Random, rounds: int, role: str, point: str
) -> None:
    for turn in range(rounds):
        check_one_kill(stage, wait, rng, role, point, f"{point}-{turn}-{rng.randrange(10**6)}")


def check_one_kill(stage, wait, rng: random.Random, role: str, point: str, name: str) -> None:
    stage.simulator.put(
        "/control/chaos", json={"duplicate_check": False, "duplicate_rate": 0.2, "reorder": True}
    ).raise_for_status()
    line = stage.line
    line.processes[role].stop()
    process = line.restart(role, env={"FAILPOINT": f"{point}:kill:{rng.randrange(1, 4)}"}, wait=False)
    # What an earlier round left on the way (echoes, redeliveries) may bring the process to its end before it is seen ready.
    wait(lambda: process.exit_code is not None or line.is_working(role), 90)
    before = stage.stats()
    lines = [
        (
            rng.choice(("facebook", "instagram")),
            f"{name}-{rng.randrange(AUTHORS)}",
            rng.choice(("price?", "the price please", "free followers here", "hello")),
        )
        for _ in range(COMMENTS)
    ]
    written = []
    for start in range(0, COMMENTS, 8):  # in portions, so that a point is passed more than once
        written += stage.comments(lines[start : start + 8])
        wait(lambda: process.exit_code is not None or not stage.stats()["pending"], 30)
    wait(lambda: process.exit_code is not None, 30, lambda: f"{point} was never reached")
    assert process.exit_code == -9
    line.restart(role, env={"FAILPOINT": ""})
    line.wait_working()
    stage.simulator.post("/control/redeliver").raise_for_status()
    tally = stage.settled(90)
    check(stage.stats(), before, tally, lines, written)


def check(stats: dict, before: dict, tally, lines: list, written: list[str]) -> None:
    assert stats["accepted_comments"] - before["accepted_comments"] == COMMENTS
    assert tally.heard() == stats["accepted_comments"]
    assert tally.undecided() == 0
    assert tally.contradictions == 0
    assert tally.fates()["open"] == 0
    assert stats["comments_answered_twice"] == 0
    assert stats["max_replies_per_comment"] <= 1
    by_author = Counter(
        (platform, author)
        for comment, (platform, author, _) in zip(written, lines, strict=True)
        if stats["replies_by_parent"].get(comment)
    )
    assert max(by_author.values(), default=0) <= 2
