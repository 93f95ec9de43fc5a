"""Events, decisions and deliveries become a report; garbage is put aside; repeats, kills and outages change no total."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from antiphon.times import to_timestamp
from antiphon.topics import DECISIONS, DELIVERIES, EVENTS, dead_letters_of
from antiphon.v1 import decision_pb2, delivery_pb2, event_pb2
from antiphon.v1.decision_pb2 import Action, Decision, RuleOutcome
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.event_pb2 import Author, Event

pytestmark = pytest.mark.local

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PERIOD = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
COUNT = 60
"""Events: every third is answered, every twelfth answer is parked first, the last event has no decision."""

Sent = list[tuple[str, bytes, bytes]]


def a_day(brand: str) -> Sent:
    sent: Sent = []
    for number in range(COUNT):
        moment = START + timedelta(minutes=number)
        key = f"{brand}/{author(number)}".encode()
        common: dict[str, Any] = {
            "brand": brand,
            "platform": event_pb2.PLATFORM_FACEBOOK,
            "channel": "main",
            "event_time": to_timestamp(moment),
            "received_time": to_timestamp(moment + timedelta(seconds=1)),
        }
        kinds: dict[str, Any] = {"kind": event_pb2.EVENT_KIND_COMMENT, "verb": event_pb2.VERB_CREATE}
        identity = f"{brand}-e{number}"
        event = Event(event_id=identity, text="canary", author=Author(id="canary", name="canary"), **kinds, **common)
        sent.append((EVENTS, key, event.SerializeToString()))
        if number < COUNT - 1:
            sent.append((DECISIONS, key, decision(identity, number, moment, kinds | common).SerializeToString()))
        if number % 3 == 0:
            sent += [(DELIVERIES, key, change.SerializeToString()) for change in deliveries(identity, number, moment, common)]
    return sent


def author(number: int) -> str:
    return f"author-{number % 7}"


def decision(identity: str, number: int, moment: datetime, common: dict[str, Any]) -> Decision:
    acted = number % 3 == 0
    reason = decision_pb2.REASON_UNSPECIFIED if acted else decision_pb2.REASON_LIMIT
    reply = Action(action_id=f"{identity}-a", kind=decision_pb2.ACTION_KIND_REPLY, mode=decision_pb2.MODE_AUTO, text="canary")
    return Decision(
        event_id=identity,
        decided_time=to_timestamp(moment + timedelta(seconds=1, milliseconds=10 + number)),
        author=Author(id=author(number)),
        outcome=decision_pb2.OUTCOME_ACTED if acted else decision_pb2.OUTCOME_NOT_ACTED,
        rules=[RuleOutcome(rule_id="thanks", rule_version=1, reason=reason)],
        actions=[reply] if acted else [],
        **common,
    )


def deliveries(identity: str, number: int, moment: datetime, common: dict[str, Any]) -> list[Delivery]:
    states = [delivery_pb2.DELIVERY_STATE_POSTED]
    if number % 12 == 0:
        states.insert(0, delivery_pb2.DELIVERY_STATE_PARKED)
    return [
        Delivery(
            action_id=f"{identity}-a",
            sequence=sequence,
            event_id=identity,
            rule_id="thanks",
            kind=decision_pb2.ACTION_KIND_REPLY,
            mode=decision_pb2.MODE_AUTO,
            author=author(number),
            state=state,
            delivered_time=to_timestamp(moment + timedelta(seconds=number + 1)),
            **common,
        )
        for sequence, state in enumerate(states, 1)
    ]


async def send(producer: AIOKafkaProducer, sent: Sent) -> None:
    for waiting in [await producer.send(topic, value, key=key) for topic, key, value in sent]:
        await waiting


def check(report: dict[str, Any]) -> None:
    assert report["events"]["total"] == COUNT
    assert report["events"]["by_kind"] == {"comment": COUNT}
    assert report["decisions"]["total"] == COUNT - 1
    assert report["decisions"]["by_outcome"] == {"acted": 20, "not_acted": 39}
    assert report["decisions"]["by_rule_reason"] == {"acted": 20, "limit": 39}
    assert report["actions"] == {"total": 20, "by_kind": {"reply": 20}, "by_mode": {"auto": 20}}
    assert report["deliveries"]["by_state"] == {"posted": 20}
    assert report["response"] == {"answerable": COUNT, "answered": 20, "rate": 20 / COUNT}
    assert report["automation"] == {"auto": 20, "approved": 0, "share": 1.0}
    # Twenty answers after 1, 4, 7 … 58 seconds: ranks 10, 19 and 20; decisions after 10 … 68 ms: ranks 30, 57 and 59.
    assert report["latency_ms"]["platform_to_posted"] == {"count": 20, "p50": 28_000, "p95": 55_000, "p99": 58_000}
    assert report["latency_ms"]["received_to_decided"] == {"count": 59, "p50": 39, "p95": 66, "p99": 68}
    assert (report["lost"], report["parked"], report["waiting"]) == (1, 0, 0)


def check_export(service: Any, brand: str, tokens: dict[str, str]) -> None:
    """What is measured of one person, and nobody else, for an administrator of the brand alone."""
    path = f"/v1/brands/{brand}/people/facebook:author-3/measures"
    assert {role: service.get(path, token).status_code for role, token in tokens.items()} == {
        "admin": 200, "approver": 403, "foreign": 404,
    }  # fmt: skip
    answer = service.get(path, tokens["admin"])
    kept = [(one["record"], one["event_id"]) for one in answer.json()["items"]]
    own = [f"{brand}-e{number}" for number in range(3, COUNT - 1, 7)]
    answered = [f"{brand}-e{number}" for number in (3, 24, 24, 45)]  # what was parked first is told twice
    assert sorted(kept) == sorted([("decision", one) for one in own] + [("delivery", one) for one in answered])
    assert answer.json()["cut"] is False
    assert "author-3" not in answer.text, "an export of measures needs no name"
    nobody = service.get(path.replace("author-3", "author-3x"), tokens["admin"])
    assert nobody.json() == {"items": [], "next": None, "cut": False}


async def test_a_typical_day_then_everything_again(
    service: Any, producer: AIOKafkaProducer, brand: str, make_key: Callable[[str, str], Awaitable[str]]
) -> None:
    tokens = {role: await make_key(role, brand) for role in ("admin", "approver")}
    tokens["foreign"] = await make_key("admin", f"{brand}-x")
    service.start()
    await send(producer, a_day(brand))
    service.wait_drained()
    check(service.summary(brand=brand, **PERIOD))
    assert service.metric("events_total", platform="facebook", kind="comment") == COUNT
    assert service.metric("pipeline_seconds_count") == 20

    await send(producer, a_day(brand))
    service.wait_drained()
    check(service.summary(**PERIOD))
    assert service.metric("events_total", platform="facebook", kind="comment") == COUNT
    assert service.metric("pipeline_seconds_count") == 20
    assert service.metric("duplicates_total", fact="event") == COUNT
    assert service.metric("duplicates_total", fact="delivery") == 25
    assert service.get("/v1/reports/summary", brand="someone-else").status_code == 404
    check_export(service, brand, tokens)


async def test_garbage_is_put_aside_and_the_rest_goes_on(
    service: Any, producer: AIOKafkaProducer, brand: str, kafka_bootstrap: str
) -> None:
    service.start()
    day = a_day(brand)
    garbage = [(topic, brand.encode(), b"\xff garbage") for topic in (EVENTS, DECISIONS, DELIVERIES)]
    await send(producer, [*day[:50], *garbage, *day[50:]])
    service.wait_drained()
    check(service.summary(brand=brand, **PERIOD))
    assert service.metric("dead_letters_total", reason="undecodable") == 3
    consumer = AIOKafkaConsumer(
        *(dead_letters_of(topic) for topic in (EVENTS, DECISIONS, DELIVERIES)),
        bootstrap_servers=kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
        found: dict[str, dict[str, bytes]] = {}
        while len(found) < 3:
            for messages in (await consumer.getmany(timeout_ms=1_000)).values():
                found |= {m.topic: dict(m.headers) for m in messages if m.key == brand.encode() and m.value == b"\xff garbage"}
    finally:
        await consumer.stop()
    assert {(topic, headers["dlq_topic"].decode(), headers["dlq_reason"]) for topic, headers in found.items()} == {
        (dead_letters_of(topic), topic, b"undecodable") for topic in (EVENTS, DECISIONS, DELIVERIES)
    }


async def test_without_dependencies_it_lives_says_so_and_stops_in_order(stray_service: Any) -> None:
    stray_service.start()
    answer = stray_service.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"kafka": False, "store": False, "configuration": False})
    assert stray_service.get("/healthz").text == "ok"
    assert str(stray_service.metric("records_lag")) == "nan"
    assert stray_service.process.stop() == 0


async def test_killed_before_and_after_writes_it_counts_everything_once(
    service: Any, producer: AIOKafkaProducer, brand: str
) -> None:
    service.env["KAFKA_GROUP_INSTANCE_ID"] = "metrics-0"  # a static member is back at once, without a rebalance
    day = a_day(brand)
    await send(producer, day[:70])
    for failpoint in ("metrics.before_write:kill:2", "metrics.after_write:kill"):
        service.start(failpoint)
        deadline = asyncio.get_running_loop().time() + 40
        while service.process.running and asyncio.get_running_loop().time() < deadline:
            await send(producer, day)
        assert service.process.exit_code == -signal.SIGKILL
    service.start()
    service.wait_drained()
    check(service.summary(brand=brand, **PERIOD))
