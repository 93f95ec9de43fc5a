"""`antiphon rules pull | diff | push`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from antiphon_cli.client import Refused
from antiphon_cli.console import complain_of_file, markup, print_json, remarks, screen, show_differences, show_done, show_plan
from antiphon_cli.directory import Directory
from antiphon_cli.documents import Document
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.findings import check, show_findings
from antiphon_cli.options import Brand, Folder, Json, Yes, brand_api
from antiphon_cli.plan import Plan, Step, Verb, plan
from antiphon_cli.sync import Look, Sync

_SAVES = {Verb.CREATE, Verb.SAVE, Verb.ACTIVATE}


def register(rules: typer.Typer) -> None:
    """Add the commands."""
    rules.command("pull", epilog="Example: antiphon rules pull brand-config --brand acme")(_pull)
    rules.command("diff", epilog="Example: antiphon rules diff brand-config && echo 'nothing to push'")(_diff)
    rules.command("push", epilog="Example: antiphon rules push brand-config --yes")(_push)


def _pull(
    context: typer.Context,
    folder: Folder = Path(),
    brand: Brand = "",
    force: Annotated[
        bool, typer.Option("--force", help="Take the brand's also where the files have changes of their own.")
    ] = False,
) -> None:
    """Write the brand's whole configuration as files. What has not changed is not touched; your own changes stay."""
    with _sync(context, folder, brand) as sync:
        pulled = sync.pull(force=force)
    for path in pulled.written:
        screen().print(f"{'wrote' if path.exists() else 'removed'} {markup(path)}")
    for each in pulled.ahead:
        remarks().print(f"kept your change of {each.key}")
    if not pulled.written:
        remarks().print("nothing new")


def _diff(context: typer.Context, folder: Folder = Path(), brand: Brand = "", as_json: Json = False) -> None:
    """Show what a push would change. Ends with 0 when there is nothing, 1 when there are differences, 2 when it failed."""
    with _sync(context, folder, brand) as sync:
        found = sync.look().differences
    if as_json:
        print_json(
            [
                {
                    "key": each.key,
                    "status": each.status.name.lower(),
                    "file": each.here,
                    "brand": each.there and each.there.document,
                }
                for each in found
            ]
        )
    else:
        show_differences(found)
    raise typer.Exit(Exit.NO if found else Exit.FINE)


def _push(
    context: typer.Context,
    folder: Folder = Path(),
    brand: Brand = "",
    yes: Yes = False,
    prune: Annotated[bool, typer.Option("--prune", help="Archive rules, delete everything else that lost its file.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="The files win, also over changes made there since the pull.")
    ] = False,
) -> None:
    """Bring the brand to what the files say: checks everything first, shows the plan, asks, then does it step by step."""
    with _sync(context, folder, brand) as sync:
        look = sync.look()
        made = plan(look.differences, overwrite=overwrite, prune=prune)
        show_plan(made)
        _refuse_conflicts(sync, made)
        if not made.steps:
            remarks().print("nothing to push")
            return
        _refuse_errors(sync, look, made)
        _ask(yes, len(made.steps))
        _carry_out(sync, look, made)


def _carry_out(sync: Sync, look: Look, made: Plan) -> None:
    done: list[str] = []

    def tell(step: Step, answer: Any) -> None:
        done.append(step.key)
        show_done(step, answer)

    try:
        sync.push(look, made, tell)
    except Failure as failure:
        left = [step.key for step in made.steps][len(done) :]
        remarks().print(f"stopped: {len(done)} of {len(made.steps)} done; not done: {', '.join(left)}")
        file = look.files.get(left[0])
        if isinstance(failure, Refused) and failure.errors and file is not None:
            complain_of_file(failure, file)
            raise typer.Exit(failure.code) from failure
        raise


def _refuse_conflicts(sync: Sync, made: Plan) -> None:
    if made.conflicts:
        by = [
            f"{each.key} {sync.remote.who(each.key)}" if each.there else f"{each.key} (removed there)" for each in made.conflicts
        ]
        raise Failure(
            f"changed there since your pull, and in your files: {'; '.join(by)}",
            "look with `antiphon rules diff`; take theirs with `antiphon rules pull --force`, or keep yours with --overwrite",
            code=Exit.CONFLICT,
        )


def _refuse_errors(sync: Sync, look: Look, made: Plan) -> None:
    steps = [step for step in made.steps if step.key.startswith("rules/")]
    new_brand = any(step.key == "brand" and step.verb is Verb.CREATE for step in made.steps)
    if not steps or new_brand:  # a brand that does not exist yet cannot be asked; each save is checked all the same
        return
    # Rules that stop are told as well: what starts need not get along with them.
    checked = check(sync.remote, [look.files.get(step.key) or _put_aside(step) for step in steps], look.files)
    show_findings(checked)
    if any(found.refuses for step, found in zip(steps, checked, strict=True) if step.verb in _SAVES):
        raise Failure("the files have errors; nothing was pushed", "mend what is marked as error", code=Exit.NO)


def _put_aside(step: Step) -> Document:
    there = step.difference.there
    return Document(Path(step.key), {**(there.document if there else {}), "state": "archived"})


def _ask(yes: bool, steps: int) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure("nobody can be asked here; nothing was pushed", "say --yes")
    if not typer.confirm(f"Carry out {steps} step{'s' * (steps != 1)}?", err=True):
        raise Failure("nothing was pushed", code=Exit.NO)


@contextmanager
def _sync(context: typer.Context, folder: Path, brand: str) -> Iterator[Sync]:
    directory = Directory(folder)
    remote = brand_api(context, brand or directory.lock()[0])
    with remote.api:
        yield Sync(directory, remote)
