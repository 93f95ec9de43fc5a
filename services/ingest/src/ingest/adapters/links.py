"""`/l/{code}`: a raw ASGI callable that redirects who follows a tracked link, and hands everything else on."""

from collections.abc import Awaitable, Callable, MutableMapping
from importlib import resources
from typing import Any

from antiphon.links import PATH
from ingest.clicks import ClickService, Visit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_MAX_AGENT = 512
"""Bytes of a browser's name that are looked at; longer ones are no browser's."""

_PREFETCHING = (b"purpose", b"sec-purpose", b"x-purpose", b"x-moz")
_PREFETCH_WORDS = (b"prefetch", b"prerender", b"preview")
"""How browsers say that nobody has clicked yet."""

_PRIVATE: Headers = [(b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer")]
"""A click that a cache answers is not seen; and the page that is reached learns nothing of where the link stood."""

_PAGE = (
    b"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    b"<title>%s</title><p>%s</p></html>"
)
_UNKNOWN = _PAGE % (b"Unknown link", b"This link leads nowhere. It may have been mistyped, or it has ended.")
_STARTING = _PAGE % (b"One moment", b"This link will work in a moment; please try again.")


def load_bots() -> list[str]:
    """Return the words by which programs are known: the lines of `bots.txt`."""
    lines = resources.files("ingest.adapters").joinpath("bots.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Links:
    """Answers those who follow links; `app` answers everybody else.

    `hops` is how many proxies of our own stand in front, each of which adds to `X-Forwarded-For` whom it has met: what
    stands there beyond them is anybody's claim.
    """

    def __init__(self, *, app: App, service: ClickService, hops: int) -> None:
        self._app, self._service, self._hops = app, service, hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path: str = scope.get("path", "")
        if not path.startswith(PATH) or scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, [(b"allow", b"GET, HEAD")])
        else:
            await self._follow(path[len(PATH) :], scope, send)

    async def _follow(self, code: str, scope: Scope, send: Send) -> None:
        found = self._service.find(code)
        if found is not None:
            target = await self._service.follow(*found, code, self._visit(scope))
            await _answer(send, 302, [(b"location", target.encode()), *_PRIVATE])
        elif self._service.ready():
            self._service.missed()
            await _answer(send, 404, _PRIVATE, _UNKNOWN)
        else:
            await _answer(send, 503, [(b"retry-after", b"2"), *_PRIVATE], _STARTING)

    def _visit(self, scope: Scope) -> Visit:
        headers: Headers = scope["headers"]
        agent, prefetch, forwarded = b"", False, []
        for name, value in headers:
            if name == b"user-agent":
                agent = value[:_MAX_AGENT]
            elif name == b"x-forwarded-for":
                forwarded += value.split(b",")
            elif name in _PREFETCHING:
                prefetch = prefetch or any(word in value.lower() for word in _PREFETCH_WORDS)
        address = (scope.get("client") or ("", 0))[0]
        if 0 < self._hops <= len(forwarded):
            address = forwarded[-self._hops].strip().decode("latin-1")
        return Visit(address, agent.decode("latin-1"), head=scope["method"] == "HEAD", prefetch=prefetch)


async def _answer(send: Send, status: int, headers: Headers, page: bytes = b"") -> None:
    fixed = [(b"content-length", str(len(page)).encode())]
    if page:
        fixed += [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", b"default-src 'none'"),
            (b"x-content-type-options", b"nosniff"),
        ]
    await send({"type": "http.response.start", "status": status, "headers": fixed + headers})
    await send({"type": "http.response.body", "body": page})
