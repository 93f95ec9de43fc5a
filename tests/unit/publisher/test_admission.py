"""What holds an action back right before its send."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.admission import BrandPolicy, Edit, Facts, Hold, Surroundings, first_verdict, objection
from publisher.domain.changes import AskApproval, Shadow, Suppress
from publisher.domain.limits import Consumed, admit, key_of
from publisher.domain.machine import fresh
from publisher.domain.model import Entry, Kind, Limit, Mode, Order, Reason, Scope

NOW = 1_800_000_000.0
ORDER = Order(
    action_id="a", event_id="e", brand="b", platform="facebook", account="p", channel="c", target="t", parent="top", root="r",
    author="u", event_kind="reply", verb="create", rule_id="x", rule_version=1, kind=Kind.REPLY, mode=Mode.AUTO,
    not_before=0, expires=NOW + 100, event_time=NOW - 50, received_time=NOW - 49,
)  # fmt: skip


def check(policy: BrandPolicy | None = None, now: float = NOW, approved: bool = False, **facts: Facts) -> object:
    position = replace(fresh(ORDER, "hi", NOW - 10), approved_at=NOW - 5 if approved else 0.0)
    return objection(Entry(ORDER, position), Surroundings(policy or BrandPolicy(), facts), now)


def edit(received: float, event_id: str = "e2", event_time: float = NOW - 50) -> Edit:
    return Edit(event_time, received, event_id)


def test_nothing_stands_against_it() -> None:
    assert check() is None
    assert check(t=Facts(), top=Facts(), r=Facts()) is None


@pytest.mark.parametrize("place", ["t", "top", "r"])
def test_nobody_answers_what_is_gone(place: str) -> None:
    assert check(**{place: Facts(deleted=True)}) == Suppress(Reason.TARGET_DELETED)


def test_a_held_brand_keeps_it_new_until_it_is_stale() -> None:
    held = BrandPolicy(held=True, held_reason="crisis")
    assert check(held) == Hold("crisis")
    assert check(held, now=NOW + 100) == Suppress(Reason.STALE)
    assert check(BrandPolicy(paused_rules=frozenset({"x"}))) == Hold("the rule is not active")
    assert check(BrandPolicy(paused_rules=frozenset({"y"}))) is None


def test_the_strictest_mode_wins_and_a_yes_holds() -> None:
    approval, shadow = BrandPolicy(mode=Mode.APPROVAL), BrandPolicy(mode=Mode.SHADOW)
    assert check(approval) == AskApproval()
    assert check(approval, approved=True) is None
    assert check(shadow) == check(shadow, approved=True) == Shadow()
    assert first_verdict(Kind.DELETE, Mode.AUTO, BrandPolicy()) == AskApproval()
    assert first_verdict(Kind.TAG, Mode.APPROVAL, BrandPolicy()) is None
    assert first_verdict(Kind.TAG, Mode.SHADOW, BrandPolicy()) == Shadow()


def test_a_yes_outlives_the_expiry_by_an_hour() -> None:
    assert check(now=NOW + 100, approved=True) is None
    assert check(now=NOW + 3_600, approved=True) == Suppress(Reason.STALE)


def test_only_the_newest_text_is_answered() -> None:
    assert check(t=Facts(edit=edit(NOW))) == Suppress(Reason.TARGET_EDITED)
    assert check(t=Facts(edit=edit(NOW - 60))) == Suppress(Reason.TARGET_EDITED), "a create is never newer than an edit"
    assert check(t=Facts(edit=edit(NOW, "e"))) is None
    edited = Entry(replace(ORDER, verb="edit"), fresh(ORDER, "hi", NOW))
    around = Surroundings(BrandPolicy(), {"t": Facts(edit=edit(NOW))})
    assert objection(edited, around, NOW) == Suppress(Reason.TARGET_EDITED)
    newest = Entry(replace(ORDER, verb="edit", received_time=NOW + 1), fresh(ORDER, "hi", NOW))
    assert objection(newest, around, NOW) is None


def test_automation_rests_where_a_person_is_at_work() -> None:
    resting = BrandPolicy(human_pause=600.0)
    answered = Facts(human_at=NOW - 20)
    earlier = Facts(human_at=NOW - 300)
    assert isinstance(check(t=answered), Suppress), "the target itself was answered by a person"
    assert check(top=answered) is None, "no pause is configured"
    assert isinstance(check(resting, top=answered), Suppress)
    assert isinstance(check(resting, top=earlier), Suppress)
    assert check(resting, top=Facts(human_at=NOW - 700)) is None
    assert check(resting, approved=True, top=answered) is None


def test_people_who_do_not_want_to_be_addressed_are_not() -> None:
    policy = BrandPolicy(silent_to=frozenset({"facebook:u"}))
    assert isinstance(check(policy), Suppress)
    hide = Entry(replace(ORDER, kind=Kind.HIDE), fresh(ORDER, "", NOW))
    assert objection(hide, Surroundings(policy), NOW) is None


LIMIT = Limit(Scope.RULE, 2, 60.0)


def test_a_limit_counts_each_event_once() -> None:
    consumed = Consumed()
    for name, moment in (("e1", 0.0), ("e2", 10.0), ("e1", 0.0)):
        admitted = admit(consumed, LIMIT, name, moment)
        assert admitted is not None
        consumed = admitted
    assert admit(consumed, LIMIT, "e1", 0.0) is consumed
    assert admit(consumed, LIMIT, "e3", 59.0) is None
    assert admit(consumed, LIMIT, "e3", 75.0) is not None
    assert admit(consumed, Limit(Scope.RULE, 2, 0.0), "e9", 1e9) is None


def test_what_a_limit_counts_over() -> None:
    keys = {scope: key_of(ORDER, Limit(scope, 1, 0.0)) for scope in Scope}
    assert len(set(keys.values())) == len(Scope)
    other = replace(ORDER, rule_id="other")
    assert key_of(other, Limit(Scope.BRAND, 1, 0.0)) == keys[Scope.BRAND]
    assert key_of(other, Limit(Scope.OBJECT, 1, 0.0)) != keys[Scope.OBJECT]


@given(st.lists(st.tuples(st.integers(0, 15), st.floats(0, 300)), max_size=60), st.integers(1, 4))
def test_no_window_ever_holds_too_many(arrivals: list[tuple[int, float]], at_most: int) -> None:
    limit = Limit(Scope.RULE, at_most, 60.0)
    moments = dict(arrivals)
    consumed, admitted = Consumed(), {}
    for number, _ in arrivals:
        found = admit(consumed, limit, str(number), moments[number])
        if found is not None:
            consumed = found
            admitted[number] = moments[number]
    times = sorted(admitted.values())
    for start in times:
        assert sum(start <= moment < start + 60.0 for moment in times) <= at_most
