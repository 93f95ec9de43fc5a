"""A fact counts once, however often and in whatever company it arrives."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from antiphon.errors import Transient
from antiphon.telemetry import Telemetry
from antiphon.testing import FakeClock
from metrics.adapters.telemetry import PrometheusCounters
from metrics.domain.facts import DecisionFact, EventFact, Fact
from metrics.service import Marker, RecordService
from metrics.testing import MemoryFacts, MemoryHours, MemoryNames

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(number: int) -> EventFact:
    return EventFact(
        event_id=f"e{number}",
        brand="acme",
        platform="facebook",
        channel="main",
        kind="comment",
        verb="create",
        echo=False,
        event_time=NOON,
        received_time=NOON,
    )


def decision(number: int, outcome: str) -> DecisionFact:
    return DecisionFact(
        event_id=f"e{number}",
        brand="acme",
        platform="facebook",
        channel="main",
        kind="comment",
        verb="create",
        echo=False,
        event_time=NOON,
        received_time=NOON,
        decided_time=NOON,
        outcome=outcome,
        reason="none",
        rules=(),
        actions=(),
    )


class FailingOnce(MemoryFacts):
    """Records decisions only at the second try, as a store in an election does."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = False

    @override
    async def add(self, facts: Sequence[Fact]) -> set[str]:
        if isinstance(facts[0], DecisionFact) and not self.failed:
            self.failed = True
            raise Transient("no primary")
        return await super().add(facts)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("metrics")


def recording(store: MemoryFacts, telemetry: Telemetry) -> RecordService:
    marker = Marker(hours=MemoryHours(), clock=FakeClock(), settle_s=30)
    return RecordService(store=store, marker=marker, names=MemoryNames(), counters=PrometheusCounters(telemetry))


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(f"antiphon_metrics_{name}", labels)


async def test_repeats_inside_a_batch_and_between_batches_are_counted_as_such(telemetry: Telemetry) -> None:
    service = recording(MemoryFacts(), telemetry)
    await service.record([event(1), event(2), event(1)])
    await service.record([event(2), event(3)])
    assert value(telemetry, "events_total", platform="facebook", kind="comment") == 3
    assert value(telemetry, "duplicates_total", fact="event") == 2
    assert value(telemetry, "duplicates_total", fact="decision") == 0


async def test_an_event_and_its_decision_share_an_id_and_do_not_hide_each_other(telemetry: Telemetry) -> None:
    service = recording(MemoryFacts(), telemetry)
    await service.record([event(1), decision(1, "acted")])
    assert value(telemetry, "events_total", platform="facebook", kind="comment") == 1
    assert value(telemetry, "decisions_total", outcome="acted") == 1


async def test_the_first_decision_on_an_event_stays(telemetry: Telemetry) -> None:
    service = recording(MemoryFacts(), telemetry)
    await service.record([decision(1, "no_match"), decision(1, "acted")])
    await service.record([decision(1, "acted")])
    assert value(telemetry, "decisions_total", outcome="no_match") == 1
    assert value(telemetry, "decisions_total", outcome="acted") == 0


async def test_a_batch_that_failed_half_way_is_repeated_without_counting_twice(telemetry: Telemetry) -> None:
    service = recording(FailingOnce(), telemetry)
    batch: list[Fact] = [event(1), decision(1, "acted")]
    with pytest.raises(Transient):
        await service.record(batch)
    await service.record(batch)
    assert value(telemetry, "events_total", platform="facebook", kind="comment") == 1
    assert value(telemetry, "decisions_total", outcome="acted") == 1
