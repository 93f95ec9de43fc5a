"""The difference between two sets of rules: what is added, removed and changed in the end, and whom it meets."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from rules.domain.decision import LimitScope, Mode, RuleLimit
from rules.domain.event import Event, Understanding
from rules.domain.leaves import SentimentLeaf, TextLeaf
from rules.domain.model import PrivateReply, Reply, Tag
from rules.domain.replaying.comparison import Comparison, Terms
from rules.domain.replaying.replay import Past, Replay, verdict_of
from rules.domain.replaying.report import Changes, Count, Report

NEGATIVE = Understanding(language="en", polarity="negative", sentiment=-0.8)
NEUTRAL = Understanding(language="en", polarity="neutral", sentiment=0.0)


def past_of(event: Event, understanding: Understanding = NEUTRAL) -> Past:
    return Past(f"acme/{event.author_id}".encode(), event, understanding)


@pytest.fixture
def compare(snapshot: Any) -> Callable[..., Report]:
    """Compare two sets over events; the first `warm` of them only fill the state."""

    def make(old: Any, new: Any, pasts: list[Past], *, warm: int = 0, **terms: Any) -> Report:
        comparison = Comparison(snapshot(*old), snapshot(*new), Terms(**terms))
        for number, past in enumerate(pasts):
            comparison.take(past, counted=number >= warm)
        return comparison.report()

    return make


def answers(text: str, **more: Any) -> tuple[Reply, ...]:
    return (Reply(texts={"default": (text,)}, **more),)


def test_nothing_changes_where_nothing_is_changed(comment, rule, compare) -> None:
    pasts = [past_of(comment(f"e{n}", object=f"c{n}")) for n in range(10)]
    report = compare([rule()], [rule()], pasts)
    assert (report.events, report.changes, report.samples) == (10, {}, ())
    assert report.old == report.new
    assert report.old.outcomes == {"acted": 10}
    assert report.old.actions == {"reply": {"done": 10}}


def test_added_removed_and_changed_replies_and_how_many_meet_negative_words(comment, rule, compare) -> None:
    price, thanks, lost = (TextLeaf(any=(word,)) for word in ("price", "thanks", "lost"))
    old = [rule("price", when=price, then=answers("49 €")), rule("thanks", when=thanks)]
    new = [rule("price", when=price, then=answers("59 €"), version=2), rule("lost", when=lost)]
    pasts = [
        past_of(comment("p", object="p", text="price?")),
        past_of(comment("t", object="t", text="thanks"), NEGATIVE),
        past_of(comment("l", object="l", text="lost!"), NEGATIVE),
        past_of(comment("l2", object="l2", text="lost it")),
        past_of(comment("n", object="n", text="nothing")),
    ]
    report = compare(old, new, pasts)
    assert report.changes == {"reply": Changes(added=Count(2, 1), removed=Count(1, 1), changed=Count(1, 0))}
    told = {
        sample.text: (sample.change, sample.old and sample.old.text, sample.new and sample.new.text) for sample in report.samples
    }
    assert told == {
        "price?": ("changed", "49 €", "59 €"),
        "thanks": ("removed", "Thank you", None),
        "lost!": ("added", None, "Thank you"),
        "lost it": ("added", None, "Thank you"),
    }
    assert {line.rule_id: (line.old.answered, line.new.answered) for line in report.rules} == {
        "lost": (0, 2),
        "thanks": (1, 0),
        "price": (1, 1),
    }


def test_a_reply_that_would_now_ask_a_person_has_changed(comment, rule, compare) -> None:
    report = compare([rule()], [rule(mode=Mode.APPROVAL)], [past_of(comment("a"))])
    assert report.changes["reply"] == Changes(Count(), Count(), Count(1, 0))
    assert (report.samples[0].old.mode, report.samples[0].new.mode) == ("auto", "approval")
    shadowed = compare([rule()], [rule(mode=Mode.SHADOW)], [past_of(comment("a"))])
    assert shadowed.changes["reply"].removed == Count(1, 0)


def test_why_an_answer_is_gone_is_told(comment, rule, compare) -> None:
    careful = rule(when=SentimentLeaf(at_least="neutral"))
    report = compare([rule()], [careful], [past_of(comment("a"), NEGATIVE)])
    assert report.samples[0].why == {"any": "sentiment"}
    assert report.new.reasons == {"sentiment": 1}


def test_limits_differ_between_the_sets_and_warm_up_fills_both(comment, rule, compare) -> None:
    hourly, daily = (RuleLimit(LimitScope.AUTHOR, 1, seconds) for seconds in (3600.0, 86400.0))
    pasts = [past_of(comment(f"e{n}", object=f"c{n}", at=n * 7200)) for n in range(3)]
    old, new = [rule(limits=(hourly,))], [rule(limits=(daily,))]
    cold, warm = compare(old, new, pasts), compare(old, new, pasts, warm=1)
    assert cold.changes["reply"].removed == Count(2, 0)
    assert (warm.events, warm.warm_up_events) == (2, 1)
    assert warm.new.actions == {}
    assert warm.changes["reply"].removed == Count(2, 0)
    assert warm.rules[0].new.limited == 2


def test_tags_and_private_replies_are_compared_too(comment, rule, compare) -> None:
    old, new = rule(then=(Tag(tags=("a",)),)), rule(then=(Tag(tags=("a",)), Tag(tags=("b",))))
    assert compare([old], [new], [past_of(comment("a"))]).changes == {"tag": Changes(Count(), Count(), Count(1, 0))}
    private = rule(then=(PrivateReply(texts={"default": ("psst",)}),))
    report = compare([rule()], [private], [past_of(comment("a"))])
    assert report.changes["private_reply"].added == Count(1, 0)
    assert report.changes["reply"].removed == Count(1, 0)


def test_quotas_are_reported_for_both_sets(comment, rule, compare) -> None:
    private = rule(then=(PrivateReply(texts={"default": ("psst",)}),))
    pasts = [past_of(comment(f"e{n}", object=f"c{n}", author_id=f"a{n}")) for n in range(5)]
    report = compare([], [private], pasts, allowances={"private_replies": 3})
    usage = {line.what: line for line in report.quotas}
    assert (usage["private_replies"].old_peak, usage["private_replies"].new_peak) == (0, 5)
    assert (usage["private_replies"].allowed, usage["private_replies"].new_above) == (3, 2)
    assert usage["calls"].allowed is None


def test_a_redelivered_event_counts_once(comment, rule, compare) -> None:
    once = past_of(comment("a"))
    report = compare([], [rule()], [once, past_of(comment("b", object="b")), once])
    assert (report.events, report.repeated, report.changes["reply"].added) == (2, 1, Count(2, 0))


def test_recorded_decisions_are_compared_with_those_of_the_old_set(comment, rule, snapshot, compare) -> None:
    past = past_of(comment("a"))
    verdict = verdict_of(Replay(snapshot(rule())).decide(past))
    recorded = past._replace(verdict=verdict)
    other = past_of(comment("b", object="b"))._replace(verdict=verdict)
    fidelity = compare([rule()], [rule()], [recorded, other, past_of(comment("c", object="c"))]).fidelity
    assert (fidelity.compared, fidelity.reproduced, fidelity.different) == (2, 1, (other.event.event_id,))


def test_the_echo_of_an_automatic_answer_is_no_person_at_work(comment, rule, snapshot, compare) -> None:
    slow = rule("slow", then=answers("More soon", delay=(60.0, 60.0)), when=TextLeaf(any=("again",)))
    first = past_of(comment("a", object="c"))
    first = first._replace(verdict=verdict_of(Replay(snapshot(rule())).decide(first)))
    said = {"object": "h", "parent": "c", "echo": True, "author_id": "brand", "at": 5}
    asked = past_of(comment("b", object="c2", parent="c", kind="reply", text="again", at=10))
    for text, outcome in (("Thank  you", {"done": 1}), ("Hello, I am Eve", {"human_active": 1})):
        report = compare([slow], [slow], [first, past_of(comment("h", text=text, **said)), asked], human_pause=3600.0)
        assert report.old.actions == {"reply": outcome}, text


def test_samples_are_bounded_and_the_same_each_time(comment, rule, compare, rng: random.Random) -> None:
    pasts = [past_of(comment(f"e{n}", object=f"c{n}")) for n in range(200)]
    shuffled = rng.sample(pasts, len(pasts))
    one, other = (compare([], [rule()], some, sample_size=7) for some in (pasts, shuffled))
    assert one.samples == other.samples
    assert [s.event_id for s in one.samples] == sorted(past.event.event_id for past in pasts)[:7]
    assert compare([], [rule()], pasts, sample_size=0).samples == ()
