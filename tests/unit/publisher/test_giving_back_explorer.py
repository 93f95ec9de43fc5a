"""Wherever a worker dies between consuming a limit, sending and giving back, no limit is ever exceeded."""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from publisher.adapters.memory import MemoryLedger, MemoryLimits
from publisher.domain.calls import Denied, Done, Outcome, Unclear, Untouched
from publisher.domain.changes import (
    LeaseOver,
    Seen,
    SendAgain,
    Unseen,
)
from publisher.domain.limits import Consumed
from publisher.domain.model import Reason, State
from publisher.ports import Saving

NAMES = ("one", "two", "three")


class Killed(BaseException):
    """SIGKILL."""


class Fuse:
    """Counts steps and ends the process at one of them."""

    def __init__(self, dies_at: int = 0) -> None:
        self.dies_at, self.steps = dies_at, 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Killed


class FusedLedger(MemoryLedger):
    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    @override
    async def save(self, savings: Sequence[Saving]) -> Sequence[bool]:
        self._fuse.step()
        result = await super().save(savings)
        self._fuse.step()
        return result


class FusedLimits(MemoryLimits):
    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    @override
    async def write(self, key: str, consumed: Consumed) -> bool:
        self._fuse.step()
        result = await super().write(key, consumed)
        self._fuse.step()
        return result


FATES: Sequence[tuple[Outcome, bool]] = (
    (Done("id"), True), (Denied(Reason.PERMISSION, ""), False), (Untouched("connect"), False), (Unclear("reset"), True),
    (Unclear("reset"), False),
)  # fmt: skip


async def life(stage: Any, fates: dict[str, tuple[Outcome, bool]], again: set[str]) -> None:
    """Look after every entry until all are at rest; what failed and is in `again`, a person has sent once more."""
    for _ in range(60):
        stage.clock.advance(1_000.0)
        moving = [one for one in stage.ledger.entries.values() if one.position.state in {State.NEW, State.SENDING, State.UNKNOWN}]
        for one in moving:
            name = one.order.target
            if one.position.state is State.NEW:
                fate, applied = fates[name]
                await stage.send(name, fate, applied=applied)
            elif one.position.state is State.SENDING:
                await stage.moves.apply(one, LeaseOver())
            else:
                await stage.moves.apply(one, Seen("id") if one.order.event_id in stage.applied else Unseen())
        failed = [name for name in sorted(again) if stage.now(name).position.state is State.FAILED]
        for name in failed:
            again.discard(name)
            fates[name] = FATES[0]
            await stage.moves.apply(stage.now(name), SendAgain("k"))
        if not moving and not failed:
            return
    raise AssertionError("the entries do not come to rest")


async def run(make: Any, course: tuple[tuple[Outcome, bool], ...], dies_at: int, *, sent_again: bool) -> tuple[Any, int]:
    fuse, names = Fuse(dies_at), NAMES[: len(course)]
    stage = make(FusedLedger(fuse), FusedLimits(fuse), fuse.step)
    await stage.add(*(stage.entry(name) for name in names))
    fates, again = dict(zip(names, course, strict=True)), {names[0]} if sent_again else set()
    for _ in range(2):
        try:
            await life(stage, fates, again)
        except Killed:
            continue
        break
    return stage, fuse.steps


async def test_wherever_a_worker_dies_no_limit_is_exceeded(limited_stage: Any) -> None:
    totals: Counter[str] = Counter()
    for course in itertools.product(FATES, repeat=2):
        for sent_again in (False, True):
            _, steps = await run(limited_stage, course, 0, sent_again=sent_again)
            for dies_at in range(1, steps + 1):
                stage, _ = await run(limited_stage, course, dies_at, sent_again=sent_again)
                applied = set(stage.applied)
                assert len(applied) <= limited_stage.LIMIT.at_most, (course, dies_at, sent_again)
                assert applied <= await stage.consumed(), (course, dies_at, sent_again)
                totals += Counter(runs=1, used=len(applied), leaked=len(await stage.consumed() - applied))
    print("limits, killed anywhere:", dict(totals))
    assert totals["runs"] > 500
    assert totals["leaked"] > 0, "some deaths must leave a limit consumed; without any the kills come at the wrong places"


async def test_undisturbed_nothing_is_lost_either(limited_stage: Any) -> None:
    """Whatever definitely came to nothing leaves the limit to the next; what is tried again holds it meanwhile."""
    for course in itertools.product(FATES, repeat=3):
        stage, _ = await run(limited_stage, course, 0, sent_again=False)
        standing = [(name, fate) for name, (fate, _) in zip(NAMES, course, strict=True) if not isinstance(fate, Denied)]
        holder = {f"e-{name}" for name, fate in standing[:1] if not isinstance(fate, Untouched)}
        assert await stage.consumed() == holder, course
