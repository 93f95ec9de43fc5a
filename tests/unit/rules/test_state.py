"""What an author has consumed."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.domain.decision import LimitScope, RuleLimit
from rules.domain.state import EMPTY, MAX_USES, MAX_VARIANTS, AuthorState, Use, VariantUse, admit, consume, give_variant, meet

HOUR = 3600.0
HOURLY = (RuleLimit(LimitScope.AUTHOR, 1, HOUR),)
ONCE_A_POST = (RuleLimit(LimitScope.AUTHOR_OBJECT, 1),)


def take(
    state: AuthorState, limits: tuple[RuleLimit, ...], event: str, time: float, post: str = "p", rule: str = "r"
) -> AuthorState:
    return consume(state, limits, rule_id=rule, post=post, event_id=event, event_time=time, now=time)


def refused(
    state: AuthorState, limits: tuple[RuleLimit, ...], event: str, time: float, post: str = "p", rule: str = "r"
) -> RuleLimit | None:
    return admit(state, limits, rule_id=rule, post=post, event_id=event, event_time=time)


@pytest.mark.parametrize(
    ("time", "admitted"), [(-3601, True), (-3600, True), (-3599, False), (0, False), (3599, False), (3600, True)]
)
def test_a_window_reaches_both_ways(time: float, admitted: bool) -> None:
    state = take(EMPTY, HOURLY, "first", 0.0)
    assert (refused(state, HOURLY, "second", time) is None) is admitted


def test_the_event_that_consumed_is_admitted_again() -> None:
    state = take(EMPTY, HOURLY, "first", 0.0)
    assert refused(state, HOURLY, "first", 0.0) is None
    assert take(state, HOURLY, "first", 0.0) is state


def test_limits_of_other_rules_and_posts_are_not_touched() -> None:
    state = take(take(EMPTY, ONCE_A_POST, "first", 0.0), HOURLY, "first", 0.0, rule="other")
    assert refused(state, ONCE_A_POST, "second", 9e9) == ONCE_A_POST[0]
    assert refused(state, ONCE_A_POST, "second", 0.0, post="q") is None
    assert refused(state, HOURLY, "second", 0.0, rule="third") is None


def test_between_two_that_do_not_share_a_window_there_is_room() -> None:
    twice = (RuleLimit(LimitScope.AUTHOR, 2, HOUR),)
    state = take(take(EMPTY, twice, "a", 0.0), twice, "b", 1.5 * HOUR)
    assert refused(state, twice, "c", 0.75 * HOUR) is None
    assert refused(take(state, twice, "c", 0.75 * HOUR), twice, "d", 0.76 * HOUR) == twice[0]


def test_limits_that_others_count_leave_no_trace() -> None:
    others = (RuleLimit(LimitScope.RULE, 1), RuleLimit(LimitScope.OBJECT, 1))
    assert take(EMPTY, others, "a", 0.0) is EMPTY
    assert refused(EMPTY, others, "a", 0.0) is None


def test_entries_go_once_neither_window_nor_redelivery_needs_them() -> None:
    state = take(EMPTY, HOURLY, "old", 0.0)
    kept = take(state, HOURLY, "new", 49 * HOUR)
    dropped = take(state, HOURLY, "new", 49 * HOUR + 1)
    assert [use.event_id for use in kept.uses] == ["old", "new"]
    assert [use.event_id for use in dropped.uses] == ["new"]


def test_an_author_cannot_grow_without_bound() -> None:
    state = take(EMPTY, ONCE_A_POST, "for ever", 0.0, post="first")
    for number in range(MAX_USES + 20):
        state = take(state, HOURLY, f"e{number}", float(number))
        state = give_variant(
            state, rule_id="r", position=0, event_id=f"e{number}", event_time=float(number), variant=0, now=float(number)
        )
    assert len(state.uses) == MAX_USES
    assert state.uses[0].keep_until == inf
    assert len(state.variants) == MAX_VARIANTS
    assert len(state.to_bytes()) < 32_000


def test_an_empty_state_is_no_bytes() -> None:
    assert EMPTY.to_bytes() == b""
    assert AuthorState.from_bytes(b"") is EMPTY


@pytest.mark.parametrize("data", [b'[3,[],[],""]', b"[2,[],[]]", b'[1,[],[],"e"]', b"{}", b"nonsense", b"[1]", b"\xff"])
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        AuthorState.from_bytes(data)


times = st.floats(-1e10, 1e10)
words = st.text(max_size=20)


@given(
    st.lists(st.builds(Use, words, words, times, words, times | st.just(inf)), max_size=5).map(tuple),
    st.lists(st.builds(VariantUse, words, st.integers(0, 20), words, times, st.integers(0, 19)), max_size=5).map(tuple),
    words,
)
def test_a_state_survives_its_bytes(uses: tuple[Use, ...], variants: tuple[VariantUse, ...], first: str) -> None:
    state = AuthorState(uses, variants, first)
    assert AuthorState.from_bytes(state.to_bytes()) == state


def test_a_state_of_the_format_before_is_read() -> None:
    old = b'[1,[["r","p",5.0,"first",null]],[["r",0,"first",5.0,2]]]'
    state = AuthorState.from_bytes(old)
    assert state == AuthorState((Use("r", "p", 5.0, "first", inf),), (VariantUse("r", 0, "first", 5.0, 2),))
    assert AuthorState.from_bytes(state.to_bytes()) == state


def test_the_first_event_is_remembered_once() -> None:
    state = meet(EMPTY, "a" * 64)
    assert state.first_event == "a" * 32
    assert meet(state, "b" * 64) is state
    assert (state.is_first_contact("a" * 64), state.is_first_contact("b" * 64)) == (True, False)
    assert AuthorState.from_bytes(state.to_bytes()) == state


def test_who_consumed_something_before_anyone_asked_is_known() -> None:
    state = take(take(EMPTY, ONCE_A_POST, "second", 20.0), HOURLY, "first", 10.0)
    assert (state.is_first_contact("first"), state.is_first_contact("second"), state.is_first_contact("third")) == (
        True,
        False,
        False,
    )
    assert meet(state, "third").first_event == "first"
