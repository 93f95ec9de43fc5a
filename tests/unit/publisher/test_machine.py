"""The state machine's single promises; `test_explorer.py` has them together."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.changes import (
    Accepted,
    Approve,
    AskApproval,
    Change,
    Claim,
    Duplicate,
    Fail,
    LeaseOver,
    Lost,
    NotSent,
    Record,
    Refused,
    Reject,
    Resolve,
    Seen,
    SendAgain,
    Shadow,
    Suppress,
    Timing,
    Unreadable,
    Unseen,
)
from publisher.domain.machine import TRANSITIONS, step
from publisher.domain.model import TOLD, Position, Reason, State

TIMING = Timing()
START = Position(State.NEW, "hello", next_at=0.0)


def run(position: Position, *changes: Change, now: float = 100.0) -> Position:
    for change in changes:
        moved = step(position, change, now, TIMING)
        assert moved is not None, (position.state, change)
        position = moved
    return position


SENDING = run(START, Claim("w"))
UNKNOWN = run(SENDING, Lost(1))
PARKED = run(UNKNOWN, Unseen())


def test_an_unknown_send_is_read_at_the_settle_time_and_later() -> None:
    assert UNKNOWN.verify_at == 100.0 + TIMING.settle
    read = PARKED
    times = [read.verify_at]
    for _ in TIMING.later_reads:
        read = run(read, Unseen())
        times.append(read.verify_at)
    assert times == [100.0 + later for later in TIMING.later_reads] + [None]
    assert (read.state, read.sequence) == (State.PARKED, 1)


@pytest.mark.parametrize("state", [SENDING, UNKNOWN, PARKED])
def test_answers_of_an_older_epoch_are_ignored(state: Position) -> None:
    newer = replace(state, epoch=2)
    for change in (Accepted(1, "x"), Refused(1, Reason.POLICY), NotSent(1), Lost(1), Duplicate(1)):
        assert step(newer, change, 100.0, TIMING) is None


def test_a_late_answer_settles_what_was_given_up() -> None:
    assert run(PARKED, Accepted(1, "id")).state is State.POSTED
    assert run(UNKNOWN, Refused(1, Reason.POLICY)).state is State.FAILED
    assert run(PARKED, SendAgain("k"), Accepted(1, "id")).state is State.POSTED


def test_what_may_have_happened_is_never_called_suppressed() -> None:
    again = run(PARKED, SendAgain("k"))
    assert run(again, Suppress(Reason.STALE)).state is State.PARKED
    hidden = run(SENDING, Lost(1, repeatable=True))
    assert hidden.state is State.NEW
    assert run(hidden, Suppress(Reason.STALE)).state is State.PARKED


def test_a_duplicate_text_is_looked_for_and_else_refused() -> None:
    doubt = run(SENDING, Duplicate(1))
    assert (doubt.state, doubt.reason) == (State.UNKNOWN, Reason.DUPLICATE_CONTENT)
    assert run(doubt, Seen("id")).state is State.POSTED
    assert run(doubt, Unseen()).state is State.FAILED
    after_a_loss = run(replace(SENDING, uncertain=True), Duplicate(1), Unseen())
    assert after_a_loss.state is State.PARKED


def test_attempts_end_and_waiting_for_allowance_uses_none() -> None:
    position = START
    for _ in range(TIMING.max_attempts - 1):
        position = run(position, Claim("w"))
        position = run(position, NotSent(position.epoch))
        assert position.state is State.NEW
    waits = run(position, Claim("w"))
    waits = run(waits, NotSent(waits.epoch, after=60.0, counts=False))
    assert (waits.state, waits.next_at, waits.attempts) == (State.NEW, 160.0, position.attempts)
    last = run(waits, Claim("w"))
    assert run(last, NotSent(last.epoch)).reason is Reason.RETRIES_EXHAUSTED


def test_readings_that_fail_end_with_a_person() -> None:
    read = run(UNKNOWN, Unreadable())
    assert (read.state, read.verify_at) == (State.UNKNOWN, 130.0)
    assert run(read, Unreadable(), Unreadable()).state is State.PARKED
    assert run(UNKNOWN, Unreadable(never=True)).verify_at is None


def test_people_decide() -> None:
    asked = run(START, AskApproval())
    approved = run(asked, Approve("k", "better"))
    assert (approved.state, approved.text, approved.approved, approved.actor) == (State.NEW, "better", True, "k")
    assert run(asked, Reject("k")).state is State.REJECTED
    assert run(PARKED, Resolve("k", posted=True)).state is State.POSTED
    assert run(PARKED, Resolve("k", posted=False)).state is State.FAILED
    assert step(run(asked, Reject("k")), Approve("k"), 1.0, TIMING) is None
    assert step(run(START, Suppress(Reason.LIMIT)), SendAgain("k"), 1.0, TIMING) is None
    assert run(START, Suppress(Reason.CREDENTIAL), SendAgain("k")).state is State.NEW


EVENTS = st.one_of(
    st.sampled_from(
        [
            Claim("w"), LeaseOver(), LeaseOver(repeatable=True), Seen("id"), Unseen(), Unreadable(), Unreadable(never=True),
            Suppress(Reason.STALE), Fail(Reason.UNSUPPORTED), AskApproval(), Shadow(), Record(), Approve("k"), Reject("k"),
            Resolve("k", posted=True), Resolve("k", posted=False), SendAgain("k"),
        ]
    ),
    st.integers(0, 4).flatmap(
        lambda epoch: st.sampled_from(
            [Accepted(epoch, "id"), Refused(epoch, Reason.POLICY), NotSent(epoch), Duplicate(epoch), Lost(epoch),
             Lost(epoch, repeatable=True)]
        )
    ),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens_in_whatever_order(changes: list[Change]) -> None:
    position, now = START, 0.0
    for change in changes:
        now += 20.0
        moved = step(position, change, now, TIMING)
        if moved is None:
            continue
        assert moved.revision == position.revision + 1
        assert moved.epoch == position.epoch + (isinstance(change, Claim))
        told = moved.state in TOLD and moved.state is not position.state
        assert moved.sequence == position.sequence + told
        assert position.state is not State.POSTED, "nothing undoes an effect"
        if moved.state is State.SENDING:
            assert isinstance(change, Claim)
            assert position.state is State.NEW
        position = moved


def test_no_way_leads_from_doubt_to_another_send_without_a_person() -> None:
    """From unknown and parked, only a definite "not sent" of that very epoch, or a person, leads back to `new`."""
    for (state, kind), _ in TRANSITIONS.items():
        if state not in {State.UNKNOWN, State.PARKED}:
            continue
        start = UNKNOWN if state is State.UNKNOWN else PARKED
        samples = [change for change in _samples() if type(change) is kind]
        assert samples
        for change in samples:
            moved = step(start, change, 1e9, TIMING)
            if moved is not None and moved.state is State.NEW:
                assert kind in {NotSent, SendAgain}


def _samples() -> list[Change]:
    return [
        Accepted(1, "x"), Refused(1, Reason.POLICY), NotSent(1), Duplicate(1), Lost(1), Seen("x"), Unseen(), Unreadable(),
        Resolve("k", posted=True), Resolve("k", posted=False), SendAgain("k"), LeaseOver(),
    ]  # fmt: skip
