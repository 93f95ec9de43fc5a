"""What waits for people is counted over all brands and shown by platform."""

from dataclasses import replace

from antiphon.clock import SystemClock
from antiphon.telemetry import Telemetry
from publisher.adapters import counting
from publisher.adapters.memory import MemoryLedger
from publisher.adapters.telemetry import PublisherMeter
from publisher.domain.machine import fresh
from publisher.domain.model import Entry, Kind, Mode, Order, State

NOW = 1_800_000_000.0


def entry(name: str, brand: str, platform: str, state: State) -> Entry:
    order = Order(
        action_id=name, event_id=name, brand=brand, platform=platform, account="p", channel="main", target=name, parent="",
        root="r", author="u", event_kind="comment", verb="create", rule_id="rule", rule_version=1, kind=Kind.REPLY,
        mode=Mode.APPROVAL, not_before=0.0, expires=NOW + 60, event_time=NOW, received_time=NOW,
    )  # fmt: skip
    return Entry(order, replace(fresh(order, "hello", NOW), state=state))


def shown(telemetry: Telemetry, platform: str) -> float | None:
    return telemetry.registry.get_sample_value("antiphon_publisher_waiting_approval", {"platform": platform})


async def test_the_gauges_say_what_waits_now() -> None:
    ledger, telemetry = MemoryLedger(), Telemetry("publisher")
    meter = PublisherMeter(telemetry, SystemClock())
    waiting = [
        entry("a", "acme", "facebook", State.WAITING_APPROVAL),
        entry("b", "bolt", "facebook", State.WAITING_APPROVAL),
        entry("c", "bolt", "youtube", State.WAITING_APPROVAL),
    ]
    parked = entry("d", "acme", "instagram", State.PARKED)
    await ledger.insert([*waiting, parked, entry("e", "gone", "facebook", State.WAITING_APPROVAL)], 0)
    await counting.count(ledger, ["acme", "bolt"], meter)
    assert [shown(telemetry, platform) for platform in ("facebook", "instagram", "other")] == [2, 0, 1]
    assert telemetry.registry.get_sample_value("antiphon_publisher_parked") == 1

    ledger.entries = {"a": waiting[0]}
    await counting.count(ledger, ["acme", "bolt"], meter)
    assert [shown(telemetry, platform) for platform in ("facebook", "instagram", "other")] == [1, 0, 0]
    assert telemetry.registry.get_sample_value("antiphon_publisher_parked") == 0
