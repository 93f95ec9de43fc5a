"""The command `antiphon` as people run it, against a configuration API that runs as its own process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from antiphon_cli.app import build
from antiphon_local.line.processes import Line
from antiphon_local.services import LocalServices


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the command ended."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Cli:
    """Runs `antiphon` with an environment of its own: no configuration file of whoever runs the tests."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object, stdin: str = "") -> Ran:
        """Run it to its end in this process, which saves starting one; there is no terminal."""
        ended = CliRunner().invoke(build(), [str(argument) for argument in arguments], input=stdin, env=self._own())
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ran(ended.exit_code, ended.stdout, ended.stderr)

    def start(self, *arguments: object, **streams: Any) -> subprocess.Popen[bytes]:
        """Start it as a process, as a shell does."""
        argv = [sys.executable, "-m", "antiphon_cli", *map(str, arguments)]
        env = {name: value for name, value in {**os.environ, **self._own()}.items() if value is not None}
        return subprocess.Popen(argv, env=env, **streams)

    def _own(self) -> dict[str, str | None]:
        none = dict.fromkeys(("ANTIPHON_URL", "ANTIPHON_KEY", "ANTIPHON_BRAND", "XDG_CONFIG_HOME"))
        return {**none, "HOME": str(self.home), "NO_PROXY": "*", "COLUMNS": "200", **self.env}

    def with_env(self, **env: str) -> "Cli":
        """Return the command with other settings."""
        return Cli(self.home, {**self.env, **env})


@dataclass(slots=True)
class Installation:
    """A running API and its admin key."""

    url: str
    token: str

    def call(self, method: str, path: str, body: object = None, *, match: str | None = None) -> httpx.Response:
        """Call the API as somebody else would, past the command."""
        headers = {"Authorization": f"Bearer {self.token}"} | ({"If-Match": match} if match else {})
        answer = httpx.request(method, self.url + path, json=body, headers=headers, timeout=30, trust_env=False)
        assert answer.is_success, answer.text
        return answer


@pytest.fixture(scope="session")
def installation(
    local_services: LocalServices, tmp_path_factory: pytest.TempPathFactory, unique_name: Callable[[str], str]
) -> Iterator[Installation]:
    """A rules API with a database of its own."""
    env = {"MONGO_DATABASE": unique_name("cli")}
    with Line(local_services, tmp_path_factory.mktemp("cli-line"), env=env, roles=("rules-api",)) as line:
        line.wait_working()
        yield Installation(line.addresses["rules-api"].url, line.admin_token())


@pytest.fixture
def brand(installation: Installation, unique_name: Callable[[str], str]) -> str:
    """A fresh brand."""
    name = unique_name("acme")
    installation.call("POST", "/v1/brands", {"id": name, "name": "Acme", "languages": ["en", "de"]})
    return name


@pytest.fixture
def bare_cli(tmp_path: Path) -> Cli:
    """The command without any settings."""
    home = tmp_path / "home"
    home.mkdir()
    return Cli(home)


@pytest.fixture
def cli(bare_cli: Cli, installation: Installation, brand: str) -> Cli:
    """The command with the admin's key and the fresh brand."""
    return bare_cli.with_env(ANTIPHON_URL=installation.url, ANTIPHON_KEY=installation.token, ANTIPHON_BRAND=brand)
