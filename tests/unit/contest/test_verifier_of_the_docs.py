"""The verifier that `docs/contests.md` prints is short, shares nothing with ours, and comes to the same verdict."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contest import Beacon, make_certificate, verify
from contest.example import CONTEST, DRAWN, ENTRIES, SEED

PAGE = Path(__file__).parents[3] / "docs" / "contests.md"

Document = dict[str, Any]
Judge = Callable[[Document], str]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Run the page's program on a certificate; return its complaint."""
    found = re.search(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert found
    program, certificate = tmp_path / "verify.py", tmp_path / "certificate.json"
    program.write_text(found[1])

    def run(document: Document) -> str:
        certificate.write_text(json.dumps(document))
        done = subprocess.run([sys.executable, "-I", program, certificate], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == (done.stderr == "")
        return done.stderr

    return run


def test_it_is_short_and_stands_alone() -> None:
    program = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    assert len([line for line in program.splitlines() if line]) <= 30
    assert "contest" not in program
    assert "antiphon_" not in program


@pytest.mark.parametrize("count", [0, 1, 2, 5, 40])
@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("beacon", [None, Beacon("Lotto of 2026-04-01", "3 11 19")])
def test_it_accepts_what_we_draw(judge: Judge, count: int, compact: bool, beacon: Beacon | None) -> None:
    document = make_certificate(replace(CONTEST, beacon=beacon), SEED, ENTRIES[:count], at=DRAWN, compact=compact)
    assert judge(document) == ""
    assert verify(document) == []


def other_entry(document: Document) -> None:
    document["entries"][5] += "x"


def other_seed(document: Document) -> None:
    document["seed"] = "0" * 64


def other_order(document: Document) -> None:
    document["winners"].reverse()


def other_alternate(document: Document) -> None:
    document["alternates"][2]["entry"] = document["entries"][0]


def dropped(document: Document) -> None:
    del document["entries"][3]


def other_close(document: Document) -> None:
    document["closed"] = "2026-04-01T00:00:01+02:00"


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (other_entry, "an entry was altered"),
        (other_seed, "not the seed"),
        (other_order, "not the winners"),
        (other_alternate, "not the alternates"),
        (dropped, "entries are missing"),
        (other_close, "not the winners"),
    ],
)
def test_it_refuses_what_we_refuse(judge: Judge, alter: Callable[[Document], None], words: str) -> None:
    document = make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN)
    alter(document)
    assert words in judge(document)
    assert verify(document)
