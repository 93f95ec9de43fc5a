"""What a platform is answered, on the real application with a fake log and store."""

import asyncio
from typing import Any

import orjson
import pytest

COMMENT = {
    "item": "comment",
    "verb": "add",
    "comment_id": "901_903",
    "post_id": "100_901",
    "parent_id": "100_901",
    "from": {"id": "7", "name": "Tester"},
    "created_time": 1449135003,
    "message": "and the next one",
}


def page(*values: object, account: str = "100") -> bytes:
    changes = [{"field": "feed", "value": value} for value in values]
    return orjson.dumps({"object": "page", "entry": [{"id": account, "time": 1449135003, "changes": changes}]})


async def test_documented_signature_vector_is_accepted(edge: Any) -> None:
    body = (
        rb'{"object":"page","entry":[{"id":"1","time":1,"changes":[{"field":"feed",'
        rb'"value":{"item":"comment","verb":"add","message":"\u00e4\u00f6\u00e5"}}]}]}'
    )
    signature = "sha256=531a8f7aefa32949c31d4cfa945d30449989d6aeb874b86901ff30c5da1e1d5e"
    answer = await edge.client.post("/webhooks/facebook/main", content=body, headers={"X-Hub-Signature-256": signature})
    assert answer.status_code == 200
    assert [one.reason for one in edge.log.rejected] == ["unknown_account"]


async def test_good_delivery_is_durable_before_the_answer(edge: Any) -> None:
    answer = await edge.deliver(page(COMMENT))
    assert (answer.status_code, answer.content) == (200, b"")
    assert [(one.object, one.author.id, one.text) for one in edge.log.events] == [("901_903", "7", "and the next one")]
    assert await edge.metric('antiphon_ingest_requests_total{outcome="accepted",platform="facebook"}') == 1
    assert await edge.metric('antiphon_ingest_events_total{kind="comment",platform="facebook"}') == 1
    assert await edge.metric("antiphon_ingest_in_flight_events") == 0
    assert await edge.metric("antiphon_ingest_ack_seconds_count") == 1


async def test_one_bad_update_of_fifty_is_put_aside(edge: Any) -> None:
    values = [COMMENT | {"comment_id": f"901_{number}"} for number in range(49)]
    answer = await edge.deliver(page(*values[:20], COMMENT | {"verb": "sing"}, *values[20:]))
    assert answer.status_code == 200
    assert len({one.event_id for one in edge.log.events}) == 49
    assert [one.reason for one in edge.log.rejected] == ["unknown_verb"]
    assert await edge.metric('antiphon_ingest_dead_letters_total{reason="unknown_verb"}') == 1


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=abc", "sha256=" + "0" * 64, "sha256=é", "=" * 500])
async def test_wrong_signature_is_refused(edge: Any, signature: str) -> None:
    answer = await edge.client.post(
        "/webhooks/facebook/main", content=page(COMMENT), headers={"X-Hub-Signature-256": signature.encode()}
    )
    assert answer.status_code == 401
    assert edge.log.events == []


async def test_signature_is_over_the_bytes(edge: Any) -> None:
    body = page(COMMENT)
    for position in range(0, len(body), 7):
        flipped = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        answer = await edge.client.post(
            "/webhooks/facebook/main",
            content=flipped,
            headers={"X-Hub-Signature-256": (await edge.deliver(body)).request.headers["X-Hub-Signature-256"]},
        )
        assert answer.status_code == 401
    assert {one.object for one in edge.log.events} == {"901_903"}


