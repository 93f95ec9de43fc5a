"""`antiphon campaign list | show | activate | pause | close`. What a campaign says is a file: see `antiphon rules push`."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from antiphon_cli.console import later, markup, print_json, screen
from antiphon_cli.documents import dump
from antiphon_cli.options import Brand, Json, brand_api

CampaignId = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The id, as `antiphon campaign list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes to the audit log.")]


def register(campaigns: typer.Typer) -> None:
    """Add the commands."""
    campaigns.command("list", epilog="Example: antiphon campaign list --brand acme")(_list)
    campaigns.command("show", epilog="Example: antiphon campaign show summer-ugc")(_show)
    campaigns.command("activate", epilog='Example: antiphon campaign activate summer-ugc --reason "terms checked"')(_activate)
    campaigns.command("pause", epilog='Example: antiphon campaign pause summer-ugc --reason "wrong hashtag in print"')(_pause)
    campaigns.command("close", epilog='Example: antiphon campaign close summer-ugc --reason "prizes are gone"')(_close)


def _list(context: typer.Context, brand: Brand = "", as_json: Json = False) -> None:
    """List the brand's campaigns with their states."""
    remote = brand_api(context, brand)
    with remote.api:
        found = list(remote.api.items(f"{remote.path}/campaigns"))
    if as_json:
        print_json(found)
        return
    table = Table("campaign", "name", "state", "version", "terms", box=None, pad_edge=False)
    for one in found:
        terms = str(one["rights_version"] or "-")
        table.add_row(one["campaign"], markup(one["name"]), one["state"], str(one["latest_version"]), terms)
    screen().print(table)


def _show(context: typer.Context, campaign: CampaignId, brand: Brand = "", as_json: Json = False) -> None:
    """Show a campaign as its file would say it, with its state above."""
    remote = brand_api(context, brand)
    with remote.api:
        found = remote.api.get(f"{remote.path}/campaigns/{campaign}")
    if as_json:
        print_json(found)
        return
    terms = f", terms {found['rights_version']}" if found["rights_version"] else ""
    screen().print(f"# {found['state']}, version {found['latest_version']}{terms}")
    screen().print(Text(dump(found["document"])), end="")


def _activate(context: typer.Context, campaign: CampaignId, reason: Reason, brand: Brand = "") -> None:
    """Let a campaign take entries between its start and its end."""
    _move(context, campaign, brand, "activate", reason)


def _pause(context: typer.Context, campaign: CampaignId, reason: Reason, brand: Brand = "") -> None:
    """Take no entries until it is activated again."""
    _move(context, campaign, brand, "pause", reason)


def _close(context: typer.Context, campaign: CampaignId, reason: Reason, brand: Brand = "") -> None:
    """Take no entries any more. A closed campaign stays closed."""
    _move(context, campaign, brand, "close", reason)


def _move(context: typer.Context, campaign: str, brand: str, move: str, reason: str) -> None:
    remote = brand_api(context, brand)
    with remote.api:
        answer = remote.move(f"{remote.path}/campaigns/{campaign}", f":{move}", reason)
    screen().print(f"{campaign} is {answer['state']}{later(answer)}")
