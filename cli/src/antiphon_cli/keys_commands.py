"""`antiphon keys list | create | rotate | revoke`."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from antiphon_cli.console import markup, print_json, remarks, screen
from antiphon_cli.errors import Failure
from antiphon_cli.options import Json, Yes, api, confirm

_KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The id, as `antiphon keys list` shows it.")]
_TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help="Write the token there, readable by you alone; else it is printed."),
]
_Role = Literal["viewer", "editor", "approver", "admin"]


def register(keys: typer.Typer) -> None:
    """Add the commands."""
    keys.command("list")(_list)
    keys.command("create", epilog="Example: antiphon keys create --name ci --brand acme --role editor --token-file ci.token")(
        _create
    )
    keys.command("rotate", epilog="Example: antiphon keys rotate 3f9k2m1x8d0a --overlap-hours 48")(_rotate)
    keys.command("revoke", epilog="Example: antiphon keys revoke 3f9k2m1x8d0a")(_revoke)


def _list(context: typer.Context, as_json: Json = False) -> None:
    """List the keys that reach no brand that yours does not."""
    with api(context) as connection:
        found = list(connection.items("/v1/keys"))
    if as_json:
        print_json(found)
        return
    table = Table("key", "name", "role", "brands", "ends", box=None, pad_edge=False)
    for key in found:
        ends = "revoked" if key["revoked"] else str(key["expires_time"])[:16]
        table.add_row(key["key_id"], markup(key["name"]), key["role"], markup(", ".join(key["brands"])), ends)
    screen().print(table)


def _create(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", help="What people see in the list: who or what uses it.")],
    role: Annotated[_Role, typer.Option("--role", help="What it may do.")],
    brand: Annotated[list[str], typer.Option("--brand", "-b", metavar="ID", help="A brand it is for; repeat it; '*' is all.")],
    days: Annotated[int | None, typer.Option("--days", min=1, help="How long it works; a year unless told.")] = None,
    token_file: _TokenFile = None,
) -> None:
    """Make a key. Its token is shown this once."""
    body: dict[str, Any] = {"name": name, "role": role, "brands": brand}
    if days is not None:
        body["expires_days"] = days
    with _token_place(token_file) as take, api(context) as connection:
        take(connection.post("/v1/keys", body))


def _rotate(
    context: typer.Context,
    key: _KeyId,
    overlap_hours: Annotated[int, typer.Option("--overlap-hours", min=0, max=168, help="How long the old one still works.")] = 24,
    token_file: _TokenFile = None,
) -> None:
    """Make a successor with the same reach; the old key ends after the overlap."""
    with _token_place(token_file) as take, api(context) as connection:
        found = connection.get(f"/v1/keys/{key}")
        made = connection.post(f"/v1/keys/{key}:rotate", {"overlap_hours": overlap_hours}, match=found["generation"])
        take(made["key"])
        remarks().print(f"the old key {key} ends {made['old']['expires_time']}")


def _revoke(context: typer.Context, key: _KeyId, yes: Yes = False) -> None:
    """End a key now."""
    with api(context) as connection:
        found = connection.get(f"/v1/keys/{key}")
        if not yes:
            confirm(f"End the key {key} ({found['name']}, {found['role']}) now?")
        connection.change("DELETE", f"/v1/keys/{key}", match=found["generation"])
    remarks().print(f"revoked {key}")


@contextmanager
def _token_place(path: Path | None) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield what shows or writes a new key's token. A file is opened before the key is made, so that no token is lost."""
    if path is None:
        yield _show_token
        return
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", "choose a file that does not exist") from error

    def write(made: Mapping[str, Any]) -> None:
        os.write(file, f"{made['token']}\n".encode())
        remarks().print(f"{_told(made)}; token written to {markup(path)}")

    try:
        yield write
    except Failure:
        path.unlink()
        raise
    finally:
        os.close(file)


def _show_token(made: Mapping[str, Any]) -> None:
    remarks().print(f"{_told(made)}; its token is shown this once:")
    print(made["token"])  # noqa: T201 (alone on standard output, so that it can be piped to where secrets are kept)


def _told(made: Mapping[str, Any]) -> str:
    return markup(f"key {made['key_id']} ({made['role']}, {', '.join(made['brands'])}) ends {made['expires_time']}")
