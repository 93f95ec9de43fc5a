"""A worker without the outside: lanes, sender, outbox and sweep together, on stores in memory and scripted outlets."""

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
from antiphon.testing import FakeClock
from publisher.adapters.memory import FreeTokens, MemoryChannels, MemoryLedger, MemoryLimits, MemorySecrets, MemoryThreads
from publisher.adapters.memory_entries import MemoryEntries
from publisher.adapters.telemetry import PublisherMeter
from publisher.domain.admission import BrandPolicy
from publisher.domain.calls import Answer, Deed, Denied, Done, Listing, Outcome, Rate, Sight, Untouched
from publisher.domain.changes import Accepted, Change, Claim, Lost, NotSent, Refused, Suppress, Timing
from publisher.domain.entries.rights import Cleared
from publisher.domain.machine import fresh
from publisher.domain.model import Decided, Entry, Kind, Limit, Mode, Order, Reason, Scope, State, Told
from publisher.ports import Announcer, Channel, Platform, Policies
from publisher.service.entries.clearing import Clearing
from publisher.service.intake import Intake
from publisher.service.lanes import Lanes
from publisher.service.moves import Moves
from publisher.service.outbox import Outbox
from publisher.service.quotas import Quotas
from publisher.service.reconciler import Reconciler
from publisher.service.sender import Sender
from publisher.service.sightings import Sightings
from publisher.service.sweep import Sweep


