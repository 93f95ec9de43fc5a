"""YAML as people write it means what the same JSON means."""

import pytest
import yaml

from rules.adapters.http.bodies import parse_yaml


def test_dates_clock_times_and_words_stay_text() -> None:
    parsed = parse_yaml(b"from: 2026-01-01\nhours: [09:00-18:00, 12:30]\nlanguages: [en, no]\nanswer: yes\nid: 0123\nb: 1_000\n")
    assert parsed == {
        "from": "2026-01-01",
        "hours": ["09:00-18:00", "12:30"],
        "languages": ["en", "no"],
        "answer": "yes",
        "id": "0123",
        "b": "1_000",
    }


def test_numbers_booleans_and_null_are_json_s() -> None:
    assert parse_yaml(b"{a: 1, b: -2, c: 0.5, d: true, e: false, f: null, g: ~, h: , i: '1'}") == {
        "a": 1,
        "b": -2,
        "c": 0.5,
        "d": True,
        "e": False,
        "f": None,
        "g": None,
        "h": None,
        "i": "1",
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "!!python/object/apply:os.system ['true']",
        "a: !!binary aGk=",
        "1: 2",
        "a: !!set {b}",
        "a: [",
        "\t- x: y",
    ],
)
def test_what_json_cannot_say_is_refused(text: str) -> None:
    with pytest.raises((yaml.YAMLError, TypeError, ValueError)):
        parse_yaml(text.encode())
