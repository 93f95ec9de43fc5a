"""Entries are listed whole; a contest is committed to once, and drawn once: with a person's word, or fetched as it was made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from antiphon_cli.app import build

Run = Callable[..., Result]

CERTIFICATE = b'{ "winners": [{"entry": "e1"}], "alternates": [{"entry": "e2"}] }'
LONG = "3f" * 32
"""An id as they are: wider than what is left on a terminal, and never cut."""

COMMITTED = {"commitment": "ab" * 32, "committed_time": "2026-06-01T08:00:00Z", "committed_by": "k1"}
NOT_COMMITTED = {"code": "not_found", "detail": "The campaign has no contest that was committed to."}
DRAWN, NOT_DRAWN = {"drawn_time": "2026-09-01T08:00:00Z"}, {"drawn_time": None}


@pytest.fixture
def run(server: Any, tmp_path: Path) -> Run:
    """Runs the command with a key for the server; there is no terminal."""
    none = {"XDG_CONFIG_HOME": None, "HOME": str(tmp_path), "NO_PROXY": "*", "COLUMNS": "80"}
    env = {**none, "ANTIPHON_URL": server.url, "ANTIPHON_KEY": "ak_secret", "ANTIPHON_BRAND": "acme"}

    def run(*words: object) -> Result:
        ended = CliRunner().invoke(build(), ["campaign", *map(str, words)], env=env)
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return ended

    return run


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {
        "entry_id": name, "event_time": "2026-07-01T12:30:00Z", "state": "eligible", "reason": "", "platform": "instagram",
        "author": "8100", "handle": "ana", "object": f"post-{name}", "flags": [], "text": "My summer", **more,
    }  # fmt: skip


def paths(server: Any) -> list[str]:
    return [f"{method} {path.removeprefix('/v1/brands/acme/campaigns/')}" for method, path, _ in server.asked]


def test_all_pages_of_entries_are_listed_with_what_speaks_against_them(server: Any, run: Run) -> None:
    server.says(
        200, {"items": [entry(LONG, flags=[{"flag": "bot", "detail": ""}, {"flag": "tag_farm", "detail": ""}])], "next": "e1"}
    )
    server.says(200, {"items": [entry("e2", handle="", text="[red]\n\x1b[2J" + "x" * 100)], "next": None})
    listed = run("entries", "summer", "--state", "eligible")
    assert listed.exit_code == 0, listed.stderr
    assert paths(server) == [
        "GET summer/entries?limit=100&state=eligible",
        "GET summer/entries?limit=100&after=e1&state=eligible",
    ]
    _, first, second = listed.stdout.splitlines()
    assert first.split() == [LONG, "2026-07-01", "12:30", "eligible", "instagram", "ana", "bot,", "tag_farm", "My", "summer"]
    assert "8100" in second
    assert "[red]" in second, "a stranger's text is no markup"
    assert ("\x1b" in second, "x" * 40 in second) == (False, False)


def test_each_entry_is_one_line_for_programs(server: Any, run: Run) -> None:
    entries = [entry("e1", text="a\nb"), entry("e2")]
    server.says(200, {"items": entries, "next": None})
    listed = run("entries", "summer", "--waiting", "--json")
    assert [orjson.loads(line) for line in listed.stdout.splitlines()] == entries
    assert paths(server) == ["GET summer/entries?limit=100&waiting=true"]


def test_the_commitment_stands_alone_on_the_output(server: Any, run: Run) -> None:
    server.says(404, NOT_COMMITTED)
    server.says(200, COMMITTED)
    committed = run("commit", "summer")
    assert committed.exit_code == 0, committed.stderr
    assert committed.stdout == "ab" * 32 + "\n"
    assert "publish it" in committed.stderr
    assert paths(server) == ["GET summer/contest", "POST summer/contest:commit"]


def test_what_was_committed_to_is_fetched_by_whoever_may_read(server: Any, run: Run) -> None:
    server.says(200, COMMITTED)
    fetched = run("commit", "summer", "--json")
    assert orjson.loads(fetched.stdout) == COMMITTED
    assert paths(server) == ["GET summer/contest"]


@pytest.mark.parametrize("place", ["look", "commit"])
def test_a_commitment_that_is_refused_is_told_as_the_api_says_it(server: Any, run: Run, place: str) -> None:
    if place == "commit":
        server.says(404, NOT_COMMITTED)
    server.says(403, {"code": "forbidden", "detail": "This needs the role admin."})
    refused = run("commit", "summer")
    assert (refused.exit_code, refused.stdout, "This needs the role admin." in refused.stderr) == (2, "", True)


def test_a_draw_needs_a_persons_word(server: Any, run: Run, tmp_path: Path) -> None:
    server.says(200, NOT_DRAWN)
    refused = run("draw", "summer", "-o", tmp_path / "c.json")
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)
    assert paths(server) == ["GET summer/contest"]


def test_the_certificate_is_written_as_it_came_and_the_drawn_are_named(server: Any, run: Run, tmp_path: Path) -> None:
    server.says(200, NOT_DRAWN)
    server.says(200, {"any": "thing"})
    server.says(200, CERTIFICATE)
    server.says(200, entry("e1"))
    server.says(200, entry("e2", handle="ben"))
    drawn = run("draw", "summer", "--yes", "--json", "-o", tmp_path / "c.json")
    assert drawn.exit_code == 0, drawn.stderr
    assert (tmp_path / "c.json").read_bytes() == CERTIFICATE
    found = [(one["role"], one["place"], one["handle"], one["entry_id"]) for one in orjson.loads(drawn.stdout)]
    assert found == [("winner", 1, "ana", "e1"), ("alternate", 1, "ben", "e2")]
    made = ["GET summer/contest", "POST summer/contest:draw", "GET summer/contest/certificate"]
    assert paths(server) == [*made, "GET summer/entries/e1", "GET summer/entries/e2"]


def test_a_draw_that_was_made_is_fetched_and_never_made_again(
    server: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for body in (DRAWN, CERTIFICATE, entry("e1"), entry("e2")):
        server.says(200, body)
    fetched = run("draw", "summer")
    assert (tmp_path / "acme-summer-certificate.json").read_bytes() == CERTIFICATE
    assert not any(path.startswith("POST") for path in paths(server))
    assert "winner 1" in fetched.stdout
    assert "wrote acme-summer-certificate.json" in fetched.stderr


def test_a_place_that_cannot_be_written_is_said(server: Any, run: Run, tmp_path: Path) -> None:
    server.says(200, DRAWN)
    server.says(200, CERTIFICATE)
    failed = run("draw", "summer", "-o", tmp_path / "none" / "c.json")
    assert (failed.exit_code, "the draw itself is kept" in failed.stderr) == (2, True)


def test_a_contest_that_nobody_committed_to_is_told_as_the_api_says_it(server: Any, run: Run) -> None:
    server.says(404, NOT_COMMITTED)
    refused = run("draw", "summer", "--yes")
    assert (refused.exit_code, "no contest that was committed to" in refused.stderr) == (2, True)
