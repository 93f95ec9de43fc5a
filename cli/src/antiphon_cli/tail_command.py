"""`antiphon tail`."""

import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from antiphon_cli.client import TIMEOUT_S, Refused
from antiphon_cli.console import one_line, print_json, remarks, screen
from antiphon_cli.errors import Failure
from antiphon_cli.options import Brand, Json, brand_api
from antiphon_cli.remote import BrandApi
from antiphon_cli.words import became

_WAIT_S = 20
"""One request waits so long for news: below what proxies cut off."""

_AGAIN_S = 2.0
"""Between two tries while the API is away."""

_COLOURS = {"acted": "green", "not_acted": "yellow", "no_match": "dim", "not_eligible": "dim", "unknown_brand": "red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tail", epilog="Example: antiphon tail --rule price-question; antiphon tail --json | jq .text")(_tail)


def _tail(
    context: typer.Context,
    brand: Brand = "",
    last: Annotated[int, typer.Option("--last", "-n", min=0, max=100, help="Begin with so many of before.")] = 10,
    rule: Annotated[str, typer.Option("--rule", metavar="ID", help="Only decisions in which this rule matched.")] = "",
    outcome: Annotated[str, typer.Option("--outcome", help="Only acted, not_acted, no_match, not_eligible.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="CODE", help="Only with this reason, such as limit.")] = "",
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on until Ctrl-C, or end after those of before.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Follow a brand's decisions as they are made: when, where, who, what, and what became of it."""
    remote = brand_api(context, brand)
    wanted = {"rule": rule, "outcome": outcome, "reason": reason}
    console = screen()
    with remote.api:
        for decision in _decisions(remote, wanted, last, follow=follow):
            if as_json:
                print_json(decision, indented=False)
            else:
                console.print(line(decision, console), no_wrap=True)


def _decisions(remote: BrandApi, wanted: Mapping[str, Any], last: int, *, follow: bool) -> Iterator[Mapping[str, Any]]:
    path = f"{remote.path}/decisions"
    # The place to go on from comes first, so that nothing falls between the list and what follows it.
    cursor = remote.api.get(path, wait=0, **wanted)["next"] if follow else ""
    if last:
        yield from reversed(remote.api.get(path, limit=last, **wanted)["items"])
    while follow:
        try:
            page = remote.api.get(path, wait=_WAIT_S, after=cursor, timeout_s=TIMEOUT_S + _WAIT_S, **wanted)
        except Refused:
            raise
        except Failure as failure:
            remarks().print(Text(f"{failure.message}; trying again"))
            time.sleep(_AGAIN_S)
            continue
        yield from page["items"]
        cursor = page["next"]


def line(decision: Mapping[str, Any], console: Console) -> Text:
    """Return a decision on one line; on a terminal its text is cut so that the reasons stay in sight."""
    author = decision["author"]
    text = one_line("…" if decision["text"] is None else decision["text"])
    reasons = "; ".join(map(became, decision["rules"])) or decision["reason"]
    who = one_line(author["name"] or author["id"])[:20]
    head = f"{decision['time'][:19].replace('T', ' ')}  {decision['platform']:<9}  {who:<20}  "
    end = Text.assemble("  ", (decision["outcome"], _COLOURS.get(decision["outcome"], "")), f"  {one_line(reasons)}")
    body = Text(text)
    if console.is_terminal:
        body.truncate(max(20, console.width - len(head) - min(end.cell_len, console.width // 3)), overflow="ellipsis")
        whole = Text.assemble((head, "dim"), body, end)
        whole.truncate(console.width, overflow="ellipsis")
        return whole
    return Text.assemble(head, body, end, f"  {decision['event_id']}")
