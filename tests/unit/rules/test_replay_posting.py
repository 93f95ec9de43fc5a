"""What would have become of decided actions: the checks before a send, told in event time."""

from collections.abc import Callable
from typing import Any

import pytest

from rules.domain.decision import ActionKind, LimitScope, Mode, RuleLimit
from rules.domain.event import NOTHING_UNDERSTOOD
from rules.domain.model import Handoff, Hide, PrivateReply, Reply, Tag
from rules.domain.replaying.posting import Allowance, Fate, Posting
from rules.domain.replaying.replay import Past, Replay

WORDS = {"default": ("Thank you",)}


@pytest.fixture
def story(snapshot: Any) -> Callable[..., list[tuple[str, str, Fate]]]:
    """Tell events to a set of rules; returns what became of each action: (event's object, kind, fate)."""

    def tell(rules: Any, events: Any, *, pause: float = 3600.0, ours: tuple[str, ...] = ()) -> list[tuple[str, str, Fate]]:
        replay, posting = Replay(snapshot(*rules)), Posting(pause)
        settled = []
        for event in events:
            settled += posting.advance(event.received_time)
            posting.see(event, ours=event.object in ours)
            settled += posting.take(replay.decide(Past(event.author_id.encode(), event, NOTHING_UNDERSTOOD)))
            settled += posting.advance(event.received_time)
        settled += posting.finish()
        return [(one.event.object, str(one.action.kind), one.fate) for one in settled]

    return tell


def later(**more: Any) -> Reply:
    return Reply(texts=WORDS, delay=(60.0, 60.0), **more)


def test_at_most_one_answer_of_a_kind_for_each_target(comment, rule, story) -> None:
    twice = [comment("a", object="c"), comment("b", object="c", verb="edit", at=30)]
    assert story([rule()], twice) == [("c", "reply", Fate.DONE), ("c", "reply", Fate.TARGET_TAKEN)]
    both = rule(then=(Reply(texts=WORDS), PrivateReply(texts=WORDS), Hide()))
    assert [fate for _, _, fate in story([both], [comment("a")])] == [Fate.DONE] * 3


def test_an_edit_before_the_send_takes_the_answer_over(comment, rule, story) -> None:
    events = [comment("a", object="c"), comment("b", object="c", verb="edit", at=30)]
    assert story([rule(then=(later(),))], events) == [("c", "reply", Fate.TARGET_EDITED), ("c", "reply", Fate.DONE)]
    silent = [comment("a", object="c"), comment("b", object="c", verb="edit", at=30, kind="reaction")]
    assert story([rule(then=(later(),))], silent) == [("c", "reply", Fate.TARGET_EDITED)]


@pytest.mark.parametrize("gone", ["c", "p", "post-1"])
def test_what_was_deleted_before_the_send_is_not_answered(gone, comment, rule, story) -> None:
    events = [comment("a", object="c", parent="p", kind="reply"), comment("d", object=gone, verb="delete", at=59)]
    assert story([rule(then=(later(),))], events) == [("c", "reply", Fate.TARGET_DELETED)]
    late = [events[0], comment("d", object=gone, verb="delete", at=61)]
    assert story([rule(then=(later(),))], late) == [("c", "reply", Fate.DONE)]


def test_where_a_person_of_the_brand_wrote_automation_rests(comment, rule, story) -> None:
    asked = comment("a", object="c")
    human = comment("h", object="h", parent="c", echo=True, author_id="brand", at=30)
    after = comment("b", object="c2", parent="c", kind="reply", at=1000)
    much_later = comment("m", object="c3", parent="c", kind="reply", at=4000)
    rules = [rule(then=(later(),))]
    fates = {name: fate for name, _, fate in story(rules, [asked, human, after, much_later])}
    assert fates == {"c": Fate.HUMAN_ACTIVE, "c2": Fate.HUMAN_ACTIVE, "c3": Fate.DONE}
    assert {fate for _, _, fate in story(rules, [asked, human, after, much_later], ours=("h",))} == {Fate.DONE}
    hiding = [rule(then=(Hide(delay=(60.0, 60.0)),))]
    assert [fate for _, _, fate in story(hiding, [asked, human])] == [Fate.DONE]


