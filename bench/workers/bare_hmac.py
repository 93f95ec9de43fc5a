"""The least that can take a signed webhook: a raw ASGI function under uvicorn that checks the signature and answers 202."""

import hmac
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from bench.workers import SECRET

Message = dict[str, Any]

SERVER = {
    "http": "httptools",
    "loop": "uvloop",
    "lifespan": "off",
    "log_config": None,
    "access_log": False,
    "server_header": False,
}
"""As our own services are served."""


async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    """Answer 202 to a right signature, 401 to a wrong one."""
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body"):
            break
    given = next((value for name, value in scope["headers"] if name == b"x-hub-signature-256"), b"")
    wanted = b"sha256=" + hmac.digest(SECRET, body, "sha256").hex().encode()
    status = 202 if hmac.compare_digest(given, wanted) else 401
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), **SERVER)
