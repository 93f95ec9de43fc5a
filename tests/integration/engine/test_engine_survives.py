"""What the engine keeps when its input is garbage, when it is killed, when partitions move, and without the store of keys."""

import asyncio
import random
import time
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from antiphon.persons import PersonIndex, RecordSealer
from antiphon.topics import EVENTS, dead_letters_of
from antiphon.v1.decision_pb2 import Outcome, Reason
from antiphon_local.line.tail import opener

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


def test_a_worker_that_is_told_to_stop_leaves_nothing_to_be_decided_again(engine, event_of, rng: random.Random) -> None:
    base = rng.randrange(10_000, 10**9)
    for turn in range(2):
        line = engine.start()
        events = [event_of(base + 10 * turn + number, f"stop-{number}", "what price?") for number in range(8)]
        engine.feed(events)
        engine.decisions({event.event_id for event in events})
        line.stop()  # at once: between the decision and its commit, if it can
        committed, ends = engine.committed()
        assert committed == ends, turn


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
    wait_until_killed(line, lambda: engine.feed(events[:1]))  # four portions may be one batch: what comes again is the next
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


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def wait_until_killed(line, nudge: Callable[[], None] = lambda: None) -> None:
    def killed() -> bool:
        nudge()
        return line.processes["engine"].exit_code is not None

    wait_until(killed, "the failpoint is reached")
    assert line.processes["engine"].exit_code == -9


def test_partitions_that_move_take_their_limits_along(engine, event_of, rng: random.Random, rounds: int) -> None:
    first = engine.start()
    for turn in range(rounds):
        base = rng.randrange(10**9, 2 * 10**9)
        authors = [f"moving-{base}-{number}" for number in range(40)]
        before = [event_of(base + number, author, "price?") for number, author in enumerate(authors)]
        engine.feed(before)
        engine.decisions({e.event_id for e in before})
        second = engine.start()
        during = [event_of(base + 1000 + number, author, "price again?") for number, author in enumerate(authors)]
        engine.feed(during)
        time.sleep(rng.random())  # somewhere in the moving of the partitions, or after it
        first.processes["engine"].kill()
        after = [event_of(base + 2000 + number, author, "and the price now?") for number, author in enumerate(authors)]
        engine.feed(after)
        decisions = engine.decisions({e.event_id for e in before + during + after})
        assert all(replied(decisions[e.event_id]) == 1 for e in before), f"round {turn}"
        assert all(replied(decisions[e.event_id]) == 0 for e in during + after), f"round {turn}"
        assert {decisions[e.event_id][0].rules[0].reason for e in during + after} == {Reason.REASON_LIMIT}
        first.stop()
        first = second
    first.stop()


def test_people_not_met_wait_for_the_store_of_keys_and_everybody_else_does_not(engine, event_of, rng: random.Random) -> None:
    line = engine.start()
    base = rng.randrange(2 * 10**9, 3 * 10**9)
    met, strange, new = f"met-{base}", f"strange-{base}", [f"new-{base}-{number}" for number in range(5)]
    index = PersonIndex(SecretStr(line.settings("engine")["PERSON_KEY"]))
    people = asyncio.run(keys(line, [index.reference("b", "facebook", author) for author in (met, *new)]))

    def feed(*events) -> set[str]:
        engine.feed_sealed(events, people, index)
        return {one.event_id for one in events}

    engine.decisions(feed(event_of(base, met, "hello")), people=people)
    engine.services.mongo.kill()
    # Ingest has no key for a stranger now, and lets the event go unsealed.
    meanwhile = feed(event_of(base + 1, met, "what price?"), event_of(base + 2, strange, "price please"))
    decided = engine.decisions(meanwhile, people=people)
    assert [replied(decided[name]) for name in meanwhile] == [1, 1], "who is known needs no store"
    first = [event_of(base + 10 + number, author, "price?") for number, author in enumerate(new)]
    second = [event_of(base + 20 + number, author, "the price again?") for number, author in enumerate(new)]
    waiting = feed(*first, *second)
    wait_until(lambda: "retrying in place" in line.processes["engine"].log_text(), "the store is missed")

    back = time.time()
    engine.services.mongo.start()
    engine.decisions(waiting, people=people)
    last = feed(*(event_of(base + 30 + number, author, "hello") for number, author in enumerate(new)))
    decided = engine.decisions(last, people=people)  # behind them nothing of the others is still to come
    assert {len(decided[name]) for name in waiting | meanwhile} == {1}
    assert min(decided[name][0].decided_time.ToMicroseconds() for name in waiting) / 1e6 > back
    assert [replied(decided[one.event_id]) for one in first + second] == [1] * 5 + [0] * 5
    assert {decided[one.event_id][0].rules[0].reason for one in second} == {Reason.REASON_LIMIT}
    line.stop()


async def keys(line, references: list[str]) -> RecordSealer:
    """Make the keys of people, as ingest does when it hears of them; what is returned knows them without the store."""
    async with opener(line.settings("engine")) as sealer:
        await sealer.prepare(dict.fromkeys(references, "b"))
        return sealer
