"""Where people are at work, or shall be, automation rests; our own posts are no people."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from publisher.domain.admission import BrandPolicy
from publisher.domain.calls import Sight
from publisher.domain.model import Decided, Kind, Mode, Order, Reason, State

PAUSE = BrandPolicy(human_pause=600.0)


def handing_over(house: Any, target: str, thread: str = "top", **more: Any) -> Decided:
    """A decision with a reply and a hand-off, as of a rule that has both."""
    found: Decided = house.decided(target, thread=thread, **more)
    (reply, text), *_ = found.actions
    handoff = replace(reply, action_id=f"h-{target}", kind=Kind.HANDOFF, queue="sales", mode=more.get("mode", Mode.AUTO))
    return replace(found, actions=((reply, text), (handoff, "")))


def echo(of: Decided, name: str, **more: Any) -> Decided:
    return replace(of, event_id="echo-" + name, object=name, echo=True, actions=(), **more)


async def test_the_answer_that_comes_with_a_handoff_is_posted_and_the_next_is_not(house: Any) -> None:
    house.policies.now = PAUSE
    await house.intake.take([handing_over(house, "one")])
    await house.reaches("one", State.POSTED)
    assert house.ledger.entries["h-one"].position.state is State.POSTED
    await house.decide("two", thread="top")
    await house.decide("elsewhere", thread="other")
    await house.reaches("two", State.SUPPRESSED, Reason.HUMAN_ACTIVE)
    await house.reaches("elsewhere", State.POSTED)
    assert house.platform.calls == ["one", "elsewhere"]


async def test_handoffs_that_come_again_and_in_any_order_change_nothing(make_house: Any) -> None:
    """Two events hand one thread over; whatever the order and however often, the second's answer rests, the first's does not."""
    for number, order in enumerate(itertools.permutations((0, 0, 1, 1))):
        house = make_house(make_house.new_ledger())
        house.policies.now = PAUSE
        now = house.now()
        both = [handing_over(house, name, event_time=now - 20 + 10 * at) for at, name in enumerate(("early", "late"))]
        for which in order:
            await house.intake.take([both[which]])
        async with house.running():
            await house.until(lambda house=house: house.state("late")[0] is not State.NEW)
            assert house.state("late") == (State.SUPPRESSED, Reason.HUMAN_ACTIVE), number
            # The later hand-off is activity after the earlier event, as a person's answer would be.
            await house.reaches("early", State.SUPPRESSED, Reason.HUMAN_ACTIVE)


async def test_a_redelivered_handoff_does_not_hold_back_its_own_answer(house: Any) -> None:
    house.policies.now = PAUSE
    decision = handing_over(house, "again", not_before=house.now() + 0.2)
    for _ in range(3):
        await house.intake.take([decision])
    await house.reaches("again", State.POSTED)
    await house.intake.take([decision])
    assert house.platform.calls == ["again"]


async def test_a_shadow_and_a_brand_without_a_pause_hand_nothing_over(house: Any) -> None:
    await house.intake.take([handing_over(house, "free", "thread-1")])
    await house.decide("next", thread="thread-1")
    await house.reaches("next", State.POSTED)
    house.policies.now = PAUSE
    await house.intake.take([handing_over(house, "shadow", "thread-2", mode=Mode.SHADOW)])
    await house.decide("after", thread="thread-2")
    await house.reaches("after", State.POSTED)
    assert house.state("shadow")[0] is State.SHADOWED


MESSAGE = {"event_kind": "message", "root": "person"}


def message(house: Any, target: str, **more: Any) -> Decided:
    found: Decided = house.decided(target, **{**MESSAGE, **more})
    return replace(found, kind="message", root="person", parent="")


async def test_a_person_in_the_inbox_rests_the_conversation_even_when_answering_one_message(house: Any) -> None:
    house.policies.now = PAUSE
    by_hand = echo(message(house, "m0"), "by-hand", parent="m0")
    await house.intake.take([by_hand])
    await house.intake.take([message(house, "m1")])
    await house.reaches("m1", State.SUPPRESSED, Reason.HUMAN_ACTIVE)
    assert house.platform.calls == []


@pytest.mark.parametrize("kind", [Kind.REPLY, Kind.PRIVATE_REPLY])
async def test_a_message_sent_by_another_process_is_no_person(make_house: Any, kind: Kind) -> None:
    ledger = make_house.new_ledger()
    first, second = make_house(ledger), make_house(ledger)
    async with first.running():
        await first.intake.take([message(first, "m2", kind=kind)])
        await first.reaches("m2", State.POSTED)
    second.policies.now = PAUSE
    await second.intake.take([echo(message(second, "m2"), "id-m2")])
    assert await second.threads.facts("b", "facebook", ["person", "m2"]) == {}
    await second.intake.take([echo(message(second, "m2"), "by-hand")])
    assert (await second.threads.facts("b", "facebook", ["person"]))["person"].human_at is not None


async def test_an_answer_to_an_answer_shown_under_the_first_comment_is_no_person(make_house: Any) -> None:
    """Platforms have two levels: what answers "answer" comes back as an answer to "top"."""
    ledger = make_house.new_ledger()
    first, second = make_house(ledger), make_house(ledger)
    async with first.running():
        await first.decide("answer", thread="top")
        await first.reaches("answer", State.POSTED)
    ours = echo(second.decided("answer", thread="top"), "id-answer")
    await second.intake.take([ours])
    assert await second.threads.facts("b", "facebook", ["top", "answer"]) == {}
    await second.intake.take([echo(second.decided("x", thread="top"), "by-hand")])
    assert (await second.threads.facts("b", "facebook", ["top"]))["top"].human_at is not None


async def test_an_echo_that_overtakes_the_answer_of_the_platform_is_no_person(house: Any) -> None:
    house.platform.slow["fast"] = 0.3
    await house.decide("slow", thread="top")
    await house.until(lambda: house.state("slow")[0] is State.SENDING)
    await house.intake.take([echo(house.decided("slow", thread="top"), "id-slow")])
    assert await house.threads.facts("b", "facebook", ["top", "slow"]) == {}
    await house.reaches("slow", State.POSTED)
    assert house.ledger.entries["a-slow"].position.platform_id == "id-slow"


async def test_a_sight_under_another_comment_confirms_nothing(house: Any) -> None:
    """A reply in doubt is settled by reading its own target, never by what stands elsewhere in the thread."""
    house.platform.listed["doubt"] = [Sight("ours", house.now())]
    house.platform.slow["fast"] = 0.2
    await house.decide("doubt", thread="top")
    await house.until(lambda: house.state("doubt")[0] is State.SENDING)
    await house.intake.take([echo(house.decided("x", thread="top"), "by-whom")])
    await house.reaches("doubt", State.POSTED)
    assert house.ledger.entries["a-doubt"].position.platform_id == "id-doubt"


def test_a_private_conversation_is_one_thread() -> None:
    names = {"target": "m", "parent": "other", "root": "person", "author": "person"}
    for kind in ("message", "story_mention"):
        assert order_of(event_kind=kind, **names).thread == "person"
    assert order_of(event_kind="reply", **names).thread == "other"
    assert order_of(event_kind="comment", **{**names, "parent": ""}).thread == "m"


def order_of(**more: Any) -> Order:
    return Order(
        action_id="a", event_id="e", brand="b", platform="facebook", account="p", channel="c", verb="create", rule_id="r",
        rule_version=1, kind=Kind.REPLY, mode=Mode.AUTO, not_before=0, expires=1, event_time=0, received_time=0, **more,
    )  # fmt: skip
