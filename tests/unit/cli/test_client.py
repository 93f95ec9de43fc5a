"""Calls of the API: what is tried again, what is not, and what people are told."""

from collections.abc import Iterator
from typing import Any

import pytest

from antiphon_cli.client import Api, Refused
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.settings import Settings


@pytest.fixture
def api(server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("NO_PROXY", "*")
    with Api(Settings(url=server.url, key="ak_secret")) as connection:
        yield connection


def test_a_busy_api_is_asked_again_under_the_same_key(server: Any, api: Api) -> None:
    server.says(503, {}, Retry_After="0")
    server.says(429, {}, Retry_After="0")
    server.says(201, {"id": 7})
    assert api.post("/v1/things", {"a": 1}) == {"id": 7}
    keys = {headers["idempotency-key"] for _, _, headers in server.asked}
    assert (len(server.asked), len(keys)) == (3, 1)
    assert server.asked[0][2]["authorization"] == "Bearer ak_secret"


def test_a_replacement_is_not_repeated_when_it_may_have_been_done(server: Any, api: Api) -> None:
    server.says(503, {"detail": "away", "code": "unavailable"}, Retry_After="0")
    with pytest.raises(Refused, match="away") as refused:
        api.change("PUT", "/v1/things/a", {}, match=3)
    assert (len(server.asked), server.asked[0][2]["if-match"], refused.value.status) == (1, '"3"', 503)


def test_a_long_pause_is_said_and_not_waited_for(server: Any, api: Api) -> None:
    server.says(429, {"detail": "too many", "code": "rate"}, Retry_After="3600")
    with pytest.raises(Refused, match="too many"):
        api.get("/v1/things")


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [(401, Exit.FAILED, "antiphon login"), (403, Exit.FAILED, "higher role"), (412, Exit.CONFLICT, ""), (422, Exit.FAILED, "")],
)
def test_refusals_keep_what_the_api_said(server: Any, api: Api, status: int, code: Exit, remedy: str) -> None:
    problem = {"code": "some_code", "detail": "In words.", "errors": [{"pointer": "/a/0", "detail": "not so"}, "odd"]}
    server.says(status, problem)
    with pytest.raises(Refused) as refused:
        api.change("DELETE", "/v1/things/a")
    assert (refused.value.code, refused.value.message, refused.value.problem_code) == (code, "In words.", "some_code")
    assert remedy in refused.value.remedy
    assert refused.value.errors == [{"pointer": "/a/0", "detail": "not so"}]


def test_whoever_else_answers_is_told_apart(server: Any, api: Api) -> None:
    server.says(200, b"<html>")
    with pytest.raises(Failure, match="not Antiphon"):
        api.get("/")
    server.says(502, b"<html>")
    with pytest.raises(Refused, match="the API answered 502"):
        api.get("/")
    server.says(204, b"")
    assert api.post("/v1/things") is None


def test_pages_are_read_to_the_end(server: Any, api: Api) -> None:
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
