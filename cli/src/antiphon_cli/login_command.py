"""`antiphon login`."""

import sys
from typing import Annotated, Any

import typer

from antiphon_cli.client import Api
from antiphon_cli.console import markup, remarks
from antiphon_cli.errors import Failure
from antiphon_cli.options import Brand
from antiphon_cli.settings import Settings, config_path, load, save


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("login", epilog="Example: antiphon login --brand acme; antiphon login --with-key < key.txt")(_login)


def _login(
    context: typer.Context,
    brand: Brand = "",
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Read the key from standard input instead of asking for it.")
    ] = False,
) -> None:
    """Keep address, key and brand for the next commands, in a file that only you can read. The key is tried first."""
    told = context.find_root().params
    known = load(url=told.get("url") or "", key_file=told.get("key_file"), brand=brand)
    url = told.get("url") or _ask("Address of the API", known.url)
    key = sys.stdin.readline().strip() if with_key else _ask("API key", known.key if told.get("key_file") else "", hidden=True)
    wanted = Settings(url=url.rstrip("/"), key=key, brand=brand).complete()
    with Api(wanted) as api:
        brands = [item["brand"] for item in api.items("/v1/brands")]
    chosen = _brand(brand, brands)
    path = save(Settings(url=wanted.url, key=wanted.key, brand=chosen))
    remarks().print(f"logged in{f' to brand {chosen}' if chosen else ''}; kept in {markup(path)}")
    if len(brands) > 1 and not brand:
        remarks().print(f"brands of this key: {', '.join(brands)}; choose with --brand")


def _ask(question: str, known: str, *, hidden: bool = False) -> str:
    if known:
        return known
    if not sys.stdin.isatty():
        raise Failure(f"{question.lower()}: nobody can be asked here", f"say --url and --with-key; {config_path()} keeps both")
    answer: Any = typer.prompt(question, hide_input=hidden, err=True)
    return str(answer).strip()


def _brand(told: str, brands: list[str]) -> str:
    if told and told not in brands:
        raise Failure(f"this key knows no brand {told!r}", f"brands of this key: {', '.join(brands) or 'none'}")
    return told or (brands[0] if len(brands) == 1 else "")
