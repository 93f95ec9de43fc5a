"""`Idempotency-Key`: a request that is sent again gets the answer of the first one, and nothing is done twice.

Semantics of draft-ietf-httpapi-idempotency-key-header, for POST and PATCH:

- same key, same request (method, target, precondition, body) → the stored answer, with `Idempotency-Replayed: true`;
- same key, another request → 422; the first one still running → 409;
- kept for 24 hours, for each API key by itself: callers never meet, and only who got an answer can get it again.

Only successes are kept: an error changed nothing, so repeating its request is safe and may succeed. Answers can hold
secrets (a new API key's token) and people's words, so they are sealed at rest, bound to their caller and key.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.exceptions import HTTPException

from antiphon.answers import Answer, Answers, Ticket
from antiphon.auth import KeyRing, bearer_token
from antiphon.errors import Transient
from antiphon.problems import Problem, problem_response, unavailable

log = logging.getLogger(__name__)

_HEADER = re.compile(rb'"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
"""A string as structured headers quote it, or bare as most clients send it."""

_METHODS = frozenset({"POST", "PATCH"})
"""The others are idempotent by themselves."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class IdempotencyMiddleware:
    """Answers repeated requests of callers with a good key; everything else goes on to the routes."""

    def __init__(self, app: App, *, keys: KeyRing, answers: Answers) -> None:
        self._app, self._keys, self._answers = app, keys, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope["headers"]) if scope["type"] == "http" and scope["method"] in _METHODS else {}
        given = headers.get(b"idempotency-key")
        caller = self._keys.authenticate(bearer_token(headers.get(b"authorization", b""))) if given is not None else None
        if given is None or caller is None:
            await self._app(scope, receive, send)
            return
        try:
            key = _parsed(given)
            body = await _whole(receive)
            if body is None:
                return
            ticket = Ticket(f"{caller.key_id}/{_digest(key)}", _fingerprint(scope, headers, body), secrets.token_hex(8))
            known = await self._answers.begin(ticket)
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
        except Transient as error:
            await problem_response(unavailable(error))(scope, receive, send)
        else:
            await (_replay(known, send) if known else self._first(ticket, scope, body, receive, send))

    async def _first(self, ticket: Ticket, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        try:
            await self._app(scope, _again(body, receive), keep)
        except Exception:
            with suppress(Transient):  # its place is free after a while in any case
                await self._answers.forget(ticket)
            raise
        try:
            await self._settle(ticket, _answer(kept))
        except Transient as error:
            log.warning("an answer is not kept for its repetition: %s", error)
        for message in kept:
            await send(message)

    async def _settle(self, ticket: Ticket, answer: Answer) -> None:
        if 200 <= answer.status < 300:
            await self._answers.finish(ticket, answer)
        else:
            await self._answers.forget(ticket)


def _parsed(given: bytes) -> bytes:
    found = _HEADER.fullmatch(given.strip())
    if found is None:
        raise Problem(
            400, "idempotency_key_malformed", "Idempotency-Key is 1 to 255 printable ASCII characters, a UUID for example."
        )
    return found[1] or found[2]


async def _whole(receive: Receive) -> bytes | None:
    """Return the body, or None when the caller has gone before its end."""
    parts: list[bytes] = []
    try:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)
    except HTTPException as error:  # the framework's bound on bodies
        raise Problem(error.status_code, "too_large", "The body is larger than this API takes.") from error


def _again(body: bytes, receive: Receive) -> Receive:
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return left.pop() if left else await receive()

    return replayed


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fingerprint(scope: Scope, headers: MutableMapping[bytes, bytes], body: bytes) -> str:
    target = scope["path"].encode() + b"?" + scope.get("query_string", b"")
    asked = [scope["method"].encode(), target, headers.get(b"if-match", b""), headers.get(b"content-type", b""), body]
    return _digest(b"".join(_digest(part).encode() for part in asked))


def _answer(messages: list[Message]) -> Answer:
    start = messages[0]
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(start["status"], list(start.get("headers", [])), body)


async def _replay(answer: Answer, send: Send) -> None:
    headers = [*answer.headers, (b"idempotency-replayed", b"true")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
