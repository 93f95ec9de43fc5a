"""An API that says what it is told to say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from typing_extensions import override

Answer = tuple[int, dict[str, str], bytes]


class Server:
    """Answers as told, one after the other, and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []

    def says(self, status: int, body: object = None, **headers: str) -> None:
        """Add an answer."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, content))


class Quiet(BaseHTTPRequestHandler):
    """Writes no log."""

    @override
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler: type[Quiet]) -> Iterator[str]:
    """Serve on loopback; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(Quiet):
        def answer(self) -> None:
            told.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            told.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, content = told.answers.pop(0)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

    with serving(Handler) as told.url:
        yield told
