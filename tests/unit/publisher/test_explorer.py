"""Every course that one reply can take, enumerated: where the worker dies or freezes, what the platform does, redelivery.

The real protocol functions are driven, in a world of integers: a platform without idempotency keys, a durable ledger
with compare-and-set, workers that die between any two steps. Promises: never two effects; never an action that ends
without an effect and without a person being told.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

import pytest

from publisher.domain.changes import (
    Accepted,
    Change,
    Claim,
    LeaseOver,
    Lost,
    NotSent,
    Refused,
    Seen,
    Timing,
    Unseen,
)
from publisher.domain.machine import fresh, may_write, step
from publisher.domain.model import TOLD, Kind, Mode, Order, Position, Reason, State

TIMING = Timing(lease=8, settle=20, later_reads=(40, 80), max_attempts=3, retry_first=1, retry_longest=2)
HTTP_TIMEOUT = 3
FOREVER = 10_000

ORDER = Order(
    action_id="a", event_id="e", brand="b", platform="facebook", account="p", channel="c", target="t", parent="", root="r",
    author="u", event_kind="comment", verb="create", rule_id="x", rule_version=1, kind=Kind.REPLY, mode=Mode.AUTO,
    not_before=0, expires=FOREVER, event_time=0, received_time=0,
)  # fmt: skip


class Fate(Enum):
    """What the platform makes of one POST."""

    OK = "ok"
    REJECT = "reject"
    TURNED_AWAY = "turned away"
    TIMEOUT_APPLIED = "timeout, applied"
    TIMEOUT_LOST = "timeout, never applied"
    TIMEOUT_LATE = "timeout, applied late"


class Killed(Exception):
    """SIGKILL."""


@dataclass
class World:
    """Time, the platform and the ledger. `lateness` and `visibility` in ticks."""

    fates: Iterator[Fate]
    lateness: int
    visibility: int
    dies_at: int
    sleeps_at: int = 0
    nap: int = 0
    now: int = 0
    steps: int = 0
    stored: Position | None = None
    applied: list[int] = field(default_factory=list)
    asleep: Callable[[], None] | None = None

    def tick(self) -> None:
        """A moment at which a worker may die, or freeze while another one works."""
        self.steps += 1
        self.now += 1
        if self.steps == self.dies_at:
            raise Killed
        if self.steps == self.sleeps_at and self.asleep is not None:
            meanwhile, self.asleep = self.asleep, None
            until = self.now + self.nap
            meanwhile()
            self.now = max(self.now, until)

    def save(self, before: Position, change: Change) -> Position | None:
        """Compare-and-set through the real protocol."""
        self.tick()
        moved = step(before, change, self.now, TIMING)
        if moved is None or self.stored != before:
            return None
        self.stored = moved
        self.tick()
        return moved

    def post(self, epoch: int) -> Change:
        """One POST and what the client makes of it."""
        fate = next(self.fates, Fate.OK)
        if fate in {Fate.OK, Fate.TIMEOUT_APPLIED}:
            self.applied.append(self.now)
        elif fate is Fate.TIMEOUT_LATE:
            self.applied.append(self.now + self.lateness)
        self.tick()
        return {
            Fate.OK: Accepted(epoch, "id"),
            Fate.REJECT: Refused(epoch, Reason.PERMISSION),
            Fate.TURNED_AWAY: NotSent(epoch),
        }.get(fate, Lost(epoch))

    def visible(self) -> bool:
        return any(at + self.visibility <= self.now for at in self.applied)


def insert(world: World) -> None:
    """The consumer: an intent that is there already stays as it is."""
    world.tick()
    if world.stored is None:
        world.stored = fresh(ORDER, "hello", world.now)
    world.tick()


def send(world: World, claimant: str) -> None:
    """The sender's way, as in `Sender.prepare` and `Sender._send`: claim, deadline check, POST, save the outcome."""
    before = world.stored
    assert before is not None
    deadline = world.now + TIMING.lease
    claimed = world.save(before, Claim(claimant))
    if claimed is None:
        return
    world.tick()
    if not may_write(deadline, world.now, HTTP_TIMEOUT):
        outcome: Change = NotSent(claimed.epoch, "too late", 0.0, counts=False)
    else:
        world.tick()
        outcome = world.post(claimed.epoch)
    at: Position | None = claimed
    while at is not None and world.save(at, outcome) is None:
        at = world.stored if step(world.stored or at, outcome, world.now, TIMING) else None


def look_after(world: World, claimant: str) -> None:
    """Sweep and reconciler until nothing is left to do by itself."""
    for _ in range(200):
        at = world.stored
        assert at is not None
        if at.state is State.NEW:
            world.now = max(world.now, int(at.next_at))
            send(world, claimant)
        elif at.state is State.SENDING:
            world.now = max(world.now, int(at.deadline))
            world.save(at, LeaseOver())
        elif at.state is State.UNKNOWN or (at.state is State.PARKED and at.verify_at is not None):
            world.now = max(world.now, int(at.verify_at or 0))
            world.save(at, Seen("id") if world.visible() else Unseen())
        else:
            return
    raise AssertionError("the protocol does not come to rest")


