"""`antiphon rules backtest`."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from antiphon_cli.client import Refused
from antiphon_cli.console import complain_of_file, markup, print_json, remarks, screen
from antiphon_cli.directory import Directory, project, rule_documents
from antiphon_cli.documents import Document
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.options import Brand, Json, brand_api
from antiphon_cli.remote import BrandApi
from antiphon_cli.sync import Sync

_LOOK_S = 0.5
_OPEN = frozenset({"queued", "running"})
_AGO = re.compile(r"(\d{1,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def register(rules: typer.Typer) -> None:
    """Add the command."""
    rules.command("backtest", epilog="Example: antiphon rules backtest rules/price.yaml --from 30d")(_backtest)


def _backtest(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE|FOLDER...", help="Rules to try, or a pulled folder.")
    ] = None,
    since: Annotated[str, typer.Option("--from", metavar="WHEN", help="A day, a time, or how long ago: 30d, 12h.")] = "7d",
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="The same; now unless told.")] = "",
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="ID", help="Try without this rule; repeat it.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, max=50, help="Comments to read, of each kind of change.")] = 20,
    job: Annotated[str, typer.Option("--job", metavar="ID", help="Wait for (or show) a back-test that was started before.")] = "",
    brand: Brand = "",
    as_json: Json = False,
) -> None:
    """Replay recorded comments under changed rules: what would be answered otherwise, and to whom. Ctrl-C cancels it.

    Files are tried as if they were active. Of a folder, what a push would change is tried.
    """
    places = paths or ([] if job or remove else [Path()])
    remote = brand_api(context, brand or next((project(path).lock()[0] for path in places), ""))
    with remote.api:
        if not job:
            documents, gone = _changes(remote, places)
            now = datetime.now(UTC)
            body = {"from": moment(since, now), "rules": [document.data for document in documents], "sample_size": samples}
            body |= {"remove": [*(remove or ()), *gone]} | ({"until": moment(until, now)} if until else {})
            job = _start(remote, body, documents)
        ended = _wait(remote, job)
    if ended["state"] != "done":
        raise Failure(f"the back-test has {ended['state']}" + (f": {ended['error']}" if ended["error"] else ""))
    if as_json:
        print_json(ended)
    else:
        show(ended["result"], screen())


def moment(text: str, now: datetime) -> str:
    """Return "7d", "2026-05-01" or a full time as a time with zone. Raises Failure."""
    if ago := _AGO.fullmatch(text.strip()):
        return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
    try:
        told = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Failure(f"{text!r} is no time", "write 30d, 12h, 2026-05-01 or 2026-05-01T18:00+02:00") from error
    return (told if told.tzinfo else told.astimezone()).isoformat()


def _changes(remote: BrandApi, paths: Sequence[Path]) -> tuple[list[Document], list[str]]:
    documents: list[Document] = []
    gone: list[str] = []
    for path in paths:
        if not path.is_dir():
            documents += rule_documents([path])
            continue
        look = Sync(Directory(path), remote).look()
        for each in look.differences:
            kind, _, rule = each.key.partition("/")
            if kind != "rules":
                continue
            if each.here is not None and each.here.get("state") == "active":
                documents.append(look.files[each.key])
            elif each.there is not None and each.there.state == "active" and (each.here or {}).get("state") != "draft":
                gone.append(rule)
    return documents, gone


def _start(remote: BrandApi, body: Mapping[str, Any], documents: Sequence[Document]) -> str:
    if not body["rules"] and not body["remove"]:
        remarks().print("nothing is changed: the rules in force are replayed as they are")
    try:
        return str(remote.api.post(f"{remote.path}/rules:backtest", body)["id"])
    except Refused as refusal:
        places = {place for error in refusal.errors if (place := _rule_of(str(error.get("pointer", "")))) is not None}
        if not places:
            raise
        for place in sorted(places):
            own = [error for error in refusal.errors if _rule_of(str(error.get("pointer", ""))) == place]
            of_file = Refused(refusal.status, {"detail": refusal.detail, "errors": own})
            complain_of_file(of_file, documents[place], f"/rules/{place}")
        raise typer.Exit(Exit.FAILED) from refusal


def _rule_of(pointer: str) -> int | None:
    found = re.match(r"/rules/(\d+)", pointer)
    return int(found[1]) if found else None


def _wait(remote: BrandApi, job: str) -> Mapping[str, Any]:
    path = f"{remote.path}/backtests/{job}"
    try:
        remarks().print(f"back-test {job}")
        with Progress(console=remarks(), transient=True) as progress:
            task = progress.add_task("replaying", total=None)
            while (found := remote.api.get(path))["state"] in _OPEN:
                progress.update(task, total=found["total"] or None, completed=found["done"], description=found["state"])
                time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        with suppress(Refused):  # it has ended in this moment
            remote.api.post(f"{path}:cancel")
            remarks().print(f"cancelled {job}")
        raise
    ended: Mapping[str, Any] = found
    return ended


def show(result: Mapping[str, Any], console: Console) -> None:
    """Print a result for people."""
    period = result["period"]
    console.print(
        f"[bold]{result['events']:,} comments[/] received {period['from'][:16]} to {period['until'][:16]}, "
        f"{result['warm_up_events']:,} before them for the state"
    )
    for warning in result["warnings"]:
        console.print(f"[yellow]note:[/] {markup(warning if isinstance(warning, str) else warning.get('detail', warning))}")
    console.print(_changes_table(result["changes"]))
    console.print(_rules_table(result["rules"]))
    for usage in result["quotas"]:
        allowed = "" if usage["allowed"] is None else f" of {usage['allowed']} allowed"
        peak = f"{usage['old_peak']} → {usage['new_peak']}"
        console.print(f"most {markup(usage['what'])} an hour on {markup(usage['channel'])}: {peak}{allowed}")
    for sample in result["samples"]:
        for text in _sample(sample):
            console.print(text)


def _changes_table(changes: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Table:
    table = Table(
        "action", "added", "removed", "changed", box=None, pad_edge=False, title="what is different", title_justify="left"
    )
    for kind, counts in changes.items():
        cells = [f"{counts[name]['all']:,} ({counts[name]['negative']:,} negative)" for name in ("added", "removed", "changed")]
        table.add_row(markup(kind), *cells)
    return table


def _rules_table(rules: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        "rule", "matched", "acted", "answered", box=None, pad_edge=False, title="rules, old → new", title_justify="left"
    )
    for rule in rules:
        old, new = rule["old"], rule["new"]
        table.add_row(markup(rule["rule_id"]), *(f"{old[name]:,} → {new[name]:,}" for name in ("matched", "acted", "answered")))
    return table


def _sample(sample: Mapping[str, Any]) -> Iterator[str]:
    where = f"{sample['platform']} ({sample['language'] or '?'} {sample['polarity']})"
    yield f"\n[bold]{markup(sample['change'])} {markup(sample['kind'])}[/] on {markup(where)}: {markup(sample['text'])}"
    for side, colour in (("old", "red"), ("new", "green")):
        if (found := sample[side]) is not None:
            yield f"  [{colour}]{side}[/] {markup(found['rule_id'])} {found['mode']}: {markup(found['text'])}"
    for rule, reason in sample["why"].items():
        yield f"  {markup(rule)}: {markup(reason)}"
