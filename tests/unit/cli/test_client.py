"""Calls of the API: what is tried again, what is not, and what people are told."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from typing_extensions import override

from antiphon_cli.client import Api, Refused
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.settings import Settings

Answer = tuple[int, dict[str, str], bytes]


class Server:
    """Answers as told, one after the other, and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def says(self, status: int, body: object = None, **headers: str) -> None:
        """Add an answer."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, content))


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, content = told.answers.pop(0)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        told.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        listening.shutdown()
        thread.join()


@pytest.fixture
def api(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("NO_PROXY", "*")
    with Api(Settings(url=server.url, key="ak_secret")) as connection:
        yield connection


def test_a_busy_api_is_asked_again_under_the_same_key(server: Server, api: Api) -> None:
    server.says(503, {}, Retry_After="0")
    server.says(429, {}, Retry_After="0")
    server.says(201, {"id": 7})
    assert api.post("/v1/things", {"a": 1}) == {"id": 7}
    keys = {headers["idempotency-key"] for _, _, headers in server.asked}
    assert (len(server.asked), len(keys)) == (3, 1)
    assert server.asked[0][2]["authorization"] == "Bearer ak_secret"


def test_a_replacement_is_not_repeated_when_it_may_have_been_done(server: Server, api: Api) -> None:
    server.says(503, {"detail": "away", "code": "unavailable"}, Retry_After="0")
    with pytest.raises(Refused, match="away") as refused:
        api.change("PUT", "/v1/things/a", {}, match=3)
    assert (len(server.asked), server.asked[0][2]["if-match"], refused.value.status) == (1, '"3"', 503)


def test_a_long_pause_is_said_and_not_waited_for(server: Server, api: Api) -> None:
    server.says(429, {"detail": "too many", "code": "rate"}, Retry_After="3600")
    with pytest.raises(Refused, match="too many"):
        api.get("/v1/things")


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [(401, Exit.FAILED, "antiphon login"), (403, Exit.FAILED, "higher role"), (412, Exit.CONFLICT, ""), (422, Exit.FAILED, "")],
)
def test_refusals_keep_what_the_api_said(server: Server, api: Api, status: int, code: Exit, remedy: str) -> None:
    problem = {"code": "some_code", "detail": "In words.", "errors": [{"pointer": "/a/0", "detail": "not so"}, "odd"]}
    server.says(status, problem)
    with pytest.raises(Refused) as refused:
        api.change("DELETE", "/v1/things/a")
    assert (refused.value.code, refused.value.message, refused.value.problem_code) == (code, "In words.", "some_code")
    assert remedy in refused.value.remedy
    assert refused.value.errors == [{"pointer": "/a/0", "detail": "not so"}]


def test_whoever_else_answers_is_told_apart(server: Server, api: Api) -> None:
    server.says(200, b"<html>")
    with pytest.raises(Failure, match="not Antiphon"):
        api.get("/")
    server.says(502, b"<html>")
    with pytest.raises(Refused, match="the API answered 502"):
        api.get("/")
    server.says(204, b"")
    assert api.post("/v1/things") is None


def test_pages_are_read_to_the_end(server: Server, api: Api) -> None:
    server.says(200, {"items": [1, 2], "next": "b"})
    server.says(200, {"items": [3], "next": None})
    assert list(api.items("/v1/things", state="active")) == [1, 2, 3]
    assert [path for _, path, _ in server.asked] == [
        "/v1/things?limit=100&state=active",
        "/v1/things?limit=100&after=b&state=active",
    ]


def test_nobody_there_is_a_failure_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with Api(Settings(url="http://127.0.0.1:9", key="k")) as connection, pytest.raises(Failure, match="no answer from") as failed:
        connection.change("PUT", "/v1/things/a", {})
    assert "check the address" in failed.value.remedy
    with pytest.raises(Failure, match="no key has"):
        Api(Settings(url="http://127.0.0.1:9", key="schlüssel"))
