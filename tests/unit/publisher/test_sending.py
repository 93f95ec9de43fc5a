"""Lanes, sender, outbox and sweep together, on stores in memory and a platform that does as it is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import override

from antiphon.clock import SystemClock
from antiphon.errors import Transient
from publisher.adapters.documents import document_of, entry_of
from publisher.adapters.memory import MemoryLedger
from publisher.domain.admission import BrandPolicy
from publisher.domain.calls import Answer, Denied, Done, Sight, Unclear, Untouched
from publisher.domain.machine import fresh
from publisher.domain.model import Entry, Kind, Limit, Reason, Scope, State
from publisher.domain.pace import Usage
from publisher.ports import Saving


async def test_a_slow_channel_delays_nobody_else(house: Any) -> None:
    house.platform.slow["slow"] = 0.3
    await house.decide(*(f"s{n}" for n in range(20)), channel="slow")
    await house.decide(*(f"f{n}" for n in range(20)), channel="fast")
    await house.until(lambda: all(house.state(f"f{n}")[0] is State.POSTED for n in range(20)), 1.0)
    assert sum(house.state(f"s{n}")[0] is State.POSTED for n in range(20)) < 10
    assert house.platform.most_at_once["slow"] == 4, "calls in flight are bounded"
    await house.until(lambda: all(house.state(f"s{n}")[0] is State.POSTED for n in range(20)))
    assert sorted(house.platform.calls) == sorted({*house.platform.calls})


async def test_answers_in_one_thread_keep_their_order(house: Any) -> None:
    house.platform.slow["fast"] = 0.02
    await house.decide(*(f"t{n}" for n in range(8)), thread="top")
    await house.reaches("t7", State.POSTED)
    assert house.platform.calls == [f"t{n}" for n in range(8)]
    assert house.platform.most_at_once["fast"] == 1


async def test_a_hold_is_live_at_once_and_its_end_too(house: Any) -> None:
    house.policies.now = BrandPolicy(held=True)
    await house.decide("h1")
    await asyncio.sleep(0.2)
    assert (house.state("h1")[0], house.platform.calls) == (State.NEW, [])
    house.policies.now = BrandPolicy()
    await house.reaches("h1", State.POSTED)


async def test_a_held_action_becomes_stale(house: Any) -> None:
    house.policies.now = BrandPolicy(held=True)
    await house.decide("h2", expires=SystemClock().now().timestamp() + 0.3)
    await house.reaches("h2", State.SUPPRESSED, Reason.STALE)
    assert house.platform.calls == []


async def test_a_limit_across_authors_holds_while_many_send_at_once(house: Any) -> None:
    limit = Limit(Scope.RULE, 3, 3600.0)
    for channel in ("fast", "slow"):
        await house.decide(*(f"{channel}{n}" for n in range(10)), channel=channel, limits=(limit,))
    names = [f"{channel}{n}" for channel in ("fast", "slow") for n in range(10)]
    await house.until(lambda: all(house.state(name)[0] not in {State.NEW, State.SENDING} for name in names))
    states = [house.state(name) for name in names]
    assert states.count((State.POSTED, Reason.NONE)) == 3
    assert states.count((State.SUPPRESSED, Reason.LIMIT)) == 17


async def test_definite_failures_are_tried_again_and_unknown_ones_never(house: Any) -> None:
    house.platform.answers["d1"] = [Untouched("connection refused"), Untouched("connection refused")]
    house.platform.answers["d2"] = [Unclear("reset")]
    house.platform.listed["d2"] = []
    await house.decide("d1", "d2")
    await house.reaches("d1", State.POSTED)
    await house.reaches("d2", State.PARKED, Reason.UNKNOWN_OUTCOME)
    assert (house.platform.calls.count("d1"), house.platform.calls.count("d2")) == (3, 1)


async def test_what_is_read_back_counts_as_posted(house: Any) -> None:
    house.platform.answers["r1"] = [Unclear("timeout")]
    house.platform.listed["r1"] = [Sight("old", 0.0), Sight("ours", SystemClock().now().timestamp())]
    await house.decide("r1")
    await house.reaches("r1", State.POSTED)
    assert house.ledger.entries["a-r1"].position.platform_id == "ours"
    await house.until(lambda: [told.state for told in house.heard.told] == [State.POSTED])


async def test_a_refused_credential_is_not_asked_again(house: Any) -> None:
    house.platform.answers["c0"] = [Answer(Denied(Reason.CREDENTIAL, "expired"), credential_refused=True)]
    await house.decide("c0")
    await house.reaches("c0", State.FAILED, Reason.CREDENTIAL)
    await house.until(lambda: house.channels.channels["b", "fast"].refused_at is not None)
    await house.decide(*(f"c{n}" for n in range(1, 30)))
    await house.until(lambda: house.state("c29") == (State.SUPPRESSED, Reason.CREDENTIAL))
    assert house.platform.calls == ["c0"]


async def test_usage_at_its_end_rests_the_channel(house: Any) -> None:
    house.platform.answers["u0"] = [Answer(Done("1"), usage=Usage(100.0))]
    await house.decide("u0")
    await house.until(lambda: "b/fast" in house.tokens.pauses)
    await house.decide("u1")
    await asyncio.sleep(0.2)
    assert house.platform.calls == ["u0"]
    del house.tokens.pauses["b/fast"]


async def test_no_channel_no_call(house: Any) -> None:
    await house.decide("n1", channel="unknown")
    await house.reaches("n1", State.SUPPRESSED, Reason.NO_CHANNEL)
    assert house.platform.calls == []


async def test_the_edited_text_gets_the_answer(house: Any) -> None:
    house.policies.now = BrandPolicy(held=True)
    await house.decide("x")
    await house.intake.take([house.decided("x", "fast", action_id="a-x2", event_id="e-x2", verb="edit")])
    house.policies.now = BrandPolicy()
    await house.until(lambda: house.ledger.entries["a-x2"].position.state is State.POSTED)
    assert house.state("x") == (State.SUPPRESSED, Reason.TARGET_EDITED)
    assert house.platform.calls == ["x"]


async def test_a_deleted_comment_is_not_answered(house: Any) -> None:
    gone = replace(house.decided("g", "fast"), event_id="gone", verb="delete", actions=())
    await house.intake.take([gone])
    await house.decide("g")
    await house.reaches("g", State.SUPPRESSED, Reason.TARGET_DELETED)
    assert house.platform.calls == []


async def test_our_own_echo_is_no_person(house: Any) -> None:
    await house.decide("e")
    await house.reaches("e", State.POSTED)
    ours = replace(house.decided("id-e", "fast", thread="e"), echo=True, actions=())
    person = replace(house.decided("by-hand", "fast", thread="e"), echo=True, actions=())
    await house.intake.take([ours])
    assert await house.threads.facts("b", "facebook", ["e"]) == {}
    await house.intake.take([person])
    assert (await house.threads.facts("b", "facebook", ["e"]))["e"].human_at is not None


class Forgetful(MemoryLedger):
    """Saves the first claim, and then says that it cannot tell."""

    fails = 1

    @override
    async def save(self, savings: Sequence[Saving]) -> Sequence[bool]:
        results = await super().save(savings)
        if self.fails and savings and savings[0].after.position.state is State.SENDING:
            self.fails -= 1
            raise Transient("the store failed")
        return results


async def test_an_unconfirmed_claim_is_taken_back_without_a_call(make_house: Any) -> None:
    async with make_house(Forgetful()).running() as house:
        await house.decide("q")
        await house.reaches("q", State.POSTED)
        assert house.platform.calls == ["q"]
        assert house.ledger.entries["a-q"].position.epoch == 2


async def test_a_successor_finishes_what_was_left_behind(make_house: Any) -> None:
    ledger = MemoryLedger()
    first = make_house(ledger, lease=0.6)
    first.platform.slow["fast"] = 60.0
    async with first.running():
        await first.decide("left", "behind", "hidden", kind=Kind.REPLY)
        await first.until(lambda: first.state("left")[0] is State.SENDING)
        for task in [task for task in asyncio.all_tasks() if task.get_name() == "send"]:
            task.cancel()  # as if the process had died
    second = make_house(ledger, lease=0.6)
    second.platform.listed |= {"left": [], "behind": [Sight("b", SystemClock().now().timestamp())], "hidden": []}
    async with second.running():
        await second.reaches("left", State.PARKED, Reason.UNKNOWN_OUTCOME)
        await second.reaches("behind", State.POSTED)
    assert second.platform.calls == []


async def test_a_send_that_could_be_overtaken_does_not_begin(make_house: Any) -> None:
    """With a lease shorter than a call may take there is never time for one."""
    async with make_house(make_house.new_ledger(), lease=0.4).running() as house:
        await house.decide("late")
        await house.until(lambda: house.ledger.entries["a-late"].position.epoch >= 3)
        at = house.ledger.entries["a-late"].position
        assert (house.platform.calls, at.attempts <= 1) == ([], True)


def test_an_entry_of_an_older_release_can_be_read(make_house: Any) -> None:
    house = make_house(make_house.new_ledger())
    ((order, text),) = house.decided("old").actions
    entry = Entry(order, fresh(order, text, 1.0))
    stored = document_of(entry, 0.0)
    assert entry_of(stored) == entry
    for name in ("url", "secret_ref"):
        del stored[name]
    assert entry_of(stored) == entry
