"""What is acknowledged is durable, whoever dies and whenever."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from antiphon_local.kafka import Kafka
from antiphon_local.mongo import Mongo
from antiphon_local.services import LocalServices

pytestmark = pytest.mark.local

SOON_S = 4.5
"""Twice the deadline of an acknowledgement, for a busy machine, and less than the 5 s that Kafka's client would wait."""


@pytest.mark.sampled(1)
@pytest.mark.parametrize("point", ["ingest.before_produce", "ingest.before_ack", "ingest.before_response"])
async def test_killed_at_each_point_and_delivered_again(edge: Any, client: httpx.AsyncClient, helpers: Any, point: str) -> None:
    edge.process.stop()
    edge.start(FAILPOINT=f"{point}:kill:3", FAILPOINTS_ALLOWED="true")
    await edge.ready(client)
    bodies = [helpers.body_of(*[helpers.comment(10 * batch + number) for number in range(10)]) for batch in range(5)]
    acknowledged = []
    for number, body in enumerate(bodies):
        try:
            acknowledged += [number] if (await edge.deliver(client, body)).status_code == 200 else []
        except httpx.HTTPError:
            break
    assert acknowledged == [0, 1]
    await helpers.until(lambda: asyncio.sleep(0, not edge.process.running))
    assert edge.process.exit_code == -signal.SIGKILL
    before = {event.object for event in await edge.events()}
    assert before >= {f"901_{number}" for number in range(20)}
    assert (len(before) == 20) == (point == "ingest.before_produce") or point == "ingest.before_ack"
    edge.start()
    await edge.ready(client)
    for body in bodies:
        assert (await edge.deliver(client, body)).status_code == 200
    events = await edge.events()
    assert {event.object for event in events} == {f"901_{number}" for number in range(50)}
    assert len({event.event_id for event in events}) == 50


async def test_broker_killed_under_load(
    own_kafka: Kafka, local_services: LocalServices, tmp_path: Path, unique_name: Any, client: httpx.AsyncClient, helpers: Any
) -> None:
    mongo = local_services.mongo.address
    edge = helpers.make_edge(tmp_path, own_kafka.address, mongo, unique_name("ingest"))
    await helpers.store_source(mongo, edge.source.id, edge.source)
    edge.start()
    try:
        await edge.ready(client)
        acknowledged: set[int] = set()
        refused: list[tuple[int, float, bytes]] = []

        async def deliver(number: int) -> None:
            answer = await edge.deliver_raw(helpers.body_of(helpers.comment(number)))
            if answer[0] == 200:
                acknowledged.add(number)
            else:
                refused.append(answer)

        await asyncio.gather(*[deliver(number) for number in range(100)])
        assert acknowledged == set(range(100))
        await asyncio.to_thread(own_kafka.kill)
        before = edge.rss()
        for wave in range(4):
            await asyncio.gather(*[deliver(number) for number in range(100 + 150 * wave, 250 + 150 * wave)])
        assert len(refused) == 600
        assert {code for code, _, _ in refused} == {503}
        assert all(b"retry-after: 2" in head for _, _, head in refused)
        assert max(seconds for _, seconds, _ in refused) < SOON_S
        assert (await client.get(edge.url + "/healthz")).status_code == 200
        assert (await client.get(edge.url + "/readyz")).status_code == 503
        assert edge.rss() - before < 32 * 2**20
        await asyncio.to_thread(own_kafka.start)
        await edge.ready(client)

        async def all_acknowledged() -> bool:  # platforms come again with what was refused
            await asyncio.gather(*[deliver(number) for number in set(range(700)) - acknowledged])
            return acknowledged == set(range(700))

        await helpers.until(all_acknowledged)
        assert {event.object for event in await edge.events()} == {f"901_{number}" for number in range(700)}
    finally:
        edge.process.stop()


async def test_broker_that_is_away_at_the_start_and_at_the_end(
    own_kafka: Kafka, local_services: LocalServices, tmp_path: Path, unique_name: Any, client: httpx.AsyncClient, helpers: Any
) -> None:
    mongo = local_services.mongo.address
    edge = helpers.make_edge(tmp_path, own_kafka.address, mongo, unique_name("ingest"))
    await helpers.store_source(mongo, edge.source.id, edge.source)
    await asyncio.to_thread(own_kafka.kill)
    edge.start()
    try:
        body = helpers.body_of(helpers.comment(1))
        assert not (await client.get(edge.url + "/readyz")).json()["kafka"]
        answer = await edge.deliver(client, body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (await client.get(edge.url + "/healthz")).status_code == 200
        await asyncio.to_thread(own_kafka.start)
        await edge.ready(client)
        assert (await edge.deliver(client, body)).status_code == 200
        assert {event.object for event in await edge.events()} == {"901_1"}
        await asyncio.to_thread(own_kafka.kill)
        assert (await edge.deliver(client, body)).status_code == 503
        started = time.monotonic()
        assert await asyncio.to_thread(edge.process.stop) == 0
        assert time.monotonic() - started < 10
    finally:
        edge.process.kill()


async def test_store_that_is_away_at_the_start(
    local_services: LocalServices, tmp_path: Path, unique_name: Any, client: httpx.AsyncClient, helpers: Any
) -> None:
    name = unique_name("ingest")
    with Mongo(tmp_path / "mongo") as mongo:
        edge = helpers.make_edge(tmp_path, local_services.kafka.address, mongo.address, name)
        await edge.mark()
        await helpers.store_source(mongo.address, name, edge.source)
        await asyncio.to_thread(mongo.kill)
        edge.start()
        try:
            body = helpers.body_of(helpers.comment(1))
            assert (await edge.deliver(client, body)).status_code == 503
            assert (await client.get(edge.url + "/readyz")).json()["sources"] is False
            await asyncio.to_thread(mongo.start)
            await edge.ready(client)
            assert (await edge.deliver(client, body)).status_code == 200
            await asyncio.to_thread(mongo.kill)
            assert (await edge.deliver(client, body)).status_code == 200
            assert (await client.get(edge.url + "/readyz")).status_code == 200
            assert [event.object for event in await edge.events()] == ["901_1"] * 2
        finally:
            edge.process.stop()
