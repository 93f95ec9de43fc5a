"""`antiphon explain`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.tree import Tree

from antiphon_cli.client import Refused
from antiphon_cli.console import markup, print_json, show_whole
from antiphon_cli.errors import Failure
from antiphon_cli.options import Brand, Json, brand_api
from antiphon_cli.remote import BrandApi
from antiphon_cli.words import became, doing, fate, understood

_EVENT_ID = re.compile("[0-9a-f]{64}")

_WHICH = "The platform's id of a comment, message or review; or that of an event, as `antiphon tail` shows it."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", epilog="Example: antiphon explain 17841400_1795 --rule price-question")(_explain)


def _explain(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ID", help=_WHICH)],
    rule: Annotated[str, typer.Option("--rule", metavar="ID", help="Explain this rule, also if it did not match at all.")] = "",
    brand: Brand = "",
    as_json: Json = False,
) -> None:
    """Tell why rules did or did not act on a comment: what was decided, what came of it, and each condition with its values."""
    remote = brand_api(context, brand)
    with remote.api:
        event_id = which if _EVENT_ID.fullmatch(which) else _newest(remote, which)
        body = {"event_id": event_id} | ({"rule_id": rule} if rule else {})
        found = remote.api.post(f"{remote.path}/explain", body)
        deliveries = {} if as_json else _deliveries(remote, found)
    if as_json:
        print_json(found)
        return
    show_whole(_event(found, deliveries))
    for explained in found["rules"]:
        show_whole(_rule(explained))
    if found["others"]:
        show_whole(_others(found))


def _newest(remote: BrandApi, object_id: str) -> str:
    """Return the event of the newest decision on something: on its edit, where it was edited. Raises Failure."""
    for decision in remote.api.items(f"{remote.path}/decisions", object=object_id):
        return str(decision["event_id"])
    raise Failure(
        f"no decision on {object_id!r} is recorded",
        "it is a second or two after the comment came; `antiphon tail` shows what has come",
    )


def _deliveries(remote: BrandApi, found: Mapping[str, Any]) -> dict[str, str]:
    """Return what became of each recorded action, by its id."""
    actions = found["recorded"]["decision"]["actions"] if found["recorded"] is not None else ()
    return {action["action_id"]: _delivery(remote, action["action_id"]) for action in actions}


def _delivery(remote: BrandApi, action_id: str) -> str:
    try:
        return fate(remote.api.get(f"/v1/deliveries/{action_id}"))
    except Refused as refused:
        if not refused.is_absent:
            raise
        return "the publisher has not recorded it"


def _event(found: Mapping[str, Any], deliveries: Mapping[str, str]) -> Tree:
    event = found["event"]
    who = event["author_name"] or event["author_id"]
    tree = Tree(f"[bold]{markup(event['platform'])} {markup(event['kind'])}[/] by {markup(who)}: {markup(event['text'])}")
    tree.add(f"understood as {markup(understood(found['understanding']))}")
    recorded = found["recorded"]
    if recorded is not None:
        decided = tree.add(f"decided {recorded['decided_time'][:19]}: {_outcome(recorded['decision'])}")
        _decision(decided, recorded["decision"], deliveries)
    _decision(tree.add(f"today, for somebody whose limits are not used up: {_outcome(found['now'])}"), found["now"], {})
    return tree


def _outcome(decision: Mapping[str, Any]) -> str:
    return markup(f"{decision['outcome']} {decision['reason']}".strip())


def _decision(tree: Tree, decision: Mapping[str, Any], deliveries: Mapping[str, str]) -> None:
    for rule in decision["rules"]:
        tree.add(markup(became(rule)))
    for action in decision["actions"]:
        below = tree.add(f"[green]{markup(doing(action))}[/]")
        if became_of_it := deliveries.get(action["action_id"]):
            below.add(markup(became_of_it))


def _rule(explained: Mapping[str, Any]) -> Tree:
    state = "in force" if explained["active"] else "not in force"
    tree = Tree(f"[bold]rule {markup(explained['rule_id'])}[/] version {explained['version']}, {state}")
    if explained["detail"]:
        tree.add(f"[yellow]does not match: {markup(explained['detail'])}[/]")
    for check in [*explained["where"], *explained["timing"]]:
        tree.add(_checked(check["holds"], check["name"], check["detail"]))
    if explained["when"] is not None:
        _condition(tree, explained["when"])
    for limit in explained["limits"]:
        within = "for ever" if limit["within_seconds"] is None else f"in {limit['within_seconds']:g} s"
        tree.add(f"limit: {limit['at_most']} per {limit['per']} {within}")
    return tree


def _condition(tree: Tree, node: Mapping[str, Any]) -> None:
    below = tree.add(_checked(node["holds"], node["kind"], node["detail"]))
    for part in node["parts"]:
        _condition(below, part)


def _checked(holds: bool, name: str, detail: str) -> str:
    sign = "[green]yes[/]" if holds else "[red]no[/]"
    return f"{sign} {markup(name)}" + (f": {markup(detail)}" if detail else "")


def _others(found: Mapping[str, Any]) -> Tree:
    tree = Tree("[bold]other rules in force[/]")
    for other in found["others"]:
        tree.add(f"{markup(other['rule_id'])}: {markup(other['detail'])}")
    if found["left_off"]:
        tree.add(f"and {found['left_off']} more; ask for one with --rule")
    return tree
