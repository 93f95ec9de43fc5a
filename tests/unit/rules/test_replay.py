"""Recorded events, decided again: state is kept by author, and what repeats itself counts once."""

from rules.domain.decision import LimitScope, Outcome, Reason, RuleLimit
from rules.domain.event import NOTHING_UNDERSTOOD
from rules.domain.leaves import AuthorLeaf
from rules.domain.replaying.replay import Past, Replay, SeenEvents, reach_of, verdict_of

ONCE = RuleLimit(LimitScope.AUTHOR, 1, 3600.0)


def past_of(event) -> Past:
    return Past(f"acme/{event.author_id}".encode(), event, NOTHING_UNDERSTOOD)


def test_what_an_author_has_consumed_is_remembered_in_event_time(comment, rule, snapshot) -> None:
    replay = Replay(snapshot(rule(limits=(ONCE,))))
    outcomes = [
        replay.decide(past_of(comment(f"e{number}", at=at, author_id=author, object=f"c{number}"))).outcome
        for number, (at, author) in enumerate([(0, "anna"), (60, "anna"), (61, "bert"), (3599, "anna"), (3600, "anna")])
    ]
    acted, not_acted = Outcome.ACTED, Outcome.NOT_ACTED
    assert outcomes == [acted, not_acted, acted, not_acted, acted]


def test_a_verdict_holds_what_follows_and_why_the_rest_does_not(comment, rule, snapshot) -> None:
    replay = Replay(snapshot(rule(limits=(ONCE,)), rule("second", priority=200)))
    first, second = (replay.decide(past_of(comment(name, object=name))) for name in ("a", "b"))
    assert verdict_of(first).rules == (("any", 1, Reason.UNSPECIFIED), ("second", 1, Reason.SLOT_TAKEN))
    assert verdict_of(second).rules == (("any", 1, Reason.LIMIT), ("second", 1, Reason.UNSPECIFIED))
    assert [text for _, _, text in verdict_of(second).actions] == ["Thank you"]
    assert verdict_of(first) != verdict_of(second)
    assert verdict_of(replay.decide(past_of(comment("c", verb="delete")))).rules == ()


def test_the_same_event_is_new_once_and_old_ones_are_forgotten_in_the_end() -> None:
    seen = SeenEvents(size=10)
    assert [seen.is_new(name) for name in ("a", "b", "a", "b")] == [True, True, False, False]
    assert all(seen.is_new(f"more-{number}") for number in range(30))
    assert not seen.is_new("more-29")
    assert seen.is_new("a")


def test_how_far_back_rules_look(rule) -> None:
    week = RuleLimit(LimitScope.RULE, 5, 7 * 86400.0)
    ever = RuleLimit(LimitScope.AUTHOR_OBJECT, 1)
    greeting = rule("hello", when=AuthorLeaf(first_contact=True))
    assert reach_of((rule(),)) == (0.0, ())
    assert reach_of((rule("a", limits=(ONCE, week)), rule("b", limits=(ever, ONCE)))) == (7 * 86400.0, ("b",))
    assert reach_of((greeting,)).endless == ("hello",)
