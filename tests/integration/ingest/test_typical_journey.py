"""From a platform's request to records on the topic, as real processes."""

import asyncio
import contextlib
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from antiphon.auth import new_key
from antiphon.ids import event_id
from antiphon.topics import CONFIG, EVENTS, dead_letters_of
from antiphon.v1 import event_pb2 as pb
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord

pytestmark = pytest.mark.local


async def admin(bootstrap: str, brand: str) -> dict[str, str]:
    """Publish a key as the rules service would, and return its header."""
    made = new_key()
    key = ApiKeyConfig(key_id=made.key_id, secret_sha256=made.secret_sha256, brands=[brand], role="admin")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        record = ConfigRecord(generation=1, api_key=key)
        await producer.send_and_wait(CONFIG, record.SerializeToString(), key=f"api_key//{made.key_id}".encode())
    finally:
        await producer.stop()
    return {"Authorization": f"Bearer {made.token}"}


async def test_comment_becomes_one_record(edge: Any, client: httpx.AsyncClient, helpers: Any) -> None:
    body = helpers.body_of(helpers.comment(1))
    assert (await edge.deliver(client, body)).status_code == 200
    (record,) = await edge.records()
    brand = edge.source.id
    event = pb.Event.FromString(record.value)
    assert record.key == f"{brand}/71".encode()
    assert (event.brand, event.channel, event.account, event.source) == (brand, "page", "100", brand)
    assert (event.platform, event.kind, event.verb) == (pb.PLATFORM_FACEBOOK, pb.EVENT_KIND_COMMENT, pb.VERB_CREATE)
    assert (event.object, event.root, event.text) == ("901_1", "100_901", "comment 1 äöü 🎉")
    assert event.event_id == event_id("facebook", "100", "901_1", "create", "")
    assert event.event_time.seconds == 1449135003
    assert event.received_time.seconds > 1_700_000_000
    headers = dict(record.headers)
    assert headers["ce_id"].decode() == event.event_id
    assert headers["ce_time"] == b"2015-12-03T09:30:03+00:00"
    assert headers["content-type"] == b"application/protobuf"


async def test_batch_of_a_thousand_is_complete(edge: Any, client: httpx.AsyncClient, helpers: Any) -> None:
    body = helpers.body_of(*[helpers.comment(number) for number in range(1_000)])
    assert (await edge.deliver(client, body)).status_code == 200
    assert {event.object for event in await edge.events()} == {f"901_{number}" for number in range(1_000)}


async def test_one_bad_update_of_fifty(edge: Any, client: httpx.AsyncClient, helpers: Any) -> None:
    changes = [helpers.comment(number) for number in range(50)]
    changes[17]["value"]["created_time"] = -1
    assert (await edge.deliver(client, helpers.body_of(*changes))).status_code == 200
    assert {event.object for event in await edge.events()} == {f"901_{number}" for number in range(50) if number != 17}
    (aside,) = await edge.records(dead_letters_of(EVENTS))
    assert dict(aside.headers)["dlq_reason"] == b"bad_time"
    assert (
        await edge.deliver(client, aside.value.replace(b'"created_time":-1', b'"created_time":1449135003'))
    ).status_code == 200
    assert len({event.object for event in await edge.events()}) == 50


async def test_flipped_bits_are_refused(edge: Any, client: httpx.AsyncClient, helpers: Any) -> None:
    body = helpers.body_of(helpers.comment(1))
    headers = edge.signed(body)
    signature = headers["X-Hub-Signature-256"]
    for position in range(0, len(body), 9):
        flipped = body[:position] + bytes([body[position] ^ 4]) + body[position + 1 :]
        assert (await client.post(edge.url + edge.path, content=flipped, headers=headers)).status_code == 401
    for position in range(len(signature)):
        wrong = signature[:position] + chr(ord(signature[position]) ^ 1) + signature[position + 1 :]
        answer = await client.post(edge.url + edge.path, content=body, headers={"X-Hub-Signature-256": wrong})
        assert answer.status_code == 401
    assert await edge.events() == []


async def test_secrets_rotate_without_a_refusal(edge: Any, client: httpx.AsyncClient, helpers: Any) -> None:
    key = await admin(edge.bootstrap, edge.source.id)
    path = f"{edge.url}/v1/sources/{edge.source.id}"
    for _ in range(200):
        if (await client.get(path, headers=key)).is_success:
            break
    body = helpers.body_of(helpers.comment(1))
    codes = [(await edge.deliver(client, body)).status_code for _ in range(5)]
    answer = await client.post(f"{path}/secrets", json={"secret": "the-next-secret"}, headers=key)
    assert answer.status_code == 201, answer.text
    assert "the-next-secret" not in answer.text
    for secret in (helpers.SECRET, b"the-next-secret"):
        codes += [(await edge.deliver(client, body, secret)).status_code for _ in range(5)]
    assert codes == [200] * 15
    ends = {"secret": "the-third-secret", "old_expires_time": "2020-01-01T00:00:00Z"}
    assert (await client.post(f"{path}/secrets", json=ends, headers=key)).status_code == 201
    assert (await edge.deliver(client, body, b"the-next-secret")).status_code == 401
    assert (await edge.deliver(client, body, b"the-third-secret")).status_code == 200
    assert (await client.delete(path, headers=key)).status_code == 204
    assert (await edge.deliver(client, body, b"the-third-secret")).status_code == 404
    assert "secret" not in edge.process.log_text()


async def test_endless_body_is_cut_off_with_flat_memory(edge: Any) -> None:
    """A sender that looks for an answer while it sends gets it at once; then the connection is closed."""
    before = edge.rss()
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(edge.url).port)
    head = f"POST {edge.path} HTTP/1.1\r\nHost: edge.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    chunk = b"10000\r\n" + bytes(2**16) + b"\r\n"
    answer, sent = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n")), 0
    while not answer.done():
        writer.write(chunk)
        sent += 2**16
        await writer.drain()
        await asyncio.sleep(0)
        assert sent < 256 * 2**20
    assert (await answer).startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in await answer
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(chunk)
            await writer.drain()
    writer.close()
    assert edge.rss() - before < 16 * 2**20
