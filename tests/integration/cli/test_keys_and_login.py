"""Keys are made, rotated and ended; a token is shown once and never asked for on the command line."""

import stat
from pathlib import Path
from typing import Any

import orjson
import pytest


def test_a_key_lives_from_create_to_revoke(cli: Any, brand: str, installation: Any, tmp_path: Path) -> None:
    token_file = tmp_path / "ci.token"
    made = cli("keys", "create", "--name", "ci", "--role", "editor", "--brand", brand, "--days", 30, "--token-file", token_file)
    assert made.code == 0, made.err
    token = token_file.read_text().strip()
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert token not in made.out + made.err
    key = next(item for item in orjson.loads(cli("keys", "list", "--json").out) if item["brands"] == [brand])
    assert (key["name"], key["role"], key["revoked"]) == ("ci", "editor", False)
    assert "ci" in cli("keys", "list").out

    rotated = cli("keys", "rotate", key["key_id"], "--overlap-hours", 1)
    assert rotated.code == 0, rotated.err
    assert (rotated.out.startswith("ak_"), len(rotated.out.split())) == (True, 1)
    assert f"the old key {key['key_id']} ends" in rotated.err

    asked = cli("keys", "revoke", key["key_id"])
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert cli("keys", "revoke", key["key_id"], "--yes").code == 0
    ended = {item["key_id"]: item for item in orjson.loads(cli("keys", "list", "--json").out)}
    assert ended[key["key_id"]]["revoked"] is True


def test_a_token_file_is_never_overwritten_and_no_empty_one_is_left(cli: Any, brand: str, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("precious")
    refused = cli("keys", "create", "--name", "x", "--role", "viewer", "--brand", brand, "--token-file", taken)
    assert (refused.code, taken.read_text()) == (2, "precious")
    fresh = tmp_path / "fresh"
    unknown = cli("keys", "create", "--name", "", "--role", "viewer", "--brand", brand, "--token-file", fresh)
    assert (unknown.code, fresh.exists()) == (2, False)
    assert "/name" in unknown.err


def test_login_tries_the_key_and_keeps_it_for_the_next_commands(bare_cli: Any, installation: Any, brand: str) -> None:
    done = bare_cli("--url", installation.url, "login", "--with-key", "--brand", brand, stdin=installation.token + "\n")
    assert done.code == 0, done.err
    assert installation.token not in done.out + done.err
    path = bare_cli.home / ".config/antiphon/config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert bare_cli("keys", "list").code == 0
    assert bare_cli("rules", "pull", bare_cli.home / "config").code == 0

    wrong = bare_cli("--url", installation.url, "login", "--with-key", stdin="ak_000000000000_" + "x" * 43 + "\n")
    assert (wrong.code, "antiphon login" in wrong.err) == (2, True)
    assert installation.token in path.read_text()
    other = bare_cli("--url", installation.url, "login", "--with-key", "--brand", "nobodys", stdin=installation.token + "\n")
    assert (other.code, "knows no brand" in other.err) == (2, True)


def test_a_key_may_stand_in_a_file(bare_cli: Any, installation: Any, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(installation.token + "\n")
    assert bare_cli("--url", installation.url, "--key-file", tmp_path / "key", "keys", "list").code == 0
    assert bare_cli("keys", "list", "--key", installation.token).code == 2


def test_what_is_not_allowed_or_not_there_is_told_with_a_remedy(cli: Any, brand: str, installation: Any) -> None:
    viewer = cli("keys", "create", "--name", "v", "--role", "viewer", "--brand", brand).out.strip()
    refused = cli.with_env(ANTIPHON_KEY=viewer)("keys", "list")
    assert (refused.code, "higher role" in refused.err) == (2, True)
    absent = cli("keys", "revoke", "0" * 12, "--yes")
    assert (absent.code, "check the spelling" in absent.err) == (2, True)
    foreign = cli("rules", "pull", "nowhere", "--brand", "no-such-brand")
    assert (foreign.code, "no brand 'no-such-brand'" in foreign.err) == (2, True)
    away = cli.with_env(ANTIPHON_URL="http://127.0.0.1:9")("keys", "list")
    assert (away.code, "no answer from" in away.err) == (2, True)


@pytest.mark.parametrize("url", ["nonsense", "http://[", "ftp://x.example"])
def test_an_address_that_is_none_is_no_traceback(cli: Any, url: str) -> None:
    said = cli.with_env(ANTIPHON_URL=url)("keys", "list")
    assert (said.code, said.err.startswith("error: ")) == (2, True)
