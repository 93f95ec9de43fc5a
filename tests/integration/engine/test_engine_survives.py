"""What the engine keeps when its input is garbage, when it is killed, and when partitions move."""

import inspect
import random
import time

import pytest
from faust.transport.consumer import Consumer

from antiphon.topics import EVENTS, dead_letters_of
from antiphon.v1.decision_pb2 import Outcome, Reason

pytestmark = pytest.mark.local


def replied(decisions: list) -> int:
    return max(len(decision.actions) for decision in decisions)


def test_garbage_becomes_dead_letters_and_the_stream_goes_on(engine, event_of) -> None:
    line = engine.start()
    good = [event_of(number, f"g{number}", "what price?") for number in range(1, 4)]
    engine.feed(good[:1])
    for value in (b"\xff\xff garbage", b"", b"{}", bytes(range(256))):
        engine.feed_raw(b"b/x", value)
    engine.feed(good[1:])
    decisions = engine.decisions({e.event_id for e in good})
    letters = engine.dead_letters(dead_letters_of(EVENTS), 4)
    assert all(decisions[e.event_id][0].outcome == Outcome.OUTCOME_ACTED for e in good)
    assert {dict(letter.headers)["dlq_reason"] for letter in letters} <= {b"undecodable", b"incomplete"}
    assert all(dict(letter.headers)["dlq_topic"] == EVENTS.encode() for letter in letters)
    line.stop()


@pytest.mark.sampled(1)
@pytest.mark.parametrize("failpoint", ["rules.after_poll", "rules.after_eval", "rules.after_produce"])
def test_killed_with_a_batch_in_hand_nothing_is_lost_nor_a_limit_exceeded(
    engine, event_of, rng: random.Random, failpoint
) -> None:
    line = engine.start(FAILPOINT=f"{failpoint}:kill:{rng.randrange(1, 4)}")
    base = rng.randrange(10_000, 10**9)
    authors = [f"{failpoint}-{base}-{number}" for number in range(20)]
    events = [event_of(base + number, rng.choice(authors), "price please") for number in range(200)]
    for start in range(0, 200, 50):
        engine.feed(events[start : start + 50])
    wait_until_killed(line)
    line.restart("engine", env={"FAILPOINT": ""})
    line.wait_working()
    engine.feed(events)  # the platform delivers everything again
    decisions = engine.decisions({e.event_id for e in events})
    by_author: dict[str, set[str]] = {}
    for e in events:
        for decision in decisions[e.event_id]:
            by_author.setdefault(e.author.id, set()).update(action.action_id for action in decision.actions)
    assert {author: len(actions) for author, actions in by_author.items()} == dict.fromkeys(by_author, 1)
    line.stop()


def wait_until_killed(line) -> None:
    deadline = time.monotonic() + 60
    while line.processes["engine"].exit_code is None:
        assert time.monotonic() < deadline, "the failpoint was never reached"
        time.sleep(0.05)
    assert line.processes["engine"].exit_code == -9


def test_partitions_that_move_take_their_limits_along(engine, event_of, rng: random.Random) -> None:
    base = rng.randrange(10**9, 2 * 10**9)
    authors = [f"moving-{base}-{number}" for number in range(40)]
    first = engine.start()
    before = [event_of(base + number, author, "price?") for number, author in enumerate(authors)]
    engine.feed(before)
    engine.decisions({e.event_id for e in before})
    second = engine.start()
    during = [event_of(base + 1000 + number, author, "price again?") for number, author in enumerate(authors)]
    engine.feed(during)
    first.processes["engine"].kill()
    after = [event_of(base + 2000 + number, author, "and the price now?") for number, author in enumerate(authors)]
    engine.feed(after)
    decisions = engine.decisions({e.event_id for e in before + during + after})
    assert all(replied(decisions[e.event_id]) == 1 for e in before)
    assert all(replied(decisions[e.event_id]) == 0 for e in during + after)
    assert {decisions[e.event_id][0].rules[0].reason for e in during + after} == {Reason.REASON_LIMIT}
    second.stop()


def test_faust_still_hands_messages_over_as_the_light_consumer_expects() -> None:
    source = inspect.getsource(Consumer._drain_messages)
    assert "await self.wait_first(" in source
    assert "callback(message), self.suspend_flow.wait()" in " ".join(source.split())
