"""`antiphon outbox list | approve | reject | resolve | send-again`: what waits for a person before it is posted, or after."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from antiphon_cli.console import markup, one_line, print_json, screen, show_whole
from antiphon_cli.options import Brand, Json, api, brand_api
from antiphon_cli.words import fate, minute

_State = Literal[
    "new", "sending", "unknown", "posted", "failed", "suppressed", "shadowed", "waiting_approval", "rejected", "parked"
]
_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Deliveries, as `antiphon outbox list` shows them.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="A delivery, as `antiphon outbox list` shows it.")]


def register(outbox: typer.Typer) -> None:
    """Add the commands."""
    outbox.command("list", epilog="Example: antiphon outbox list; antiphon outbox list --state parked")(_list)
    outbox.command("approve", epilog='Example: antiphon outbox approve 9f2c… --text "It is 49 €, Ana."')(_approve)
    outbox.command("reject", epilog="Example: antiphon outbox reject 9f2c… 41aa…")(_reject)
    outbox.command("resolve", epilog="Example: antiphon outbox resolve 9f2c… --posted")(_resolve)
    outbox.command("send-again", epilog="Example: antiphon outbox send-again 9f2c…")(_send_again)


def _list(
    context: typer.Context,
    brand: Brand = "",
    state: Annotated[_State, typer.Option("--state", help="Which to list.")] = "waiting_approval",
    as_json: Json = False,
) -> None:
    """List what waits for a person's approval, or is in another state. `antiphon explain ON` tells the comment and why."""
    remote = brand_api(context, brand)
    with remote.api:
        found = list(remote.api.items("/v1/deliveries", brand=remote.brand, state=state))
    if as_json:
        print_json(found)
        return
    table = Table("id", "came", "on", "what", "by rule", "where it stands", box=None, pad_edge=False)
    for one in sorted(found, key=lambda one: str(one["received_time"])):
        what = f"{one['kind']}: {one_line(one['text'])}" if one["text"] else one["kind"]
        table.add_row(
            one["action_id"], minute(one["received_time"]), markup(one["target"]), markup(what), one["rule_id"], markup(fate(one))
        )
    show_whole(table)


def _approve(
    context: typer.Context,
    deliveries: _Ids,
    text: Annotated[str, typer.Option("--text", help="Post these words instead of the rule's.")] = "",
) -> None:
    """Let what waits be posted."""
    if text and len(deliveries) > 1:
        raise typer.BadParameter("words of your own are for one delivery alone", param_hint="--text")
    _decide(context, deliveries, "approve", {"text": text} if text else None)


def _reject(context: typer.Context, deliveries: _Ids) -> None:
    """Never post what waits."""
    _decide(context, deliveries, "reject")


def _resolve(
    context: typer.Context,
    delivery: _Id,
    posted: Annotated[bool, typer.Option("--posted/--not-posted", help="What a look at the platform showed.")],
) -> None:
    """Say whether a parked delivery is public: the platform's answer to it was lost."""
    _decide(context, [delivery], "resolve", {"posted": posted})


def _send_again(context: typer.Context, deliveries: _Ids) -> None:
    """Send what has failed, or a parked one that is not public."""
    _decide(context, deliveries, "send-again")


def _decide(context: typer.Context, deliveries: Sequence[str], verb: str, body: Mapping[str, Any] | None = None) -> None:
    with api(context) as connection:
        for delivery in deliveries:
            answer = connection.post(f"/v1/deliveries/{delivery}:{verb}", body)
            screen().print(f"{delivery} {markup(fate(answer))}")
