"""The least that can redirect: a raw ASGI function under uvicorn that answers 302 with one address."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from bench.workers.bare_hmac import SERVER

Message = dict[str, Any]

_START = {
    "type": "http.response.start",
    "status": 302,
    "headers": [(b"content-length", b"0"), (b"location", b"https://bench.example/shipping")],
}


async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    """Answer 302."""
    await send(_START)
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), **SERVER)
