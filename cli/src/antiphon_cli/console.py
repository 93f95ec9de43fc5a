"""Words and colours for the terminal; plain lines where it is none. NO_COLOR is respected."""

import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from antiphon_cli.client import Refused
from antiphon_cli.documents import Document, dump
from antiphon_cli.errors import Failure
from antiphon_cli.meaning import meaning
from antiphon_cli.plan import Difference, Plan, Status, Step

_JOINER = "\u200d"
"""Holds composed emoji together."""

_WIDEST = 1_000
"""Characters of a line that is not cut: more than any table of ours has."""

_VERBS = {"create": "green", "save": "yellow", "activate": "green", "pause": "yellow", "archive": "red", "delete": "red"}


def screen() -> Console:
    """Return where results go."""
    return Console(highlight=False, soft_wrap=True)


def remarks() -> Console:
    """Return where everything else goes: questions, progress, complaints."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def show_whole(shown: Table | Tree) -> None:
    """Print what holds long ids and texts, which people copy and read: nothing is cut, a narrow terminal wraps its lines."""
    Console(highlight=False, soft_wrap=True, width=_WIDEST).print(shown)


def complain(failure: Failure) -> None:
    """Say what went wrong and what to do about it."""
    console = remarks()
    console.print(Text.assemble(("error: ", "bold red"), failure.message))
    if isinstance(failure, Refused):
        for error in failure.errors:
            console.print(Text(f"  {error.get('pointer') or '/'}: {error.get('detail', '')}"))
    if failure.remedy:
        console.print(Text.assemble(("hint: ", "bold cyan"), failure.remedy))


def complain_of_file(refusal: Refused, document: Document, below: str = "") -> None:
    """Say what the API found wrong in a file, each with its line; `below`: the pointer to the file's content in the request."""
    console = remarks()
    console.print(Text.assemble(("error: ", "bold red"), f"{document.path}: {refusal.message}"))
    for error in refusal.errors:
        pointer = str(error.get("pointer", "")).removeprefix(below)
        console.print(Text.assemble((f"  {document.place(pointer)}", "bold"), f" {pointer}: {error.get('detail', '')}"))


def show_plan(plan: Plan) -> None:
    """List the steps, and what is left alone."""
    console = screen()
    for step in plan.steps:
        note = f"  ({step.note})" if step.note else ""
        console.print(Text.assemble((f"{step.verb.value:>9}", _VERBS[step.verb.value]), f"  {step.key}{note}"))
    _left("changed there since the last pull, left alone", plan.behind)
    _left("has no file any more, left alone without --prune", plan.kept)
    _left("changed here and there", plan.conflicts)


def _left(why: str, left: Iterable[Difference]) -> None:
    for each in left:
        remarks().print(Text.assemble(("     note", "cyan"), f"  {each.key}: {why}"))


def show_done(step: Step, answer: Any) -> None:
    """Say that a step was carried out."""
    fields = answer if isinstance(answer, dict) else {}
    version = f" version {fields['latest_version']}" if "latest_version" in fields else ""
    screen().print(Text.assemble(("     done", "green"), f"  {step.key}: {step.verb.value}{version}{later(fields)}"))


def later(answer: Mapping[str, Any]) -> str:
    """Return what is to be added to the news of a change that is saved and not yet in force."""
    return "" if answer.get("live", True) else ", live as soon as the line takes it"


def show_differences(found: Sequence[Difference]) -> None:
    """Show each difference as a push would make it: what the brand says with -, what the file says with +."""
    console = screen()
    for each in found:
        if each.status is not Status.HERE:
            console.print(Text(f"# {each.key}: {each.status.value}", "bold magenta"))
        for line in unified(each):
            console.print(Text(line, _colour(line)))


def unified(each: Difference) -> list[str]:
    """Return the lines of a difference in what is meant; the form of the file plays no part."""
    before = _lines(each.there.document if each.there else None)
    after = _lines(each.here)
    old = f"brand/{each.key}" if each.there else "/dev/null"
    new = f"files/{each.key}" if each.here is not None else "/dev/null"
    return [line.rstrip("\n") for line in difflib.unified_diff(before, after, old, new)]


def _lines(document: Mapping[str, Any] | None) -> list[str]:
    return [] if document is None else dump(meaning(document)).splitlines(keepends=True)


def _colour(line: str) -> str:
    if line.startswith(("---", "+++")):
        return "bold"
    return {"-": "red", "+": "green", "@": "cyan"}.get(line[:1], "")


def one_line(text: object) -> str:
    """Return a stranger's text on one line, without anything that steers a terminal."""
    return "".join(character if character.isprintable() or character == _JOINER else " " for character in str(text)).strip()


def markup(text: object) -> str:
    """Return a stranger's text for a place that reads markup, where it stands for itself."""
    return escape(one_line(text))


def print_json(value: Any, *, indented: bool = True) -> None:
    """Print a value for programs; not indented it stands on one line."""
    option = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indented else 0)
    sys.stdout.buffer.write(orjson.dumps(value, option=option))
    sys.stdout.buffer.flush()
