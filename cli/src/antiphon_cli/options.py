"""What commands share: who calls which brand, as options."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from antiphon_cli.client import Api
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.remote import BrandApi
from antiphon_cli.settings import Settings, load

Brand = Annotated[
    str, typer.Option("--brand", "-b", metavar="ID", help="The brand; else ANTIPHON_BRAND, else that of the login.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files are.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def settings(context: typer.Context, brand: str = "") -> Settings:
    """Return the settings in force, with the options before the command. Raises Failure."""
    told = context.find_root().params
    return load(url=told.get("url") or "", key_file=told.get("key_file"), brand=brand).complete()


def api(context: typer.Context) -> Api:
    """Return a connection. Raises Failure."""
    return Api(settings(context))


def confirm(question: str) -> None:
    """Return if a person at the terminal says yes. Raises Failure."""
    if not sys.stdin.isatty():
        raise Failure("nobody can be asked here", "say --yes")
    if not typer.confirm(question, err=True):
        raise Failure("nothing was changed", code=Exit.NO)


def brand_api(context: typer.Context, brand: str) -> BrandApi:
    """Return a connection and the brand it is about. Raises Failure."""
    found = settings(context, brand)
    return BrandApi(Api(found), found.of_brand())
