"""The hot path: a raw ASGI callable that answers `/webhooks/{platform}/{source}` and hands everything else on.

A framework's request and response objects would cost more than the signature, the parsing and the log together.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

from ingest.adapters.telemetry import UNKNOWN, IngestTelemetry
from ingest.domain import WEBHOOKS, Source
from ingest.service import Accepted, Admission, IngestService, Refusal, Refused

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Message = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, and the messages of its response; `closes`: the request's body was not read to its end."""

    outcome: str
    start: Message
    body: Message
    closes: bool = False


_DISCARD_BYTES = 16 * 2**20
_DISCARD_SECONDS = 0.5
"""How much of an unwanted body is read, and dropped, after its answer."""

_END: Message = {"type": "http.response.body", "body": b""}

_RETRY_AFTER = (b"retry-after", b"2")
"""Seconds: by then a broker's restart is half over, and a sender's own schedule is longer anyway."""

_CLOSE = (b"connection", b"close")
"""The rest of a body that nobody wants is not read."""


def _answer(outcome: str, status: int, body: bytes, kind: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    fixed = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"x-content-type-options", b"nosniff")]
    start = {"type": "http.response.start", "status": status, "headers": [*fixed, *headers]}
    return Answer(outcome, start, {"type": "http.response.body", "body": body}, _CLOSE in headers)


def _problem(outcome: str, status: int, code: str, detail: str, *headers: tuple[bytes, bytes]) -> Answer:
    problem = {"type": f"urn:antiphon:problem:{code}", "status": status, "code": code, "detail": detail}
    return _answer(outcome, status, orjson.dumps(problem), b"application/problem+json", *headers)


_ACCEPTED = Answer(
    "accepted",
    {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]},
    {"type": "http.response.body", "body": b""},
)
_NOT_FOUND = _problem("not_found", 404, "not_found", "There is no such subscription.")
_REFUSED = _problem("refused", 403, "forbidden", "This is not the subscription's verify token.")
_METHOD = _problem(
    "method_not_allowed", 405, "method_not_allowed", "Webhooks take GET and POST.", (b"allow", b"GET, POST"), _CLOSE
)
_ENCODING = _problem("bad_encoding", 415, "unsupported_encoding", "Send the body without Content-Encoding.", _CLOSE)
_TOO_LARGE = _problem("too_large", 413, "too_large", "The body is larger than any platform's.", _CLOSE)
_BUSY = _problem("busy", 503, "busy", "Too much is being worked on; send it again.", _RETRY_AFTER, _CLOSE)
_REFUSALS: Mapping[Refusal, Answer] = {
    Refusal.NOT_FOUND: _NOT_FOUND,
    Refusal.UNAUTHORIZED: _problem("unauthorized", 401, "unauthorized", "The signature does not fit the body."),
    Refusal.BUSY: _problem("busy", 503, "busy", "Too much is being worked on; send it again.", _RETRY_AFTER),
    Refusal.UNAVAILABLE: _problem("unavailable", 503, "unavailable", "Events cannot be stored now; send it again.", _RETRY_AFTER),
}


class Webhooks:
    """Answers platforms; `app` answers everybody else."""

    def __init__(
        self, *, app: App, service: IngestService, admission: Admission, telemetry: IngestTelemetry, max_body_bytes: int
    ) -> None:
        self._app, self._service, self._admission = app, service, admission
        self._find = service.find
        self._count, self._max_bytes = telemetry.request, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        source = self._find(scope.get("path", ""))
        if source is not None and scope.get("method") == "POST":
            answer = await self._deliver(source, scope, receive)
            self._count(source.platform, answer.outcome)
        elif not scope.get("path", "").startswith(WEBHOOKS) or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        else:
            answer = self._other(source, scope)
            self._count(source.platform if source else UNKNOWN, answer.outcome)
        await send(answer.start)
        if answer.closes:
            await send({**answer.body, "more_body": True})
            await _discard(receive)
            await send(_END)
        else:
            await send(answer.body)

    def _other(self, source: Source | None, scope: Scope) -> Answer:
        """Answer what is no delivery to a subscription of ours."""
        if source is None:
            return _REFUSALS[self._service.absent().refusal]
        if scope["method"] != "GET":
            return _METHOD
        challenge = self._service.handshake(source, scope["query_string"])
        if isinstance(challenge, Refused):
            return _REFUSED
        return _answer("confirmed", 200, challenge, b"text/plain; charset=utf-8")

    async def _deliver(self, source: Source, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        if b"content-encoding" in headers and headers[b"content-encoding"] != b"identity":
            return _ENCODING
        message = await receive()
        if message.get("more_body") or message["type"] != "http.request":
            return await self._deliver_slowly(source, headers, message, receive)
        body: bytes = message.get("body", b"")
        if len(body) > self._max_bytes:
            return _TOO_LARGE
        return _answer_to(await self._service.accept(source, headers, body))

    async def _deliver_slowly(self, source: Source, headers: Mapping[bytes, bytes], message: Message, receive: Receive) -> Answer:
        """Read a body that comes in pieces; all such bodies together stay within the bytes that may be in flight."""
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._max_bytes:
            return _TOO_LARGE
        pieces: list[bytes] = []
        size = 0
        try:
            while True:
                if message["type"] != "http.request":
                    return _DISCONNECTED
                piece: bytes = message.get("body", b"")
                if size + len(piece) > self._max_bytes:
                    return _TOO_LARGE
                if not self._admission.take(len(piece)):
                    return _BUSY
                size += len(piece)
                pieces.append(piece)
                if not message.get("more_body"):
                    break
                message = await receive()
            return _answer_to(await self._service.accept(source, headers, b"".join(pieces)))
        finally:
            self._admission.give(size)


def _answer_to(result: Accepted | Refused) -> Answer:
    if isinstance(result, Accepted):
        return _ACCEPTED
    if result.refusal is Refusal.MALFORMED:
        return _problem("malformed", 400, result.reason, result.detail)
    return _REFUSALS[result.refusal]


async def _discard(receive: Receive) -> None:
    """Read on for a moment: a connection closed on a sender who still sends would take the answer with it."""
    left = _DISCARD_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_SECONDS):
            while left > 0:
                message = await receive()
                if not message.get("more_body"):
                    return
                left -= len(message.get("body", b""))


_DISCONNECTED = _problem("disconnected", 400, "disconnected", "The connection ended before the body did.", _CLOSE)
