"""The Graph client against servers that misbehave: one request a call, and never more certainty than there is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from antiphon.clock import SystemClock
from antiphon.errors import Invalid, Transient
from publisher.adapters.platforms.facebook import Facebook
from publisher.adapters.platforms.graph import MAX_ANSWER, GraphClient
from publisher.adapters.platforms.instagram import Instagram
from publisher.domain.calls import Deed, Done, Rate, Unclear, Untouched
from publisher.domain.model import Kind
from publisher.ports import Channel

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Misbehaving:
    """A server whose behaviour is a function; keeps the requests it saw."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer = b""
        self.then: Peer | None = None
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
                body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
                self.requests.append(head + body)
                if self.then is not None:
                    await self.then(reader, writer)
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
async def server() -> AsyncIterator[Misbehaving]:
    found = Misbehaving()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = listening.sockets[0].getsockname()[1]
    yield found
    listening.close()


@asynccontextmanager
async def facebook(port: int, timeout: float = 2.0) -> AsyncIterator[Facebook]:
    limits = httpx.Timeout(timeout, connect=0.5)
    async with httpx.AsyncClient(timeout=limits, trust_env=False) as http:
        client = GraphClient(http, SystemClock(), timeout=timeout, failpoint=lambda _: None)
        yield Facebook(client, f"http://127.0.0.1:{port}/v23.0/", Rate(1, 1))


CHANNEL = Channel("b", "main", "facebook", "page", SecretStr("very-secret"))


def deed(kind: Kind = Kind.REPLY, event_kind: str = "comment", target: str = "1_2", seconds: float = 60.0) -> Deed:
    return Deed("a1", kind, event_kind, target, "u1", "Hallo ✓", SystemClock().monotonic() + seconds)


async def test_a_reply_is_one_request_with_its_token_in_the_header(server: Misbehaving) -> None:
    server.answer = answer(b'{"id":"1_3"}')
    async with facebook(server.port) as platform:
        found = await platform.act(CHANNEL, deed())
    assert found.outcome == Done("1_3")
    assert len(server.requests) == 1
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v23.0/1_2/comments HTTP/1.1")
    assert b"Authorization: Bearer very-secret" in head
    assert b"very-secret" not in body
    assert body == '{"message":"Hallo ✓"}'.encode()


async def test_nobody_listens(server: Misbehaving) -> None:
    del server
    async with facebook(1) as platform:
        assert isinstance((await platform.act(CHANNEL, deed())).outcome, Untouched)


@pytest.mark.parametrize("left", [-0.01, 0.0, 1.9])
async def test_a_late_sender_writes_nothing(server: Misbehaving, left: float) -> None:
    """With less of the claim left than an answer may take, another worker could take over before it has come."""
    server.answer = answer(b'{"id":"1_3"}')
    async with facebook(server.port, timeout=2.0) as platform:
        assert isinstance((await platform.act(CHANNEL, deed(seconds=left))).outcome, Untouched)
    assert server.requests == []


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def cut(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    part = b"%x\r\n" % 65536 + b"x" * 65536 + b"\r\n"
    for _ in range(10 * MAX_ANSWER // 65536):
        writer.write(part)
        await writer.drain()


@pytest.mark.parametrize("behaviour", [hang, cut, endless])
async def test_an_answer_that_never_comes_leaves_it_unclear(server: Misbehaving, behaviour: Peer) -> None:
    server.then = behaviour
    async with facebook(server.port, timeout=0.5) as platform:
        assert isinstance((await platform.act(CHANNEL, deed())).outcome, Unclear)
    assert len(server.requests) == 1, "no retry"


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"", "308 Permanent Redirect", "Location: http://127.0.0.1:1/elsewhere"),
        answer(b"not json"),
        answer(b'{"id":"x"}', "200 OK", "Content-Encoding: gzip"),
        b"garbage\r\n\r\n",
        answer(b'{"error":{"message":"x","code":1}}', "500 Oops"),
    ],
)
async def test_an_answer_that_says_nothing_leaves_it_unclear(server: Misbehaving, raw: bytes) -> None:
    server.answer = raw
    async with facebook(server.port) as platform:
        assert isinstance((await platform.act(CHANNEL, deed())).outcome, Unclear)
    assert len(server.requests) == 1


async def test_every_kind_has_its_request(server: Misbehaving) -> None:
    server.answer = answer(b'{"success":true}')
    async with facebook(server.port) as platform:
        for kind in (Kind.HIDE, Kind.UNHIDE, Kind.LIKE, Kind.DELETE, Kind.PRIVATE_REPLY):
            assert (await platform.act(CHANNEL, deed(kind))).outcome == Done("")
        assert (await platform.act(CHANNEL, deed(event_kind="message"))).outcome == Done("")
        assert isinstance((await platform.act(CHANNEL, deed(target="../me"))).outcome, object)
    seen = [(one.split(b" HTTP")[0].decode(), one.partition(b"\r\n\r\n")[2].decode()) for one in server.requests]
    assert seen == [
        ("POST /v23.0/1_2", '{"is_hidden":true}'),
        ("POST /v23.0/1_2", '{"is_hidden":false}'),
        ("POST /v23.0/1_2/likes", ""),
        ("DELETE /v23.0/1_2", ""),
        ("POST /v23.0/page/messages", '{"recipient":{"comment_id":"1_2"},"message":{"text":"Hallo ✓"}}'),
        ("POST /v23.0/page/messages", '{"recipient":{"id":"u1"},"message":{"text":"Hallo ✓"},"messaging_type":"RESPONSE"}'),
    ]


async def test_instagram_puts_parameters_into_the_query() -> None:
    platform = Instagram.__new__(Instagram)
    reply = platform.call_for("17", deed())
    hide = platform.call_for("17", deed(Kind.HIDE))
    assert reply is not None
    assert hide is not None
    assert (reply.path, dict(reply.query or {})) == ("1_2/replies", {"message": "Hallo ✓"})
    assert (hide.path, dict(hide.query or {})) == ("1_2", {"hide": "true"})
    assert platform.call_for("17", deed(Kind.LIKE)) is None


async def test_checking_a_channel_tells_refused_from_unreachable(server: Misbehaving) -> None:
    async with facebook(server.port) as platform:
        server.answer = answer('{"id":"page","name":"Demo\u202e Air"}'.encode())
        assert await platform.check(CHANNEL) == "Demo Air"
        server.answer = answer(b'{"error":{"message":"expired","code":190,"error_subcode":463}}', "401 No")
        with pytest.raises(Invalid) as refused:
            await platform.check(CHANNEL)
        assert refused.value.reason == "credential"
        server.answer = answer(b"", "503 Later")
        with pytest.raises(Transient):
            await platform.check(CHANNEL)
