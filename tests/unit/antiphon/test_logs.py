"""A log line is one line of JSON, without secrets, whatever is logged."""

import logging
import sys

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.logs import JsonFormatter, redact


def line(message: str, *values: object, **extra: object) -> str:
    record = logging.makeLogRecord({"name": "svc", "levelno": 20, "levelname": "INFO", "msg": message, "args": values, **extra})
    return JsonFormatter("svc").format(record)


def test_a_line_says_when_who_and_what() -> None:
    parsed = orjson.loads(line("took %d", 3, topic="t", offset=7))
    assert parsed["time"].endswith("+00:00")
    del parsed["time"]
    assert parsed == {"level": "info", "service": "svc", "logger": "svc", "message": "took 3", "topic": "t", "offset": 7}


def test_line_breaks_cannot_forge_a_second_line() -> None:
    forged = line('hello\n{"level":"error"}\r\u2028 %s', "\nmore", topic="a\nb")
    assert len(forged.splitlines()) == 1 or "\n" not in forged
    assert "\n" not in forged
    assert "\r" not in forged
    assert orjson.loads(forged)["message"].startswith('hello\n{"level"')


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=80))
def test_any_text_gives_one_readable_line(text: str) -> None:
    formatted = line("%s", text)
    assert "\n" not in formatted
    assert orjson.loads(formatted)["level"] == "info"


@pytest.mark.parametrize(
    "text",
    [
        "GET https://graph.example/me?access_token=canary123&fields=id",
        "Authorization: Bearer canary123",
        "key ak_0123456789ab_canary123 was used",
        "mongodb://user:canary123@host/db",
        "redis://:canary123@host:6379/0",
        "two: access_token=canary123 and Bearer   canary123",
    ],
)
def test_credentials_are_replaced_wherever_they_come_from(text: str) -> None:
    assert "canary123" not in redact(text)
    assert "***" in redact(text)
    assert "canary123" not in line("%s", text)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        assert "canary123" not in line("failed", exc_info=sys.exc_info())


def test_ordinary_text_stays() -> None:
    for text in ("posted to https://graph.example/v1/me", "the bearer of news", "break_ak_ing", "10:30 a@b"):
        assert redact(text) == text


def test_fields_that_are_not_on_the_list_stay_out() -> None:
    assert "canary" not in line("posted", body="canary", headers={"x": "canary"}, event_id="e1")
    assert "e1" in line("posted", event_id="e1")
