"""Lanes, sender, outbox and sweep together, on stores in memory and a platform that does as it is told."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from typing_extensions import override

from antiphon.clock import SystemClock
from antiphon.errors import Invalid, Transient
from antiphon.telemetry import Telemetry
from publisher.adapters.memory import FreeTokens, MemoryChannels, MemoryLedger, MemoryLimits, MemoryThreads
from publisher.adapters.telemetry import PublisherMeter
from publisher.domain.admission import BrandPolicy
from publisher.domain.calls import Answer, Deed, Denied, Done, Listing, Outcome, Rate, Sight, Unclear, Untouched
from publisher.domain.changes import Timing
from publisher.domain.model import Decided, Kind, Limit, Mode, Order, Reason, Scope, State, Told
from publisher.domain.pace import Usage
from publisher.ports import Announcer, Channel, Platform, Policies, Saving
from publisher.service.intake import Intake
from publisher.service.lanes import Lanes
from publisher.service.moves import Moves
from publisher.service.outbox import Outbox
from publisher.service.reconciler import Reconciler
from publisher.service.sender import Sender
from publisher.service.sightings import Sightings
from publisher.service.sweep import Sweep


class Scripted(Platform):
    """Does what it is told for a target, else posts; remembers every call."""

    name = "facebook"
    kinds = frozenset(Kind)
    repeatable = frozenset({Kind.HIDE})
    listable = frozenset({Kind.REPLY})

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.answers: dict[str, list[Answer | Outcome]] = defaultdict(list)
        self.slow: dict[str, float] = {}
        self.listed: dict[str, list[Sight]] = {}
        self.at_once = 0
        self.most_at_once: dict[str, int] = defaultdict(int)
        self._running: dict[str, int] = defaultdict(int)

    @override
    def default_rate(self) -> Rate:
        return Rate(1000, 1000)

    @override
    async def act(self, channel: Channel, deed: Deed) -> Answer:
        self.calls.append(deed.target)
        self._running[channel.channel] += 1
        self.most_at_once[channel.channel] = max(self.most_at_once[channel.channel], self._running[channel.channel])
        await asyncio.sleep(self.slow.get(channel.channel, 0.0))
        self._running[channel.channel] -= 1
        found = self.answers[deed.target].pop(0) if self.answers[deed.target] else Done(f"id-{deed.target}")
        return found if isinstance(found, Answer) else Answer(found)

    @override
    async def read_back(self, channel: Channel, order: Order) -> Listing:
        if order.target not in self.listed:
            raise Transient("not readable")
        return Listing(self.listed[order.target], complete=True)

    @override
    async def check(self, channel: Channel) -> str:
        raise Invalid("credential")


class Heard(Announcer):
    def __init__(self) -> None:
        self.told: list[Told] = []

    @override
    async def announce(self, told: Sequence[Told]) -> None:
        self.told += told


class SetPolicies(Policies):
    def __init__(self) -> None:
        self.now = BrandPolicy()

    @override
    def policy(self, brand: str) -> BrandPolicy:
        return self.now


class House:
    """A worker without the outside."""

    def __init__(self, ledger: MemoryLedger, **timing: Any) -> None:
        clock = SystemClock()
        self.ledger, self.platform, self.heard, self.policies = ledger, Scripted(), Heard(), SetPolicies()
        self.tokens, self.threads = FreeTokens(), MemoryThreads()
        channels = [Channel("b", name, "facebook", "p-" + name, SecretStr("t"), generation=1) for name in ("fast", "slow")]
        self.channels = MemoryChannels(*channels)
        shared: dict[str, Any] = {"clock": clock, "timing": Timing(**{"settle": 0.2, "retry_first": 0.05, **timing})}
        points: dict[str, Any] = {"failpoint": lambda _: None}
        self.telemetry = Telemetry("publisher")
        meter = PublisherMeter(self.telemetry, clock)
        platforms: dict[str, Platform] = {"facebook": self.platform}
        self.outbox = Outbox(ledger=ledger, announcer=self.heard, meter=meter, **points)
        moves = Moves(ledger=ledger, tell=self.outbox.tell, **shared)
        self.sightings = Sightings(ledger=ledger, threads=self.threads, moves=moves, meter=meter)
        sender = Sender(
            ledger=ledger, threads=self.threads, limits=MemoryLimits(), channels=self.channels, tokens=self.tokens,
            policies=self.policies, platforms=platforms, moves=moves, meter=meter, remember=self.sightings.remember,
            http_timeout=0.5, **shared, **points,
        )  # fmt: skip
        self.lanes = Lanes(prepare=sender.prepare, clock=clock, meter=meter, width=4, capacity=100)
        self.intake = Intake(
            ledger=ledger, threads=self.threads, policies=self.policies, platforms=platforms, moves=moves,
            sightings=self.sightings, enqueue=self.lanes.add, **shared, **points,
        )  # fmt: skip
        reconciler = Reconciler(moves=moves, channels=self.channels, tokens=self.tokens, platforms=platforms, meter=meter)
        self.sweep = Sweep(
            ledger=ledger, lanes=self.lanes, outbox=self.outbox, moves=moves, meter=meter, platforms=platforms,
            read_back=reconciler.offer, clock=clock, interval=0.05,
        )  # fmt: skip
        self.parts = [self.lanes, self.outbox, reconciler, self.sweep]

    async def decide(self, *targets: str, channel: str = "fast", **more: Any) -> None:
        await self.intake.take([decided(target, channel, **more) for target in targets])

    def state(self, target: str) -> tuple[State, Reason]:
        at = self.ledger.entries["a-" + target].position
        return at.state, at.reason

    async def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 (what is waited for has no event)
                await asyncio.sleep(0.01)

    async def reaches(self, target: str, state: State, reason: Reason = Reason.NONE) -> None:
        await self.until(lambda: self.state(target) == (state, reason))


def decided(target: str, channel: str, thread: str = "", **more: Any) -> Decided:
    now = SystemClock().now().timestamp()
    order = Order(
        action_id="a-" + target, event_id="e-" + target, brand="b", platform="facebook", account="p-" + channel, channel=channel,
        target=target, parent=thread, root="post", author="u", event_kind="comment", verb="create", rule_id="r", rule_version=1,
        kind=Kind.REPLY, mode=Mode.AUTO, not_before=0, expires=now + 60, event_time=now, received_time=now,
    )  # fmt: skip
    order = replace(order, **more)
    return Decided(
        order.event_id, "b", "facebook", order.account, "comment", order.verb, target, thread, "post", "u", False,
        order.event_time, order.received_time, ((order, "hello"),),
    )  # fmt: skip


@asynccontextmanager
async def running(house: House) -> AsyncIterator[House]:
    tasks = [asyncio.ensure_future(part.run()) for part in house.parts]
    try:
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(House(MemoryLedger())) as found:
        yield found


async def test_a_slow_channel_delays_nobody_else(house: House) -> None:
    house.platform.slow["slow"] = 0.3
    await house.decide(*(f"s{n}" for n in range(20)), channel="slow")
    await house.decide(*(f"f{n}" for n in range(20)), channel="fast")
    await house.until(lambda: all(house.state(f"f{n}")[0] is State.POSTED for n in range(20)), 1.0)
    assert sum(house.state(f"s{n}")[0] is State.POSTED for n in range(20)) < 10
    assert house.platform.most_at_once["slow"] == 4, "calls in flight are bounded"
    await house.until(lambda: all(house.state(f"s{n}")[0] is State.POSTED for n in range(20)))
    assert sorted(house.platform.calls) == sorted({*house.platform.calls})


async def test_answers_in_one_thread_keep_their_order(house: House) -> None:
    house.platform.slow["fast"] = 0.02
    await house.decide(*(f"t{n}" for n in range(8)), thread="top")
    await house.reaches("t7", State.POSTED)
    assert house.platform.calls == [f"t{n}" for n in range(8)]
    assert house.platform.most_at_once["fast"] == 1


async def test_a_hold_is_live_at_once_and_its_end_too(house: House) -> None:
    house.policies.now = BrandPolicy(held=True)
    await house.decide("h1")
    await asyncio.sleep(0.2)
    assert (house.state("h1")[0], house.platform.calls) == (State.NEW, [])
    house.policies.now = BrandPolicy()
    await house.reaches("h1", State.POSTED)


async def test_a_held_action_becomes_stale(house: House) -> None:
    house.policies.now = BrandPolicy(held=True)
    await house.decide("h2", expires=SystemClock().now().timestamp() + 0.3)
    await house.reaches("h2", State.SUPPRESSED, Reason.STALE)
    assert house.platform.calls == []


async def test_a_limit_across_authors_holds_while_many_send_at_once(house: House) -> None:
    limit = Limit(Scope.RULE, 3, 3600.0)
    for channel in ("fast", "slow"):
        await house.decide(*(f"{channel}{n}" for n in range(10)), channel=channel, limits=(limit,))
    names = [f"{channel}{n}" for channel in ("fast", "slow") for n in range(10)]
    await house.until(lambda: all(house.state(name)[0] not in {State.NEW, State.SENDING} for name in names))
    states = [house.state(name) for name in names]
    assert states.count((State.POSTED, Reason.NONE)) == 3
    assert states.count((State.SUPPRESSED, Reason.LIMIT)) == 17


async def test_definite_failures_are_tried_again_and_unknown_ones_never(house: House) -> None:
    house.platform.answers["d1"] = [Untouched("connection refused"), Untouched("connection refused")]
    house.platform.answers["d2"] = [Unclear("reset")]
    house.platform.listed["d2"] = []
    await house.decide("d1", "d2")
    await house.reaches("d1", State.POSTED)
    await house.reaches("d2", State.PARKED, Reason.UNKNOWN_OUTCOME)
    assert (house.platform.calls.count("d1"), house.platform.calls.count("d2")) == (3, 1)


async def test_what_is_read_back_counts_as_posted(house: House) -> None:
    house.platform.answers["r1"] = [Unclear("timeout")]
    house.platform.listed["r1"] = [Sight("old", 0.0), Sight("ours", SystemClock().now().timestamp())]
    await house.decide("r1")
    await house.reaches("r1", State.POSTED)
    assert house.ledger.entries["a-r1"].position.platform_id == "ours"
    await house.until(lambda: [told.state for told in house.heard.told] == [State.POSTED])


async def test_a_refused_credential_is_not_asked_again(house: House) -> None:
    house.platform.answers["c0"] = [Answer(Denied(Reason.CREDENTIAL, "expired"), credential_refused=True)]
    await house.decide("c0")
    await house.reaches("c0", State.FAILED, Reason.CREDENTIAL)
    await house.until(lambda: house.channels.channels["b", "fast"].refused_at is not None)
    await house.decide(*(f"c{n}" for n in range(1, 30)))
    await house.until(lambda: house.state("c29") == (State.SUPPRESSED, Reason.CREDENTIAL))
    assert house.platform.calls == ["c0"]


async def test_usage_at_its_end_rests_the_channel(house: House) -> None:
    house.platform.answers["u0"] = [Answer(Done("1"), usage=Usage(100.0))]
    await house.decide("u0")
    await house.until(lambda: "b/fast" in house.tokens.pauses)
    await house.decide("u1")
    await asyncio.sleep(0.2)
    assert house.platform.calls == ["u0"]
    del house.tokens.pauses["b/fast"]


async def test_no_channel_no_call(house: House) -> None:
    await house.decide("n1", channel="unknown")
    await house.reaches("n1", State.SUPPRESSED, Reason.NO_CHANNEL)


async def test_the_edited_text_gets_the_answer(house: House) -> None:
    house.policies.now = BrandPolicy(held=True)
    await house.decide("x")
    await house.intake.take([decided("x", "fast", action_id="a-x2", event_id="e-x2", verb="edit")])
    house.policies.now = BrandPolicy()
    await house.until(lambda: house.ledger.entries["a-x2"].position.state is State.POSTED)
    assert house.state("x") == (State.SUPPRESSED, Reason.TARGET_EDITED)
    assert house.platform.calls == ["x"]


async def test_a_deleted_comment_is_not_answered(house: House) -> None:
    gone = replace(decided("g", "fast"), event_id="gone", verb="delete", actions=())
    await house.intake.take([gone])
    await house.decide("g")
    await house.reaches("g", State.SUPPRESSED, Reason.TARGET_DELETED)


async def test_our_own_echo_is_no_person(house: House) -> None:
    await house.decide("e")
    await house.reaches("e", State.POSTED)
    ours = replace(decided("id-e", "fast", thread="e"), echo=True, actions=())
    person = replace(decided("by-hand", "fast", thread="e"), echo=True, actions=())
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


async def test_an_unconfirmed_claim_is_taken_back_without_a_call() -> None:
    async with running(House(Forgetful())) as house:
        await house.decide("q")
        await house.reaches("q", State.POSTED)
        assert house.platform.calls == ["q"]
        assert house.ledger.entries["a-q"].position.epoch == 2


async def test_a_successor_finishes_what_was_left_behind() -> None:
    ledger = MemoryLedger()
    first = House(ledger, lease=0.6)
    first.platform.slow["fast"] = 60.0
    async with running(first):
        await first.decide("left", "behind", "hidden", kind=Kind.REPLY)
        await first.until(lambda: first.state("left")[0] is State.SENDING)
        for task in [task for task in asyncio.all_tasks() if task.get_name() == "send"]:
            task.cancel()  # as if the process had died
    second = House(ledger, lease=0.6)
    second.platform.listed |= {"left": [], "behind": [Sight("b", SystemClock().now().timestamp())], "hidden": []}
    async with running(second):
        await second.reaches("left", State.PARKED, Reason.UNKNOWN_OUTCOME)
        await second.reaches("behind", State.POSTED)
    assert second.platform.calls == []
