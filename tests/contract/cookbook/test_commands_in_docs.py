"""Every `antiphon …` line in the pages is a command that exists, with options that it has."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from antiphon_cli.app import build

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("marketers.md", "cookbook.md", "cli.md", "contests.md", "reasons.md")


def _lines() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in re.findall(r"^```(?:\w*)\n(.*?)^```", (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL):
            found += [(page, line) for line in block.splitlines() if line.startswith("antiphon ")]
    return found


def _checked(command: Any, words: list[str], name: str = "antiphon") -> str:
    """Parse words as the command does, without running it; return the name of the command reached."""
    context = command.make_context(name, words, resilient_parsing=False)
    if not hasattr(command, "commands"):
        return str(context.command_path)
    left = [*context._protected_args, *context.args]
    reached, below, rest = command.resolve_command(context, left)
    return f"{name} {_checked(below, rest, reached)}"


def _words(line: str) -> list[str]:
    return shlex.split(re.split("[#<>]", line)[0])[1:]


def test_the_pages_show_every_command() -> None:
    shown = {" ".join(_words(line)) for _, line in _lines()}
    group = get_command(build())
    for name, command in group.commands.items():
        for path in [f"{name} {below}" for below in getattr(command, "commands", ())] or [name]:
            assert any(line == path or line.startswith(f"{path} ") for line in shown), path


@pytest.mark.parametrize(("page", "line"), _lines())
def test_the_command_takes_these_words(page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word for word in _words(line) if word != "--install-completion"]  # which ends the program at once
    for word in words:
        if word.endswith((".yaml", ".json")):  # a file that must exist
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
    assert _checked(get_command(build()), words or ["understand"]), page