def life(world: World, *, redelivered: bool, send_as: Callable[[World, str], None] = look_after) -> None:
    """A worker's life and, after its death, its successor's; the command may come again."""
    for name in ("first", "second", "third"):
        try:
            insert(world)
            if redelivered:
                insert(world)
            send_as(world, name)
        except Killed:
            world.now += 1
        else:
            return


def courses() -> Iterator[tuple[tuple[Fate, ...], int, int, int, bool]]:
    """Fates of up to three POSTs × lateness × visibility × kill position (0: none) × redelivery."""
    return itertools.product(
        itertools.product(Fate, repeat=2), (2, 15, 500), (0, 3, 30), range(22), (False, True)
    )  # fmt: skip


def count(send_as: Callable[[World, str], None]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for fates, lateness, visibility, dies_at, redelivered in courses():
        world = World(iter(fates), lateness, visibility, dies_at)
        life(world, redelivered=redelivered, send_as=send_as)
        totals += judge(world)
    return totals


def judge(world: World) -> Counter[str]:
    at = world.stored
    assert at is not None
    effects = len(world.applied)
    told_as_posted = at.state is State.POSTED
    return Counter(
        runs=1,
        doubles=effects > 1,
        lost=(effects == 0 and told_as_posted) or at.state not in TOLD or at.sequence == 0,
        parked=at.state is State.PARKED,
        parked_though_posted=at.state is State.PARKED and effects == 1,
        failed_though_posted=at.state is State.FAILED and effects > 0,
    )


def naive(world: World, claimant: str) -> None:
    """What many do: a mark after the call, and another try whenever no answer came."""
    del claimant
    for _ in range(3):
        at = world.stored
        assert at is not None
        if at.state is State.POSTED:
            return
        outcome = world.post(at.epoch)
        if isinstance(outcome, Accepted):
            world.stored = step(at, Accepted(at.epoch, "id"), world.now, TIMING)
            world.tick()
            return
        world.tick()


def test_no_course_doubles_or_loses() -> None:
    totals = count(look_after)
    print("one worker, killed anywhere:", dict(totals))
    assert totals["runs"] == len(list(courses())) >= 14_000
    assert totals["doubles"] == 0
    assert totals["lost"] == 0
    assert totals["failed_though_posted"] == 0
    assert totals["parked"] > 0, "some outcomes can only be left to a person; without any the world is too kind"


def test_the_explorer_catches_a_naive_sender() -> None:
    totals = count(naive)
    print("naive:", dict(totals))
    assert totals["doubles"] > 1_000


def at_most_once(world: World, claimant: str) -> None:
    """The other temptation: a mark before the call, and whatever comes of it is never looked at."""
    at = world.stored
    assert at is not None
    claimed = world.save(at, Claim(claimant)) if at.state is State.NEW else None
    if claimed is not None:
        outcome = world.post(claimed.epoch)
        if isinstance(outcome, Accepted):
            world.save(claimed, outcome)


def test_the_explorer_catches_a_forgetful_sender() -> None:
    totals = count(at_most_once)
    print("marked before, never looked at:", dict(totals))
    assert totals["doubles"] == 0
    assert totals["lost"] > 1_000


def frozen_courses() -> Iterator[tuple[Fate, int, int, int, int]]:
    """Fate × where the worker freezes × for how long × lateness × visibility."""
    return itertools.product(Fate, range(1, 14), (1, 4, 6, 9, 25, 60, 300), (2, 15, 500), (0, 3, 30))


def run_frozen(successor: Callable[[World, str], None], fate: Fate, at: int, nap: int, late: int, visible: int) -> World:
    world = World(iter((fate, fate)), late, visible, dies_at=0, sleeps_at=at, nap=nap)

    def meanwhile() -> None:
        # The others see the lease only while the sleeper sleeps; what it left unfinished they take over.
        if world.stored is not None and world.stored.state is State.SENDING and world.now + nap >= world.stored.deadline:
            successor(world, "other")

    world.asleep = meanwhile
    life(world, redelivered=True)
    return world


def test_a_worker_that_wakes_after_its_takeover_changes_nothing() -> None:
    totals: Counter[str] = Counter()
    for course in frozen_courses():
        totals += judge(run_frozen(look_after, *course))
    print("frozen worker, taken over:", dict(totals))
    assert totals["doubles"] == 0
    assert totals["lost"] == 0


def test_a_successor_that_sends_again_would_double() -> None:
    """The same worlds with the tempting rule: not seen, so send again."""

    def resend(world: World, claimant: str) -> None:
        at = world.stored
        assert at is not None
        world.now = max(world.now, int(at.deadline))
        if not world.visible():
            world.stored = step(at, NotSent(at.epoch, "guessed", 0.0), world.now, TIMING)
        look_after(world, claimant)

    totals: Counter[str] = Counter()
    for course in frozen_courses():
        totals += judge(run_frozen(resend, *course))
    print("frozen worker, sent again:", dict(totals))
    assert totals["doubles"] > 0


@pytest.mark.parametrize("late_by", [0, 1, 7])
def test_the_deadline_check_keeps_an_early_waker_from_writing(late_by: int) -> None:
    assert may_write(100.0, 100.0 - HTTP_TIMEOUT - 1, HTTP_TIMEOUT)
    assert not may_write(100.0, 100.0 - HTTP_TIMEOUT + late_by, HTTP_TIMEOUT)