def test_a_hand_off_silences_later_answers_in_the_thread_and_not_its_own(comment, rule, story) -> None:
    rules = [rule(then=(Reply(texts=WORDS), Handoff(queue="sales")))]
    first = comment("a", object="c")
    second = comment("b", object="c2", parent="c", kind="reply", at=100)
    told = story(rules, [first, second])
    assert told == [
        ("c", "handoff", Fate.DONE),
        ("c", "reply", Fate.DONE),
        ("c2", "handoff", Fate.DONE),
        ("c2", "reply", Fate.HUMAN_ACTIVE),
    ]
    assert [fate for _, kind, fate in story(rules, [first, second], pause=0.0) if kind == "reply"] == [Fate.DONE] * 2


def test_limits_that_cross_authors_are_consumed_by_what_is_sent(comment, rule, story) -> None:
    two_an_hour = RuleLimit(LimitScope.RULE, 2, 3600.0)
    people = [comment(f"e{n}", object=f"c{n}", author_id=f"a{n}", at=at) for n, at in enumerate([0, 10, 20, 3600, 3610, 3611])]
    fates = [fate for _, _, fate in story([rule(limits=(two_an_hour,))], people)]
    assert fates == [Fate.DONE, Fate.DONE, Fate.LIMIT, Fate.DONE, Fate.DONE, Fate.LIMIT]


def test_all_limits_of_an_action_are_consumed_or_none(comment, rule, story) -> None:
    limits = (RuleLimit(LimitScope.RULE, 2), RuleLimit(LimitScope.OBJECT, 1))
    people = [comment(f"e{n}", object=f"c{n}", root=root, author_id=f"a{n}") for n, root in enumerate(["p", "p", "p", "q", "r"])]
    fates = [fate for _, _, fate in story([rule(limits=limits)], people)]
    assert fates == [Fate.DONE, Fate.LIMIT, Fate.LIMIT, Fate.DONE, Fate.LIMIT]


def test_several_actions_of_one_event_consume_once_and_rules_share_the_brand_s(comment, rule, story) -> None:
    one = RuleLimit(LimitScope.BRAND, 2)
    rules = [rule(then=(Reply(texts=WORDS), PrivateReply(texts=WORDS)), limits=(one,))]
    people = [comment(f"e{n}", object=f"c{n}", author_id=f"a{n}") for n in range(3)]
    fates = [fate for _, _, fate in story(rules, people)]
    assert fates == [Fate.DONE] * 4 + [Fate.LIMIT] * 2


def test_what_a_limit_keeps_back_frees_its_target(comment, rule, story) -> None:
    rules = [rule(limits=(RuleLimit(LimitScope.RULE, 1, 100.0),))]
    events = [
        comment("a", object="c1", author_id="a"),
        comment("b", object="c2", author_id="b", at=10),
        comment("e", object="c2", author_id="b", verb="edit", at=200),
    ]
    assert [fate for _, _, fate in story(rules, events)] == [Fate.DONE, Fate.LIMIT, Fate.DONE]


def test_modes(comment, rule, story) -> None:
    asks = [rule(then=(Reply(texts=WORDS, mode=Mode.APPROVAL), Hide(mode=Mode.SHADOW), Tag(tags=("x",))))]
    assert story(asks, [comment("a")]) == [
        ("comment-1", "reply", Fate.ASKED),
        ("comment-1", "hide", Fate.SHADOWED),
        ("comment-1", "tag", Fate.DONE),
    ]


def test_what_is_due_after_its_time_is_stale(comment, rule, story) -> None:
    old = comment("a", received_time=comment("a").event_time + 3590)
    assert story([rule(then=(later(),), freshness_seconds=3600.0)], [old]) == [("comment-1", "reply", Fate.STALE)]


def test_calls_are_counted_by_channel_and_hour(comment, rule, snapshot) -> None:
    replay, posting, allowance = (
        Replay(snapshot(rule(then=(PrivateReply(texts=WORDS), Tag(tags=("x",)))))),
        Posting(0.0),
        Allowance(),
    )
    for number, at in enumerate([0, 1, 2, 7200, 7201]):
        event = comment(f"e{number}", object=f"c{number}", at=at)
        taken = [*posting.take(replay.decide(Past(b"", event, NOTHING_UNDERSTOOD))), *posting.advance(event.received_time)]
        for settled in taken:
            allowance.count(settled)
    hour = int(comment("x").received_time // 3600)
    assert dict(allowance.peaks()) == {("ig-main", "calls"): (3, hour), ("ig-main", "private_replies"): (3, hour)}
    assert allowance.above("ig-main", "private_replies", 2) == 1
    assert allowance.above("ig-main", "private_replies", 1) == 3
    assert allowance.above("elsewhere", "calls", 1) == 0
    assert ActionKind.TAG not in {kind for _, kind in dict(allowance.peaks())}