class Scripted(Platform):
    """Does what it is told for a target, else posts; remembers every call."""

    kinds = frozenset(Kind)
    repeatable = frozenset({Kind.HIDE, Kind.NOTIFY})
    listable = frozenset({Kind.REPLY})

    def __init__(self, name: str = "facebook") -> None:
        self.name = name
        self.deeds: list[tuple[Channel, Deed]] = []
        self.calls: list[str] = []
        self.shown: list[tuple[str, Cleared]] = []
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
        self.deeds.append((channel, deed))
        self._running[channel.channel] += 1
        self.most_at_once[channel.channel] = max(self.most_at_once[channel.channel], self._running[channel.channel])
        await asyncio.sleep(self.slow.get(channel.channel, 0.0))
        self._running[channel.channel] -= 1
        found = self.answers[deed.target].pop(0) if self.answers[deed.target] else Done(f"id-{deed.target}")
        return found if isinstance(found, Answer) else Answer(found)

    @override
    async def feature(self, channel: Channel, deed: Deed, media: Sequence[Cleared]) -> Answer:
        self.shown += [(deed.target, one) for one in media]
        return await self.act(channel, deed)

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
        self.entries = MemoryEntries()
        self.tokens, self.threads, self.limits, self.secrets = FreeTokens(), MemoryThreads(), MemoryLimits(), MemorySecrets()
        channels = [Channel("b", name, "facebook", "p-" + name, SecretStr("t"), generation=1) for name in ("fast", "slow")]
        self.channels = MemoryChannels(*channels)
        shared: dict[str, Any] = {"clock": clock, "timing": Timing(**{"settle": 0.2, "retry_first": 0.05, **timing})}
        points: dict[str, Any] = {"failpoint": lambda _: None}
        self.telemetry = Telemetry("publisher")
        meter = PublisherMeter(self.telemetry, clock)
        self.receiver = Scripted("webhook")
        platforms: dict[str, Platform] = {"facebook": self.platform, "webhook": self.receiver}
        self.outbox = Outbox(ledger=ledger, announcer=self.heard, meter=meter, **points)
        quotas = Quotas(self.limits)
        moves = Moves(ledger=ledger, quotas=quotas, tell=self.outbox.tell, **shared)
        self.sightings = Sightings(ledger=ledger, threads=self.threads, moves=moves, meter=meter)
        sender = Sender(
            ledger=ledger, threads=self.threads, quotas=quotas, channels=self.channels, secrets=self.secrets,
            tokens=self.tokens, policies=self.policies, platforms=platforms, rights=Clearing(self.entries, clock),
            moves=moves, meter=meter, remember=self.sightings.remember, http_timeout=0.5, **shared, **points,
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

    @staticmethod
    def new_ledger() -> MemoryLedger:
        """A ledger that several houses may share."""
        return MemoryLedger()

    @staticmethod
    def now() -> float:
        """Unix seconds."""
        return SystemClock().now().timestamp()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["House"]:
        """Run the worker's parts."""
        tasks = [asyncio.ensure_future(part.run()) for part in self.parts]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def decided(self, target: str, channel: str = "fast", **more: Any) -> Decided:
        """A decision on a comment, with one action."""
        return decided(target, channel, **more)

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


class LimitedStage:
    """Ledger, limits and what moves entries, without lanes; the tests play the outside. `step` is hit around each call."""

    LIMIT = Limit(Scope.RULE, 1, 3_600.0)
    KEY = "b/rule/r"

    def __init__(
        self, ledger: MemoryLedger | None = None, limits: MemoryLimits | None = None, step: Callable[[], None] = lambda: None
    ) -> None:
        self.clock, self.step = FakeClock(), step
        self.ledger, self.limits = ledger or MemoryLedger(), limits or MemoryLimits()
        self.quotas = Quotas(self.limits)
        timing = Timing(max_attempts=2)
        self.moves = Moves(ledger=self.ledger, quotas=self.quotas, clock=self.clock, timing=timing, tell=lambda _: None)
        self.applied: list[str] = []

    @staticmethod
    def entry(name: str, kind: Kind = Kind.REPLY, limits: Sequence[Limit] | None = None, event: str = "") -> Entry:
        order = Order(
            action_id="a-" + name, event_id="e-" + (event or name), brand="b", platform="facebook", account="p", channel="c",
            target=name, parent="", root="post", author="u", event_kind="comment", verb="create", rule_id="r", rule_version=1,
            kind=kind, mode=Mode.AUTO, not_before=0, expires=1e12, event_time=0, received_time=0,
            limits=tuple([LimitedStage.LIMIT] if limits is None else limits),
        )  # fmt: skip
        return Entry(order, fresh(order, "hello", 0))

    def now(self, name: str) -> Entry:
        return self.ledger.entries["a-" + name]

    async def add(self, *entries: Entry) -> None:
        await self.ledger.insert(entries, 0.0)

    async def change(self, name: str, *changes: Change) -> State:
        for change in changes:
            assert await self.moves.apply(self.now(name), change) is not None, change
        return self.now(name).position.state

    async def consumed(self) -> set[str]:
        return set((await self.limits.read(self.KEY)).events)

    async def send(self, name: str, fate: Outcome, *, applied: bool) -> None:
        """The sender's way: consume, claim, call, save."""
        before = self.now(name)
        if full := await self.quotas.full([before]):
            await self.moves.apply_all([(before, Suppress(Reason.LIMIT, full[before.order.action_id]))])
            return
        (claimed,) = await self.moves.apply_all([(before, Claim("w"))])
        if claimed is None:
            return
        self.step()
        if applied:
            self.applied.append(before.order.event_id)
        self.step()
        await self.moves.apply(claimed, outcome(claimed, fate))


def outcome(claimed: Entry, fate: Outcome) -> Change:
    epoch = claimed.position.epoch
    match fate:
        case Done(name):
            return Accepted(epoch, name)
        case Denied(reason):
            return Refused(epoch, reason)
        case Untouched():
            return NotSent(epoch)
        case _:
            return Lost(epoch)


@pytest.fixture
def limited_stage() -> type[LimitedStage]:
    """For tests of limits, which give it stores of their own."""
    return LimitedStage


@pytest.fixture
def make_house() -> type[House]:
    """For tests that need a ledger or timing of their own."""
    return House


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House(MemoryLedger()).running() as found:
        yield found
