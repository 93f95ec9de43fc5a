"""`antiphon campaign verify`: offline, in words that help, with exit codes for scripts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from antiphon_cli.app import build
from contest.example import example

Run = Callable[..., Result]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.json"
    path.write_text(example())
    return path


@pytest.fixture
def run(certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run it as somebody who has never logged in."""
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    return lambda *arguments: CliRunner().invoke(build(), ["campaign", "verify", str(certificate), *arguments])


def document(path: Path) -> Any:
    return json.loads(path.read_text())


def rewrite(path: Path, changed: object) -> None:
    path.write_text(json.dumps(changed))


def test_a_certificate_that_holds(run: Run, certificate: Path) -> None:
    done = run()
    assert done.exit_code == 0
    drawn = document(certificate)
    assert "holds acme/summer-ugc: 40 entries" in done.output
    assert f"winner 1: {drawn['winners'][0]['entry']}" in done.output
    assert f"alternate 3: {drawn['alternates'][2]['entry']}" in done.output


def test_an_altered_entry_is_named(run: Run, certificate: Path) -> None:
    altered = document(certificate)
    altered["entries"][7] = altered["entries"][7][:-1] + "_"
    rewrite(certificate, altered)
    done = run()
    assert done.exit_code == 1
    assert "wrong /root: the entries do not give this root" in done.output
    assert "does not hold" in done.output


def test_a_missing_field_is_named(run: Run, certificate: Path) -> None:
    altered = document(certificate)
    del altered["commitment"]["published"]
    rewrite(certificate, altered)
    done = run()
    assert done.exit_code == 1
    assert "wrong /commitment/published: this is missing" in done.output


def test_whoever_entered_looks_for_their_entry(run: Run, certificate: Path) -> None:
    drawn = document(certificate)
    second, spare = drawn["winners"][1]["entry"], drawn["alternates"][0]["entry"]
    taken = {place["entry"] for place in drawn["winners"] + drawn["alternates"]}
    other = next(entry for entry in drawn["entries"] if entry not in taken)
    assert f"{second} is winner 2." in run("--entry", second).output
    assert f"{spare} is alternate 1." in run("--entry", spare).output
    done = run("--entry", other)
    assert done.exit_code == 0
    assert f"{other} was in the draw, as number {drawn['entries'].index(other) + 1} of 40" in done.output


def test_an_entry_that_was_not_in_the_draw(run: Run) -> None:
    done = run("--entry", "feed")
    assert done.exit_code == 1
    assert "feed is not among the entries" in done.output


def test_the_commitment_is_compared_with_the_published_one(run: Run, certificate: Path) -> None:
    assert run("--commitment", document(certificate)["commitment"]["sha256"].upper()).exit_code == 0
    done = run("--commitment", "0" * 64)
    assert done.exit_code == 1
    assert "not the commitment that was published" in done.output


def test_for_programs(run: Run, certificate: Path) -> None:
    winner = document(certificate)["winners"][0]
    found = json.loads(run("--json", "--entry", winner["entry"]).output)
    standing = {"index": winner["index"], "winner": 1, "alternate": 0}
    assert found == {"holds": True, "findings": [], "entry": {"id": winner["entry"], "standing": standing}}

    rewrite(certificate, {**document(certificate), "count": 39})
    done = run("--json")
    assert done.exit_code == 1
    assert {finding["code"] for finding in json.loads(done.output)["findings"]} >= {"count", "binding"}


@pytest.mark.parametrize("content", ["", "{", "[]", "<html>not found</html>"])
def test_a_file_that_is_no_certificate(run: Run, certificate: Path, content: str) -> None:
    certificate.write_text(content)
    done = run()
    assert done.exit_code == 2
    assert "no certificate" in done.output
    assert "hint: Download it again" in done.output


def test_a_file_that_is_not_there(run: Run, certificate: Path) -> None:
    certificate.unlink()
    done = run()
    assert done.exit_code == 2
    assert "cannot be read: No such file" in done.output
