"""Buckets follow their records: whatever comes between, a mark is never lost, and no older bucket replaces a newer one."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from antiphon.testing import FakeClock
from metrics.building import BuildService
from metrics.domain.cascade import Cascade
from metrics.domain.facts import DecisionFact, Fact, Said
from metrics.domain.hour import ident
from metrics.domain.periods import Scope, floor
from metrics.domain.reports.ewom import PARTS, ewom
from metrics.reading import Reader
from metrics.service import Marker
from metrics.testing import MemoryFacts, MemoryHours, MemoryTrees

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Scope(frozenset({"acme"}), NOON, NOON + timedelta(days=1))
SETTLE_S = 30.0


def comment(number: int, parent: str = "post", *, verb: str = "create", about: str = "") -> DecisionFact:
    return DecisionFact(
        event_id=f"e{number}", brand="acme", platform="facebook", channel="main", kind="comment", verb=verb, echo=False,
        event_time=NOON + timedelta(minutes=number), received_time=None, decided_time=None, outcome="no_match", reason="none",
        rules=(), actions=(), said=Said(object=about or f"c{number}", parent=parent, root="post"),
    )  # fmt: skip


class Rig:
    """A consumer's writes and a builder over one memory, with a clock of their own."""

    def __init__(self, facts: MemoryFacts | None = None) -> None:
        self.clock = FakeClock()
        self.facts = facts or MemoryFacts()
        self.hours, self.trees = MemoryHours(), MemoryTrees()
        self.marker = Marker(hours=self.hours, clock=self.clock, settle_s=SETTLE_S)
        self.builder = self.another_builder()

    def another_builder(self) -> BuildService:
        return BuildService(facts=self.facts, hours=self.hours, trees=self.trees, clock=self.clock, settle_s=SETTLE_S)

    async def write(self, *facts: Fact, seconds: float = 0) -> None:
        hours = {(fact.brand, floor(fact.event_time)) for fact in facts}
        begun = await self.marker.before(hours)
        self.clock.advance(seconds)
        await self.facts.add(facts)
        await self.marker.after(hours, begun)

    async def settle(self, *builders: BuildService) -> int:
        for builder in builders or [self.builder]:
            await builder.build_settled()
        self.clock.advance(SETTLE_S)
        return sum([await builder.build_settled() for builder in builders or [self.builder]])

    async def volume(self) -> int:
        pieces = await Reader(facts=self.facts, hours=self.hours).pieces(DAY, [], PARTS)
        return ewom([piece.hour for piece in pieces]).all.volume


async def test_an_hour_is_built_when_it_has_rested_and_a_report_is_right_before_and_after() -> None:
    rig = Rig()
    await rig.write(comment(1), comment(2))
    assert (await rig.builder.build_settled(), await rig.volume()) == (0, 2)
    assert (await rig.settle(), await rig.volume(), await rig.hours.marks()) == (1, 2, [])
    await rig.write(comment(3))
    assert await rig.volume() == 3
    assert (await rig.settle(), await rig.volume()) == (1, 3)


async def test_a_write_that_took_long_raises_its_marks_again() -> None:
    rig = Rig()
    await rig.write(comment(1))
    [before] = await rig.hours.marks()
    await rig.write(comment(2), seconds=SETTLE_S / 3 - 1)
    assert await rig.hours.marks() == [before]  # one mark covers what is written within a third
    await rig.write(comment(3), seconds=SETTLE_S)
    assert await rig.hours.marks() != [before]


class LateWrite(MemoryFacts):
    """Something is written right after a builder has read."""

    rig: "Rig | None" = None

    @override
    async def records(self, scope: Scope) -> list[Fact]:
        found = await super().records(scope)
        if self.rig:
            rig, self.rig = self.rig, None
            await rig.hours.raise_marks([("acme", NOON)], "late")
            await self.add([comment(9)])
        return found


async def test_what_is_written_while_an_hour_is_built_keeps_its_mark() -> None:
    facts = LateWrite()
    rig = Rig(facts)
    await rig.write(comment(1))
    facts.rig = rig
    await rig.settle()
    assert [mark.token for mark in await rig.hours.marks()] == ["late"]
    assert await rig.volume() == 2
    await rig.settle()
    assert (await rig.volume(), await rig.hours.marks()) == (2, [])


class SlowBuilder(MemoryFacts):
    """While one builder has read and not written, another one builds newer records."""

    between: Any = None

    @override
    async def records(self, scope: Scope) -> list[Fact]:
        found = await super().records(scope)
        if self.between:
            between, self.between = self.between, None
            await between()
        return found


async def test_a_slow_builder_does_not_replace_what_a_quicker_one_built_meanwhile() -> None:
    facts = SlowBuilder()
    rig = Rig(facts)
    other = rig.another_builder()
    await rig.write(comment(1))

    async def overtake() -> None:
        await facts.add([comment(2)])
        await rig.hours.raise_marks([("acme", NOON)], "newer")
        for mark in await rig.hours.marks():
            await other.build(mark)

    facts.between = overtake
    await rig.settle()
    assert (await rig.volume(), await rig.hours.marks()) == (2, [])


async def test_trees_grow_over_hours_shuffled_by_two_builders_and_forgetful_ones(rng: random.Random) -> None:
    facts = [comment(number, f"c{rng.randrange(number)}" if number % 3 else "post") for number in range(1, 300)]
    facts += [comment(1_000 + number, verb="delete", about=f"c{number}") for number in range(5, 300, 11)]
    right = Cascade(ident("post"))
    for fact in facts:
        if fact.verb == "create":
            right.add(ident(fact.said.object), ident(fact.said.parent))
        else:
            right.delete(ident(fact.said.object))
    rng.shuffle(facts)
    rig = Rig()
    first, second = rig.another_builder(), rig.another_builder()
    for start in range(0, len(facts), 40):
        batch: Sequence[Fact] = facts[start : start + 40]
        await rig.write(*batch)
        await rig.settle(*rng.sample([first, second, rig.another_builder()], 2))
    [tree] = await rig.trees.largest(DAY, 5)
    shape = right.shape()
    assert (tree.size, tree.depth, tree.breadth, tree.waiting) == (shape.size, shape.depth, shape.breadth, shape.waiting)
    assert tree.virality == shape.virality
