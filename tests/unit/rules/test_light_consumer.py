"""The engine's consumer keeps its positions while a fetch is under way, and hands messages over as Faust expects."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from faust.transport.consumer import Consumer
from faust.types import TP

from antiphon.topics import EVENTS, LIMITS
from rules.adapters import stream
from rules.adapters.light_consumer import LightConsumer
from rules.settings import RulesSettings

CHANGELOG, EVENT = TP(LIMITS, 0), TP(EVENTS, 0)


class FakeThread:
    """What the consumer asks of its connection: a fetch that waits for what never comes until it is told to end, and seeks."""

    def __init__(self, committed: int | None) -> None:
        self.committed = committed
        self.done: list[Any] = []
        self.fetching, self.end = asyncio.Event(), asyncio.Event()

    async def getmany(self, _: set[TP], timeout: float) -> dict[TP, list[Any]]:
        self.fetching.set()
        await self.end.wait()
        self.done.append(("fetched", timeout))
        return {}

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        self.done.append(("sought", dict(partitions)))

    async def seek_to_committed(self) -> dict[TP, int | None]:
        self.done.append("sought to what is committed")
        return {EVENT: self.committed, CHANGELOG: None}

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        return dict.fromkeys(partitions, 7)

    def assignment(self) -> set[TP]:
        return {EVENT, CHANGELOG}


@pytest.fixture(params=[None, 12])
def committed(request: pytest.FixtureRequest) -> int | None:
    return request.param


@pytest.fixture
async def consumer(committed: int | None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LightConsumer]:
    app = stream.build_stream(RulesSettings(kafka_bootstrap_servers="127.0.0.1:9"), partitions=1)
    app.finalize()
    light = app.consumer
    assert isinstance(light, LightConsumer)
    never_started: Any = light._thread
    monkeypatch.setattr(light, "_thread", FakeThread(committed))
    monkeypatch.setattr(app.topics, "acks_enabled_for", lambda topic: topic == EVENTS)
    yield light
    never_started.thread_loop.close()


async def during_a_fetch(consumer: LightConsumer, seek: Any) -> list[Any]:
    """Return what was done, in its order, when `seek` was asked for while a fetch was under way."""
    thread: Any = consumer._thread
    fetch = asyncio.create_task(consumer._getmany({EVENT}, 1.0))
    await thread.fetching.wait()
    seeking = asyncio.create_task(seek)
    for _ in range(20):
        await asyncio.sleep(0)
    assert thread.done == [], "positions are not touched before the fetch has ended"
    thread.end.set()
    await asyncio.gather(fetch, seeking)
    return thread.done


async def test_a_changelog_is_sought_after_the_fetch_that_is_under_way(consumer: LightConsumer) -> None:
    fetched, sought = await during_a_fetch(consumer, consumer.seek_wait({CHANGELOG: 3}))
    assert fetched == ("fetched", pytest.approx(0.1)), "what waits for a fetch does not wait long"
    assert sought == ("sought", {CHANGELOG: 3})


async def test_events_are_sought_after_the_fetch_and_from_their_beginning_where_nothing_is_committed(
    consumer: LightConsumer, committed: int | None
) -> None:
    _, *sought = await during_a_fetch(consumer, consumer.perform_seek())
    beginning = [] if committed else [("sought", {EVENT: 7})]
    assert sought == ["sought to what is committed", *beginning]


async def test_an_assignment_stops_the_flow_of_a_worker_that_had_no_partitions(
    consumer: LightConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows: list[bool] = []

    async def assigned(self: Consumer, *_: Any) -> None:
        flows.append(self.flow_active)

    monkeypatch.setattr(Consumer, "on_partitions_assigned", assigned)
    consumer.resume_flow()
    await consumer.on_partitions_assigned({EVENT, CHANGELOG}, 2)
    assert flows == [False], "nothing is fetched before the states were recovered"


def test_faust_still_hands_messages_over_as_the_light_consumer_expects() -> None:
    source = inspect.getsource(Consumer._drain_messages)
    assert "await self.wait_first(" in source
    assert "callback(message), self.suspend_flow.wait()" in " ".join(source.split())


def test_faust_still_declares_the_event_of_a_fetch_under_way() -> None:
    assert "not_waiting_next_records.wait()" in inspect.getsource(Consumer.wait_for_stopped_flow)


def test_the_stream_writes_nothing_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = stream.build_stream(RulesSettings(), partitions=1)
    asyncio.run(app.on_first_start())
    assert list(tmp_path.iterdir()) == []
