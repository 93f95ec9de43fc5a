"""What holds an action back right before its send."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.admission import BrandPolicy, Edit, Facts, Handoff, Hold, ScopedHold, Surroundings, first_verdict, objection
from publisher.domain.changes import AskApproval, Shadow, Suppress
from publisher.domain.limits import Consumed, admit, give_back, key_of
from publisher.domain.machine import fresh
from publisher.domain.model import HOLD_NOTICE, Entry, Kind, Limit, Mode, Order, Reason, Scope

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
    assert first_verdict(replace(ORDER, kind=Kind.DELETE), BrandPolicy()) == AskApproval()
    assert first_verdict(replace(ORDER, kind=Kind.TAG, mode=Mode.APPROVAL), BrandPolicy()) is None
    assert first_verdict(replace(ORDER, kind=Kind.TAG, mode=Mode.SHADOW), BrandPolicy()) == Shadow()


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, True),
        ({"platform": "facebook"}, True),
        ({"platform": "instagram"}, False),
        ({"rule_id": "x"}, True),
        ({"rule_id": "y"}, False),
        ({"campaign": "summer"}, True),
        ({"campaign": "winter"}, False),
        ({"topic": "product:shoe"}, True),
        ({"topic": "topic:shoe"}, False),
        ({"platform": "facebook", "campaign": "winter"}, False),
    ],
)
def test_a_hold_asks_people_as_far_as_it_goes(scope: dict[str, str], covered: bool) -> None:
    order = replace(ORDER, campaigns=("summer",), topics=("product:shoe",))
    held = BrandPolicy(holds=(ScopedHold("h", **scope),))
    assert first_verdict(order, held) == (AskApproval() if covered else None)
    assert first_verdict(replace(order, mode=Mode.SHADOW), held) == Shadow(), "a hold makes nothing milder"


def test_under_a_hold_a_persons_yes_is_enough_and_notices_go_out() -> None:
    held = BrandPolicy(holds=(ScopedHold("h"),))
    assert check(held) == AskApproval()
    assert check(held, approved=True) is None
    notice = replace(ORDER, kind=Kind.NOTIFY, event_kind=HOLD_NOTICE)
    assert first_verdict(notice, BrandPolicy(mode=Mode.SHADOW, holds=held.holds)) is None


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
    author = frozenset({"facebook:u"})
    for policy, reason in ((BrandPolicy(blocked=author), Reason.POLICY), (BrandPolicy(opted_out=author), Reason.OPTED_OUT)):
        against = check(policy)
        assert isinstance(against, Suppress)
        assert against.reason is reason
        for kind in (Kind.HIDE, Kind.NOTIFY):
            entry = Entry(replace(ORDER, kind=kind), fresh(ORDER, "", NOW))
            assert objection(entry, Surroundings(policy), NOW) is None
    both = check(BrandPolicy(blocked=author, opted_out=author))
    assert isinstance(both, Suppress)
    assert both.reason is Reason.OPTED_OUT, "what the person asked for is the stronger word"


def test_a_handed_over_thread_rests_except_for_what_came_with_the_handoff() -> None:
    resting, own = BrandPolicy(human_pause=600.0), Handoff(NOW - 50, "e")
    assert check(resting, top=Facts(handoffs=(own,))) is None, "its own event handed the thread over"
    for other in (Handoff(NOW - 60, "before"), Handoff(NOW - 40, "after")):
        assert isinstance(check(resting, top=Facts(handoffs=(other,))), Suppress)
        newest_first = tuple(sorted((own, other), key=lambda one: -one.at))
        assert isinstance(check(resting, top=Facts(handoffs=newest_first)), Suppress)
        assert check(resting, approved=True, top=Facts(handoffs=(other,))) is None
        assert check(top=Facts(handoffs=(other,))) is None, "no pause is configured"
    assert check(resting, top=Facts(handoffs=(Handoff(NOW - 700, "long ago"),))) is None
    hide = Entry(replace(ORDER, kind=Kind.HIDE), fresh(ORDER, "", NOW))
    assert objection(hide, Surroundings(resting, {"top": Facts(handoffs=(Handoff(NOW, "x"),))}), NOW) is None


def test_a_hold_stops_what_is_public_and_a_shadow_everything() -> None:
    notify = Entry(replace(ORDER, kind=Kind.NOTIFY), fresh(ORDER, "{}", NOW))
    for policy, expected in (
        (BrandPolicy(held=True, held_reason="crisis"), None),
        (BrandPolicy(held=True, held_reason="gone", removed=True), Hold("gone")),
        (BrandPolicy(paused_rules=frozenset({"x"})), Hold("the rule is not active")),
        (BrandPolicy(mode=Mode.SHADOW), Shadow()),
        (BrandPolicy(mode=Mode.APPROVAL), None),
    ):
        assert objection(notify, Surroundings(policy), NOW) == expected, policy


LIMIT = Limit(Scope.RULE, 2, 60.0)


def order(event: str, moment: float = 0.0, action: str = "a") -> Order:
    return replace(ORDER, action_id=f"{action}-{event}", event_id=event, event_time=moment)


def taking(consumed: Consumed, *orders: Order, asked: int = 0) -> Consumed:
    for one in orders:
        admitted = admit(consumed, [LIMIT], one, asked)
        assert isinstance(admitted, Consumed)
        consumed = admitted
    return consumed


def test_a_limit_counts_each_event_once() -> None:
    consumed = taking(Consumed(), order("e1"), order("e2", 10.0), order("e1"))
    assert taking(consumed, order("e1")) is consumed
    assert admit(consumed, [LIMIT], order("e3", 59.0), 0) == LIMIT
    assert isinstance(admit(consumed, [LIMIT], order("e3", 75.0), 0), Consumed)
    forever = Limit(Scope.RULE, 2, 0.0)
    assert admit(consumed, [forever], order("e9", 1e9), 0) == forever


def test_each_of_two_limits_over_the_same_holds() -> None:
    short, long = Limit(Scope.RULE, 1, 10.0), Limit(Scope.RULE, 2, 100.0)
    assert key_of(ORDER, short) == key_of(ORDER, long)
    consumed = Consumed()
    for name, moment, expected in (("e1", 0.0, None), ("e2", 5.0, short), ("e3", 20.0, None), ("e4", 40.0, long)):
        admitted = admit(consumed, [short, long], order(name, moment), 0)
        assert (None if isinstance(admitted, Consumed) else admitted) == expected
        consumed = admitted if isinstance(admitted, Consumed) else consumed


def test_a_short_window_forgets_nothing_that_another_rules_longer_one_counts() -> None:
    hour, week = Limit(Scope.BRAND, 9, 3_600.0), Limit(Scope.BRAND, 2, 7 * 86_400.0)
    consumed, day = Consumed(), 86_400.0
    for name, moment, limit in (("e1", 0.0, week), ("e2", 5 * day, hour)):
        admitted = admit(consumed, [limit], order(name, moment), 0)
        assert isinstance(admitted, Consumed)
        consumed = admitted
    assert admit(consumed, [week], order("e3", 6 * day), 0) == week
    assert isinstance(admit(consumed, [week], order("e4", 8 * day), 0), Consumed)


def test_what_came_to_nothing_gives_back_once_and_only_its_own() -> None:
    reply, like, other = order("e1"), order("e1", action="like"), order("e2")
    consumed = taking(Consumed(), reply, like, other)
    less = give_back(consumed, reply, 3)
    assert set(less.events) == {"e1", "e2"}, "the like of the same event still holds"
    assert give_back(less, reply, 3) is less
    free = give_back(less, like, 2)
    assert (set(free.events), set(free.holders)) == ({"e2"}, {"e2"})
    assert give_back(free, like, 9) is free
    assert isinstance(admit(free, [LIMIT], order("e3"), 0), Consumed)


def test_a_late_giving_back_takes_nothing_from_what_was_sent_again() -> None:
    consumed = taking(Consumed(), order("e1"), asked=0)
    for held in (consumed, give_back(consumed, order("e1"), 4)):
        again = taking(held, order("e1"), asked=5)
        assert give_back(again, order("e1"), 4) is again
        assert give_back(again, order("e1"), 7).events == {}


def test_what_was_consumed_before_holders_were_noted_stays() -> None:
    older = Consumed(3, {"e1": 0.0})
    assert taking(older, order("e1")) is older
    assert give_back(older, order("e1"), 9) is older


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
        found = admit(consumed, [limit], order(str(number), moments[number]), 0)
        if isinstance(found, Consumed):
            consumed = found
            admitted[number] = moments[number]
    times = sorted(admitted.values())
    for start in times:
        assert sum(start <= moment < start + 60.0 for moment in times) <= at_most
