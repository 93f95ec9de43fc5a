"""`antiphon rules lint | test`: trying rules before they act."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from antiphon_cli.client import Refused
from antiphon_cli.console import complain_of_file, markup, print_json, remarks, screen
from antiphon_cli.directory import project, rule_documents
from antiphon_cli.documents import Document
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.findings import check, show_findings
from antiphon_cli.options import Brand, Json, brand_api
from antiphon_cli.remote import BrandApi
from antiphon_cli.words import doing, understood

_TEXTS_TOGETHER = 100
"""What the API takes in one request."""


def register(rules: typer.Typer) -> None:
    """Add the commands."""
    rules.command("lint", epilog="Example: antiphon rules lint brand-config")(_lint)
    rules.command("test", epilog="Example: antiphon rules test rules/price.yaml 'How much is it?' 'Lovely!'")(_test)


def _lint(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="FILE|FOLDER...", help="Rule files, or folders of them.")] = None,
    brand: Brand = "",
    offline: Annotated[bool, typer.Option("--offline", help="Only what can be seen without the API: YAML, names.")] = False,
    as_json: Json = False,
) -> None:
    """Check rule files against each other and against the brand's rules; nothing is saved. Ends with 1 when there are errors."""
    places = paths or [Path()]
    beside = [key for place in places for key in _beside(place)]
    documents = rule_documents(places)
    if offline:
        remarks().print(f"{len(documents)} files can be read; what they say was not checked")
        return
    remote = brand_api(context, brand or project(places[0]).lock()[0])
    with remote.api:
        checked = check(remote, documents, beside)
    if as_json:
        print_json([line for each in checked for line in each.lines()])
    else:
        show_findings(checked)
        remarks().print(f"{len(documents)} files checked, {sum(len(each.findings) for each in checked)} findings")
    raise typer.Exit(Exit.NO if any(each.refuses for each in checked) else Exit.FINE)


def _beside(place: Path) -> Iterable[str]:
    """Return the keys of what is pushed with the rules. Of a whole folder all files are read: it is told which are broken."""
    folder = project(place)
    return folder.read() if folder.path == place else folder.keys()


def _test(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A rule's file.", exists=True, dir_okay=False)],
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT...", help="Texts to try; else the rule's own examples.")
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--texts", metavar="FILE", help="One text a line; - is standard input.")
    ] = None,
    language: Annotated[str, typer.Option("--language", metavar="TAG", help="Take the texts for this language.")] = "",
    platform: Annotated[str, typer.Option("--platform", help="As if written there: facebook, instagram …")] = "",
    kind: Annotated[str, typer.Option("--kind", help="As if it were a comment, reply, message, review …")] = "",
    rating: Annotated[float | None, typer.Option("--rating", min=1, max=5, help="As if it came with these stars.")] = None,
    brand: Brand = "",
    as_json: Json = False,
) -> None:
    """Show what a rule does with texts, and why; nothing is saved or posted. Ends with 1 when an example of the rule fails."""
    document = rule_documents([file])[0]
    told = {"language": language, "platform": platform, "kind": kind, "rating": rating}
    samples = [{"text": text, **told} for text in [*(texts or ()), *_lines(from_file)]] or _examples(document, told)
    wanted = [sample.pop("acts", None) for sample in samples]
    bodies = [{name: value for name, value in sample.items() if value not in {"", None}} for sample in samples]
    remote = brand_api(context, brand or project(file).lock()[0])
    with remote.api:
        tried = list(_tried(remote, document, bodies))
    if as_json:
        print_json(tried)
    else:
        _show(tried, wanted)
    failed = [trial for trial, acts in zip(tried, wanted, strict=True) if acts is not None and trial["acts"] is not acts]
    raise typer.Exit(Exit.NO if failed else Exit.FINE)


def _tried(remote: BrandApi, document: Document, bodies: Sequence[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for first in range(0, len(bodies), _TEXTS_TOGETHER):
        body = {"rule": document.data, "texts": bodies[first : first + _TEXTS_TOGETHER]}
        try:
            yield from remote.api.post(f"{remote.path}/rules:test", body)["items"]
        except Refused as refusal:
            complain_of_file(refusal, document, "/rule")
            raise typer.Exit(Exit.FAILED) from refusal


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: cannot be read: {error.strerror}") from error
    return [line for line in raw.decode("utf-8", "replace").splitlines() if line.strip()]


def _examples(document: Document, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    examples = document.data.get("examples")
    if not isinstance(examples, list) or not all(isinstance(example, dict) for example in examples) or not examples:
        raise Failure("there is nothing to try", "give texts, or write `examples:` into the rule")
    return [{**told, **example} for example in examples]


def _show(tried: Sequence[Mapping[str, Any]], wanted: Sequence[bool | None]) -> None:
    table = Table("", "text", "why", "understood", "does", box=None, pad_edge=False)
    for trial, acts in zip(tried, wanted, strict=True):
        right = acts is None or trial["acts"] is acts
        sign = "[green]acts[/]" if trial["acts"] else "[yellow]rests[/]"
        verdict = sign if right else f"{sign} [bold red]wrong[/]"
        why = " ".join(part for part in (trial["reason"], trial["detail"]) if part)
        table.add_row(
            verdict, markup(trial["text"]), markup(why), markup(understood(trial["understanding"])), markup(_does(trial))
        )
    screen().print(table, soft_wrap=False)


def _does(trial: Mapping[str, Any]) -> str:
    alone = [doing(action) for action in trial["actions"]]
    others = sorted({action["rule_id"] for action in trial["in_force"]["actions"]} - {a["rule_id"] for a in trial["actions"]})
    return "; ".join([*alone, *(f"(also acts: {rule})" for rule in others)])
