"""`antiphon holds list | set | resume | stop | start`: where automation waits for people, and the switch for everything."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from antiphon_cli.console import later, markup, print_json, screen, show_whole
from antiphon_cli.options import Brand, Json, brand_api
from antiphon_cli.words import minute

_SCOPES = {"platform": "platform", "campaign": "campaign", "topic": "topic", "rule_id": "rule"}
"""Fields of a hold → what people call them."""

HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="The id, as `antiphon holds list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; people see it beside the hold, and it goes to the audit log.")]


def register(holds: typer.Typer) -> None:
    """Add the commands."""
    holds.command("list", epilog="Example: antiphon holds list --brand acme")(_list)
    holds.command("set", epilog='Example: antiphon holds set --campaign summer-ugc --reason "the hashtag is turned against us"')(
        _set
    )
    holds.command("resume", epilog='Example: antiphon holds resume 5f3a… --reason "it was a joke about the weather"')(_resume)
    holds.command("stop", epilog='Example: antiphon holds stop --reason "a crash; nobody is to be answered by a machine"')(_stop)
    holds.command("start", epilog='Example: antiphon holds start --reason "agreed with the press office"')(_start)


def _list(
    context: typer.Context,
    brand: Brand = "",
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: Json = False,
) -> None:
    """List the holds in force, of the guard and of people, and tell whether everything is stopped."""
    remote = brand_api(context, brand)
    with remote.api:
        settings = remote.api.get(remote.path)
        found = list(remote.api.items(f"{remote.path}/holds", active="" if everything else "true"))
    if as_json:
        print_json(found)
        return
    if settings["held"]:
        screen().print(f"[bold red]everything is stopped[/]: {markup(settings['held_reason'])}")
    table = Table("hold", "since", "what waits", "severity", "why", box=None, pad_edge=False)
    for one in found:
        severity = str(one["severity"] or "a person's")
        why = one["reason"] if one["active"] else f"{one['reason']}; ended: {one['resumed_reason']}"
        table.add_row(one["hold"], minute(one["since_time"]), markup(_what(one)), severity, markup(why))
    show_whole(table)


def _what(hold: Mapping[str, Any]) -> str:
    scope = ", ".join(f"{name} {hold[field]}" for field, name in _SCOPES.items() if hold[field]) or "the brand"
    return f"{scope} (people were told, nothing waits)" if hold["notice_only"] else f"{scope} ({hold['mode']})"


def _set(
    context: typer.Context,
    reason: Reason,
    brand: Brand = "",
    platform: Annotated[str, typer.Option("--platform", help="Only what happens there.")] = "",
    campaign: Annotated[str, typer.Option("--campaign", metavar="ID", help="Only what belongs to this campaign.")] = "",
    topic: Annotated[str, typer.Option("--topic", metavar="KIND:ID", help="Only what names it: product:bike-one.")] = "",
    rule: Annotated[str, typer.Option("--rule", metavar="ID", help="Only what this rule does.")] = "",
) -> None:
    """Let automatic answers wait for a person's approval, also those that are queued; of the whole brand unless told."""
    remote = brand_api(context, brand)
    scope = {"platform": platform, "campaign": campaign, "topic": topic, "rule": rule}
    body = {"reason": reason, **{name: value for name, value in scope.items() if value}}
    with remote.api:
        answer = remote.api.post(f"{remote.path}/holds", body)
    screen().print(f"hold {answer['hold']}: {markup(_what(answer))}{later(answer)}")


def _resume(context: typer.Context, hold: HoldId, reason: Reason, brand: Brand = "") -> None:
    """End a hold. What waits already goes on waiting for a person."""
    remote = brand_api(context, brand)
    with remote.api:
        answer = remote.move(f"{remote.path}/holds/{hold}", ":resume", reason)
    screen().print(f"hold {hold} has ended{later(answer)}")


def _stop(context: typer.Context, reason: Reason, brand: Brand = "") -> None:
    """Post nothing at all for the brand, until `antiphon holds start`."""
    _switch(context, brand, "hold", reason, "everything is stopped")


def _start(context: typer.Context, reason: Reason, brand: Brand = "") -> None:
    """Let the brand post again; what has become too old meanwhile is not posted."""
    _switch(context, brand, "resume", reason, "the brand posts again")


def _switch(context: typer.Context, brand: str, move: str, reason: str, told: str) -> None:
    remote = brand_api(context, brand)
    with remote.api:
        answer = remote.move(remote.path, f"/{move}", reason)
    screen().print(f"{told}{later(answer)}")
