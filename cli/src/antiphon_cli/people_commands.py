"""`antiphon people export | forget | status`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from antiphon_cli.client import Api, Refused
from antiphon_cli.console import markup, print_json, remarks
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.options import Brand, Yes, confirm, settings

_Person = Annotated[str, typer.Argument(metavar="PLATFORM:ID", help="The person, by the platform's id: facebook:7001.")]

_LISTS: Final = ("deliveries", "entries")
"""What the publisher holds, each a list under a path of its own."""

_WAIT_S = 1.0


def register(people: typer.Typer) -> None:
    """Add the commands."""
    people.command("export", epilog="Example: antiphon people export facebook:7001 > person.json")(_export)
    people.command("forget", epilog="Example: antiphon people forget facebook:7001 --wait 60")(_forget)
    people.command("status", epilog="Example: antiphon people status facebook:7001")(_status)


def _export(context: typer.Context, person: _Person, brand: Brand = "") -> None:
    """Print everything that is held about a person as one JSON document."""
    with _person(context, brand, person) as (connection, path):
        held = {**connection.get(path), **{part: [] for part in (*_LISTS, "measures")}}
        for part in _LISTS:
            with _if_there():
                held[part] = list(connection.items(f"{path}/{part}"))
        with _if_there():
            measured = connection.get(f"{path}/measures")
            held |= {"measures": measured["items"], "cut": held["cut"] or measured["cut"]}
    print_json(held)
    if held["cut"]:
        remarks().print("cut: of decisions or measures there are more than one export holds")


@contextmanager
def _if_there() -> Iterator[None]:
    """Let it be that an installation has no such service: then that holds nothing."""
    try:
        yield
    except Refused as refused:
        if not refused.is_absent:
            raise


def _forget(
    context: typer.Context,
    person: _Person,
    brand: Brand = "",
    yes: Yes = False,
    wait: Annotated[float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait until it is done.")] = 60.0,
) -> None:
    """Forget a person everywhere. Totals keep their values; nothing brings the person back."""
    if not yes:
        confirm(f"Forget {person} for good?")
    with _person(context, brand, person) as (connection, path):
        state = connection.change("DELETE", path)
        deadline = time.monotonic() + wait
        while not state["complete"] and time.monotonic() < deadline:
            time.sleep(_WAIT_S)
            state = connection.get(f"{path}/erasure")
    _tell(state)


def _status(context: typer.Context, person: _Person, brand: Brand = "") -> None:
    """Tell who has forgotten a person, and who has yet to."""
    with _person(context, brand, person) as (connection, path):
        _tell(connection.get(f"{path}/erasure"))


def _tell(state: dict[str, Any]) -> None:
    for holder, when in state["done"].items():
        remarks().print(f"{markup(holder)}: {when or 'not yet'}")
    if not state["complete"]:
        raise typer.Exit(Exit.NO)


@contextmanager
def _person(context: typer.Context, brand: str, person: str) -> Iterator[tuple[Api, str]]:
    if ":" not in person:
        raise Failure(f"{person!r} is no person", "write the platform and its id: facebook:7001")
    found = settings(context, brand)
    with Api(found) as connection:
        yield connection, f"/v1/brands/{found.of_brand()}/people/{quote(person, safe=':')}"
