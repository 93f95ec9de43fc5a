"""What the engine's consumer does while Faust moves it back to what is committed."""

import asyncio
from typing import Any

import pytest

from antiphon.topics import EVENTS
from antiphon.v1.event_pb2 import Event
from rules.adapters import stream
from rules.adapters.light_consumer import LightConsumer
from rules.settings import RulesSettings

pytestmark = pytest.mark.local

GAP_SECONDS = 2.5
"""Between the seek and the emptying of the queues: longer than a fetch waits, so that one surely falls into the gap."""


async def test_events_that_come_between_the_seek_and_the_emptying_of_the_queues_are_not_lost(
    engine: Any, event_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seek, moved, complete = LightConsumer.perform_seek, asyncio.Event(), asyncio.Event()

    async def slowly(self: LightConsumer) -> None:
        await seek(self)
        await asyncio.sleep(GAP_SECONDS)
        asyncio.get_running_loop().call_later(GAP_SECONDS, moved.set)

    monkeypatch.setattr(LightConsumer, "perform_seek", slowly)
    await asyncio.to_thread(engine.feed_state, b"b/anyone", b"")  # something to recover: only then the fetcher runs already
    events = [event_of(5_000_000 + number, f"gap-{number}", "price?") for number in range(40)]
    await asyncio.to_thread(engine.feed, events)
    wanted, seen = {event.event_id for event in events}, set()
    app = stream.build_stream(
        RulesSettings(kafka_bootstrap_servers=engine.bootstrap, kafka_session_timeout_ms=6000), partitions=4
    )
    stream.states_table(app)

    async def reader(incoming: Any) -> None:
        queue = aiter(incoming.channel).queue
        await moved.wait()  # busy with something else until the queues were emptied
        while True:
            event = await queue.get()
            seen.add(Event.FromString(event.message.value).event_id)
            event.ack()
            if seen >= wanted:
                complete.set()

    app.agent(app.topic(EVENTS, value_type=bytes, value_serializer="raw"), concurrency=1)(reader)
    running = asyncio.create_task(stream.run_stream(app))
    try:
        async with asyncio.timeout(120):  # far above what it takes: only a loss gets there
            await complete.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert wanted <= seen
