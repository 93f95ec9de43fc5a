"""What came to nothing gives its share of a limit back, once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from antiphon.errors import Transient
from publisher.adapters.memory import MemoryLimits
from publisher.domain.admission import BrandPolicy
from publisher.domain.calls import Denied, Done
from publisher.domain.changes import (
    Accepted,
    AskApproval,
    Change,
    Claim,
    Duplicate,
    Lost,
    NotSent,
    Refused,
    Reject,
    SendAgain,
    Suppress,
    Unseen,
)
from publisher.domain.limits import Consumed
from publisher.domain.model import Kind, Limit, Reason, Scope, State

LIMIT_KEY = "b/rule/r"

NOTHING: list[tuple[Sequence[Change], State]] = [
    ((Claim("w"), Refused(1, Reason.POLICY)), State.FAILED),
    ((Claim("w"), NotSent(1), Claim("w"), NotSent(2)), State.FAILED),
    ((Suppress(Reason.HUMAN_ACTIVE),), State.SUPPRESSED),
    ((Claim("w"), NotSent(1), Suppress(Reason.STALE)), State.SUPPRESSED),
    ((AskApproval(), Reject("k")), State.REJECTED),
]
SOMETHING: list[tuple[Sequence[Change], State]] = [
    ((Claim("w"), Accepted(1, "id")), State.POSTED),
    ((Claim("w"), Lost(1), Unseen()), State.PARKED),
    ((Claim("w"), Lost(1, repeatable=True), Suppress(Reason.STALE)), State.PARKED),
    ((Claim("w"), Lost(1, repeatable=True), Claim("w"), Refused(2, Reason.POLICY)), State.FAILED),
    ((Claim("w"), Refused(1, Reason.ALREADY_DONE)), State.FAILED),
    ((Claim("w"), Duplicate(1), Unseen()), State.FAILED),
]


@pytest.mark.parametrize(("changes", "state"), NOTHING)
async def test_given_back(limited_stage: Any, changes: Sequence[Change], state: State) -> None:
    stage = limited_stage()
    await stage.add(stage.entry("x"))
    assert await stage.quotas.full([stage.now("x")]) == {}
    assert await stage.consumed() == {"e-x"}
    assert await stage.change("x", *changes) is state
    assert await stage.consumed() == set()
    await stage.quotas.give_back([stage.now("x")])
    assert (await stage.limits.read(LIMIT_KEY)).revision == 2, "giving back twice writes nothing"


@pytest.mark.parametrize(("changes", "state"), SOMETHING)
async def test_not_given_back_what_has_or_may_have_an_effect(limited_stage: Any, changes: Sequence[Change], state: State) -> None:
    stage = limited_stage()
    await stage.add(stage.entry("x"))
    await stage.quotas.full([stage.now("x")])
    assert await stage.change("x", *changes) is state
    assert await stage.consumed() == {"e-x"}


async def test_one_limit_that_refuses_gives_the_others_back(limited_stage: Any) -> None:
    stage = limited_stage()
    thread = Limit(Scope.THREAD, 5, 60.0)
    await stage.add(stage.entry("first"), stage.entry("second", limits=(thread, limited_stage.LIMIT)))
    await stage.send("first", Done("id"), applied=True)
    await stage.send("second", Done("id"), applied=True)
    assert stage.now("second").position.reason is Reason.LIMIT
    assert (await stage.limits.read("b/thread/r/facebook/second")).events == {}
    assert await stage.consumed() == {"e-first"}


async def test_an_event_keeps_its_share_while_another_of_its_actions_stands(limited_stage: Any) -> None:
    stage = limited_stage()
    await stage.add(stage.entry("x"), stage.entry("x-like", Kind.LIKE, event="x"))
    await stage.send("x-like", Done("id"), applied=True)
    await stage.send("x", Denied(Reason.POLICY, ""), applied=False)
    assert await stage.consumed() == {"e-x"}


class Stalling(MemoryLimits):
    """Lets the next read wait, as a frozen process would."""

    def __init__(self) -> None:
        super().__init__()
        self.gate: asyncio.Event | None = None

    @override
    async def read(self, key: str) -> Consumed:
        gate, self.gate = self.gate, None
        if gate is not None:
            await gate.wait()
        return await super().read(key)


async def test_a_frozen_process_that_wakes_gives_nothing_back_of_what_was_sent_again(limited_stage: Any) -> None:
    stalling = Stalling()
    stage = limited_stage(limits=stalling)
    await stage.add(stage.entry("x"), stage.entry("y"))
    await stage.quotas.full([stage.now("x")])
    await stage.change("x", Claim("w"))
    gate = stalling.gate = asyncio.Event()
    frozen = asyncio.ensure_future(stage.change("x", Refused(1, Reason.PERMISSION)))
    while stage.now("x").position.state is not State.FAILED:  # noqa: ASYNC110 (what is waited for has no event)
        await asyncio.sleep(0)
    await stage.change("x", SendAgain("k"))
    await stage.send("x", Done("id"), applied=True)
    gate.set()
    await frozen
    assert await stage.consumed() == {"e-x"}
    await stage.send("y", Done("id"), applied=True)
    assert (stage.applied, stage.now("y").position.reason) == (["e-x"], Reason.LIMIT)


class Failing(MemoryLimits):
    @override
    async def read(self, key: str) -> Consumed:
        raise Transient("the store is away")


async def test_a_store_that_is_away_costs_the_share_and_never_the_change(limited_stage: Any) -> None:
    stage = limited_stage(limits=Failing())
    await stage.add(stage.entry("x"))
    assert await stage.change("x", Suppress(Reason.STALE)) is State.SUPPRESSED


async def test_the_whole_worker_uses_a_limit_up_by_posts_alone(house: Any) -> None:
    limit = Limit(Scope.RULE, 2, 3_600.0)
    for name in ("bad1", "bad2"):
        house.platform.answers[name] = [Denied(Reason.PERMISSION, "no")]
        await house.decide(name, limits=(limit,))
        await house.reaches(name, State.FAILED, Reason.PERMISSION)
    house.policies.now = BrandPolicy(blocked=frozenset({"facebook:u"}))
    await house.decide("blocked", limits=(limit,))
    await house.reaches("blocked", State.SUPPRESSED, Reason.POLICY)
    house.policies.now = BrandPolicy()
    await house.decide("good1", "good2", limits=(limit,))
    for name in ("good1", "good2"):
        await house.reaches(name, State.POSTED)
    await house.decide("late", limits=(limit,))
    await house.reaches("late", State.SUPPRESSED, Reason.LIMIT)
    consumed = await house.limits.read(LIMIT_KEY)
    assert set(consumed.events) == {"e-good1", "e-good2"}
    assert replace(consumed, revision=0).holders == {"e-good1": {"a-good1": 0}, "e-good2": {"a-good2": 0}}