async def test_another_sources_secret_does_not_fit(edge: Any) -> None:
    assert (await edge.deliver(page(COMMENT), secret=b"somebody else's")).status_code == 401


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("facebook/other", "POST"),
        ("instagram/main", "POST"),
        ("facebook", "POST"),
        ("", "POST"),
        ("nowhere/x", "GET"),
        ("a/b/c", "GET"),
    ],
)
async def test_unknown_subscriptions_look_all_the_same(edge: Any, path: str, method: str) -> None:
    answer = await edge.client.request(method, f"/webhooks/{path}", content=b"x" if method == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert answer.content == (await edge.client.post("/webhooks/facebook/none")).content


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
async def test_encoded_bodies_are_refused(edge: Any, encoding: str) -> None:
    answer = await edge.deliver(page(COMMENT), **{"Content-Encoding": encoding})
    assert answer.status_code == 415


async def test_large_bodies_are_refused_announced_or_not(edge: Any) -> None:
    body = b" " * 300_001
    assert (await edge.deliver(body)).status_code == 413

    async def stream() -> Any:
        for _ in range(400):
            yield b" " * 1000

    answer = await edge.client.post("/webhooks/facebook/main", content=stream())
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert (await edge.client.post("/v1/sources", content=b" " * 1_100_000)).status_code == 413


async def test_body_in_pieces_is_accepted(edge: Any) -> None:
    body = page(COMMENT)
    signature = (await edge.deliver(body)).request.headers["X-Hub-Signature-256"]

    async def stream() -> Any:
        for start in range(0, len(body), 10):
            yield body[start : start + 10]

    answer = await edge.client.post("/webhooks/facebook/main", content=stream(), headers={"X-Hub-Signature-256": signature})
    assert answer.status_code == 200
    assert len(edge.log.events) == 2


async def test_method_that_is_none_of_ours(edge: Any) -> None:
    answer = await edge.client.put("/webhooks/facebook/main", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


MALFORMED = {
    "nothing": b"",
    "not JSON": b"hello",
    "cut": b'{"object":"page","entry":[{"id":',
    "lone surrogate": rb'{"object":"page","entry":[{"id":"\ud800"}]}',
    "5,000 digits": b'{"object":"page","entry":' + b"1" * 5_000 + b"}",
    "100,000 brackets": b"[" * 100_000,
    "NaN": b'{"object":"page","entry":NaN}',
    "UTF-16": '{"object":"page","entry":[]}'.encode("utf-16"),
    "bad UTF-8": b'{"object":"page\xff"}',
    "number": b"1",
    "string": b'"page"',
    "null": b"null",
    "array of numbers": b"[1]",
    "too many updates": orjson.dumps({"object": "page", "entry": [{"id": "100", "changes": [0] * 10_001}]}),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_body_is_400_with_a_reason(edge: Any, body: bytes) -> None:
    answer = await edge.deliver(body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in {"bad_json", "not_an_object", "too_many_updates"}
    assert edge.log.events == []


async def test_log_that_is_away_is_503_and_the_same_body_succeeds_later(edge: Any) -> None:
    edge.log.down = True
    answer = await edge.deliver(page(COMMENT))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await edge.client.get("/healthz")).status_code == 200
    assert (await edge.client.get("/readyz")).status_code == 503
    edge.log.down = False
    assert (await edge.deliver(page(COMMENT))).status_code == 200
    assert len(edge.log.events) == 1
    assert await edge.metric('antiphon_ingest_requests_total{outcome="unavailable",platform="facebook"}') == 1
    assert await edge.metric("antiphon_ingest_in_flight_events") == 0


async def test_full_house_refuses_at_once(edge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    append = edge.log.append

    async def slow(*arguments: Any) -> None:
        await gate.wait()
        await append(*arguments)

    monkeypatch.setattr(edge.log, "append", slow)
    first = asyncio.ensure_future(edge.deliver(page(*[COMMENT | {"comment_id": str(number)} for number in range(60)])))
    while await edge.metric("antiphon_ingest_in_flight_events") != 60:  # noqa: ASYNC110 (no event to wait for)
        await asyncio.sleep(0)
    refused = await edge.deliver(page(COMMENT))
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    gate.set()
    assert (await first).status_code == 200
    assert (await edge.deliver(page(COMMENT))).status_code == 200


async def test_store_that_is_away_later_changes_nothing(edge: Any) -> None:
    edge.store.down = True
    await asyncio.sleep(0.05)
    assert (await edge.deliver(page(COMMENT))).status_code == 200
    viewer = edge.key("viewer", "*")
    assert (await edge.client.get("/v1/sources", headers=viewer)).status_code == 503


async def test_handshake(edge: Any) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "meatyhamhock"}
    answer = await edge.client.get("/webhooks/facebook/main", params=query)
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "1158201444", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "changed",
    [
        {"hub.verify_token": "wrong"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "é"},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": ""},
        {"hub.challenge": "x" * 2000},
        {f"extra{number}": "x" for number in range(30)},
    ],
)
async def test_handshake_of_a_stranger(edge: Any, changed: dict[str, str]) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "meatyhamhock"} | changed
    answer = await edge.client.get("/webhooks/facebook/main", params=query)
    assert answer.status_code == 403
    assert b"1158201444" not in answer.content
