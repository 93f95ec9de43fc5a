"""`antiphon campaign entries | commit | draw`: what was entered in a campaign, what its draw is bound to, and who has won."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import typer
from rich.table import Table

from antiphon_cli.campaign_commands import CampaignId
from antiphon_cli.client import Api, Refused
from antiphon_cli.console import markup, one_line, print_json, remarks, screen, show_whole
from antiphon_cli.errors import Failure
from antiphon_cli.options import Brand, Json, Yes, brand_api, confirm
from antiphon_cli.words import minute

_State = Literal["captured", "eligible", "ineligible", "rights_requested", "granted", "refused", "expired", "revoked", "featured"]

_MOST_TEXT = 40
"""Characters of a text in the table: enough to know it again."""


def register(campaign: typer.Typer) -> None:
    """Add the commands."""
    campaign.command("entries", epilog="Example: antiphon campaign entries summer-ugc --state eligible")(_entries)
    campaign.command("commit", epilog="Example: antiphon campaign commit summer-ugc")(_commit)
    campaign.command("draw", epilog="Example: antiphon campaign draw summer-ugc --output certificate.json")(_draw)


def _entries(
    context: typer.Context,
    campaign: CampaignId,
    brand: Brand = "",
    state: Annotated[_State | None, typer.Option("--state", help="Only entries that stand there.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only entries with an answer that a person must read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for programs.")] = False,
) -> None:
    """List a campaign's entries: where each stands and why, whose it is, what speaks against it."""
    remote = brand_api(context, brand)
    with remote.api:
        path = f"{remote.path}/campaigns/{campaign}/entries"
        found = remote.api.items(path, state=state, waiting="true" if waiting else "")
        if not as_json:
            show_whole(_table(found))
            return
        for entry in found:
            print_json(entry, indented=False)


def _table(entries: Iterable[Mapping[str, Any]]) -> Table:
    table = Table("entry", "time", "state", "reason", "platform", "author", "flags", "text", box=None, pad_edge=False)
    for one in entries:
        time = minute(one["event_time"])
        flags = ", ".join(flag["flag"] for flag in one["flags"])
        text = markup(one_line(one["text"])[:_MOST_TEXT])
        table.add_row(one["entry_id"], time, one["state"], one["reason"], one["platform"], _author(one), flags, text)
    return table


def _author(entry: Mapping[str, Any]) -> str:
    return markup(entry["handle"] or entry["author"])


def _commit(context: typer.Context, campaign: CampaignId, brand: Brand = "", as_json: Json = False) -> None:
    """Fix a contest's secret number before the close, or fetch what was fixed; prints its commitment, to be published."""
    remote = brand_api(context, brand)
    path = f"{remote.path}/campaigns/{campaign}"
    with remote.api:
        found = _committed(remote.api, path) or remote.api.post(f"{path}/contest:commit")
    if as_json:
        print_json(found)
        return
    screen().print(found["commitment"])
    time = minute(found["committed_time"])
    remarks().print(f"fixed {time} UTC: publish it with the terms of participation, where it cannot be changed unnoticed")


def _committed(api: Api, path: str) -> Any:
    try:
        return api.get(f"{path}/contest")
    except Refused as refusal:
        if refusal.is_absent:
            return None
        raise


def _draw(
    context: typer.Context,
    campaign: CampaignId,
    brand: Brand = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else BRAND-CAMPAIGN-certificate.json here.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Draw the winners of a contest that has closed, or fetch the draw that was made; write its certificate to a file."""
    remote = brand_api(context, brand)
    path = f"{remote.path}/campaigns/{campaign}"
    with remote.api:
        if remote.api.get(f"{path}/contest")["drawn_time"] is None:
            if not yes:
                confirm(f"Draw the winners of {campaign} now? The draw is final.")
            remote.api.post(f"{path}/contest:draw")
        certificate = remote.api.file(f"{path}/contest/certificate")
        file = output or Path(f"{remote.brand}-{campaign}-certificate.json")
        _write(file, certificate)
        drawn = list(_drawn(remote.api, path, certificate))
    remarks().print(f"wrote {markup(file)}: publish it, so that anyone can check the draw with `antiphon campaign verify`")
    if as_json:
        print_json(drawn)
    else:
        show_whole(_drawn_table(drawn))


def _write(path: Path, certificate: bytes) -> None:
    try:
        path.write_bytes(certificate)
    except OSError as error:
        raise Failure(
            f"{path} cannot be written: {error.strerror}", "choose another place with --output; the draw itself is kept"
        ) from error


def _drawn(api: Api, path: str, certificate: bytes) -> Iterator[dict[str, Any]]:
    """Yield who was drawn. The certificate names nobody, so each entry is looked up."""
    document = orjson.loads(certificate)
    for role in ("winners", "alternates"):
        for place, drawn in enumerate(document[role], 1):
            entry = api.get(f"{path}/entries/{drawn['entry']}")
            shown = {name: entry[name] for name in ("entry_id", "platform", "author", "handle", "object")}
            yield {"role": role.removesuffix("s"), "place": place, **shown}


def _drawn_table(drawn: Iterable[Mapping[str, Any]]) -> Table:
    table = Table("drawn as", "author", "platform", "object", "entry", box=None, pad_edge=False)
    for one in drawn:
        table.add_row(f"{one['role']} {one['place']}", _author(one), one["platform"], markup(one["object"]), one["entry_id"])
    return table
