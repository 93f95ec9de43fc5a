"""The guard tells of a crisis and of its own delay: from the statement that tipped the scale to the record on the topic."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from antiphon.telemetry import Telemetry
from antiphon.testing import FakeClock
from rules.adapters.guard_telemetry import GuardMetrics
from rules.domain.guard.counts import Heard
from rules.domain.guard.repeats import Repeats
from rules.domain.guard.severity import Terms
from rules.domain.guard.watch import Watch, Watched
from rules.guarding import GuardService
from rules.holds import Alarm

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LAST_SAID = NOW.timestamp() - 8
HEARD = [
    Heard(0, number, f"e{number}", "acme", "facebook", LAST_SAID - 60 * (59 - number) / 59, negative=True, root="post")
    for number in range(60)
]


class Over(Exception):
    """Everything there was to read has been worked on."""


class MemoryStore:
    """Keeps what was saved."""

    def __init__(self) -> None:
        self.watch = Watch()

    async def load(self) -> tuple[Watch, dict[int, int]]:
        return self.watch, {}

    async def save(self, watched: Watched, as_of: float) -> None:
        """Forget it."""

    async def save_repeats(self, partition: int, repeats: Repeats) -> None:
        """Forget it."""

    async def save_head(self, next_offsets: Mapping[int, int]) -> None:
        """Forget it."""


class OwnLease:
    """Nobody else wants it."""

    async def take(self, now: datetime) -> bool:
        return True

    async def give_back(self) -> None:
        """Nobody takes it."""


class ListReader:
    """Reads one batch."""

    positions: Mapping[int, int] = {}

    def __init__(self, take: Callable[[Sequence[object]], Awaitable[None]]) -> None:
        self._take, self._batch = take, HEARD

    async def start(self, next_offsets: Mapping[int, int]) -> None:
        """Be ready."""

    async def step(self) -> bool:
        if not self._batch:
            raise Over
        batch, self._batch = self._batch, []
        await self._take(batch)
        return True

    async def stop(self) -> None:
        """Nothing is open."""


class SlowAlarms:
    """Takes three seconds to publish; `live`: whether the topic has it then."""

    def __init__(self, clock: FakeClock, *, live: bool) -> None:
        self._clock, self._live = clock, live
        self.told: list[Alarm] = []

    async def alarm(self, alarm: Alarm) -> bool:
        self._clock.advance(3)
        self.told.append(alarm)
        return self._live


async def guarded(*, live: bool) -> tuple[Sequence[Alarm], Telemetry]:
    """Return what was told, and the metrics."""
    clock, telemetry = FakeClock(NOW), Telemetry("rules")
    alarms = SlowAlarms(clock, live=live)
    service = GuardService(
        store=MemoryStore(),
        lease=OwnLease(),
        reader=ListReader,
        terms=lambda _: Terms(),
        alarms=alarms,
        meter=GuardMetrics(telemetry),
        clock=clock,
        look_seconds=0.0,
        save_seconds=60.0,
        lease_seconds=30.0,
    )
    with pytest.raises(Over):
        await service.run()
    return alarms.told, telemetry


def measured(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(f"antiphon_rules_guard_{name}", labels)


async def test_the_delay_of_a_hold_goes_from_the_last_statement_to_the_topic() -> None:
    told, telemetry = await guarded(live=True)
    assert [alarm.hold for alarm in told] == [True]
    assert measured(telemetry, "alarms_total", level="hold") == 1
    assert measured(telemetry, "delay_seconds_count", level="hold") == 1
    assert measured(telemetry, "delay_seconds_sum", level="hold") == 8 + 3
    assert measured(telemetry, "delay_seconds_count", level="notice") == 0


async def test_what_the_topic_takes_later_or_had_before_has_no_delay() -> None:
    told, telemetry = await guarded(live=False)
    assert len(told) == 1
    assert measured(telemetry, "alarms_total", level="hold") == 1
    assert measured(telemetry, "delay_seconds_count", level="hold") == 0
