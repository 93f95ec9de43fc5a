"""`antiphon campaign verify`: make a draw again from its certificate. Asks no server and needs no login."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from antiphon_cli.console import one_line, print_json, screen
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.options import Json
from contest import Finding, Malformed, Standing, load, standing, verify


def register(campaign: typer.Typer) -> None:
    """Add the command."""
    campaign.command("verify", epilog="Example: antiphon campaign verify certificate.json --entry 3f0c…")(_verify)


def _verify(
    certificate: Annotated[Path, typer.Argument(metavar="CERT", help="The certificate, as it was published.")],
    entry: Annotated[str, typer.Option("--entry", metavar="ID", help="Tell where this entry stands.")] = "",
    commitment: Annotated[
        str, typer.Option("--commitment", metavar="SHA256", help="What was published before the close, to compare with.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make a contest's draw again and compare; works offline. Ends with 1 when anything in the certificate does not hold."""
    document = _read(certificate)
    findings = verify(document)
    if commitment and not findings and document["commitment"]["sha256"] != commitment.lower():
        findings = [Finding("commitment", "/commitment/sha256", "this is not the commitment that was published")]
    found = standing(document, entry) if entry and not findings else None
    if as_json:
        print_json(_report(findings, entry, found))
    elif findings:
        _show_findings(findings)
    else:
        _show_draw(document)
        if entry:
            screen().print(Text(_words(one_line(entry), found, document)))
    if findings or (entry and found is None):
        raise typer.Exit(Exit.NO)


def _read(path: Path) -> dict[str, Any]:
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}", "Give the path of the downloaded certificate.") from error
    except Malformed as malformed:
        raise Failure(f"{path}: {malformed}", "Download it again; an editor may have changed it.") from malformed


def _show_findings(findings: Sequence[Finding]) -> None:
    console = screen()
    for each in findings:
        console.print(Text.assemble(("wrong ", "bold red"), (each.place, "bold"), f": {one_line(each.detail)} [{each.code}]"))
    console.print(
        Text("This certificate does not hold. Take it from where it was published; if it is the same there, ask the brand.")
    )


def _show_draw(document: Mapping[str, Any]) -> None:
    console = screen()
    console.print(
        Text.assemble(("holds ", "bold green"), f"{document['brand']}/{document['campaign']}: {document['count']} entries")
    )
    console.print(Text(f"  closed {document['closed']}, drawn {document['drawn']}"))
    console.print(Text(f"  commitment {document['commitment']['sha256']}, published {document['commitment']['published']}"))
    if beacon := document["beacon"]:
        console.print(Text(f"  beacon {beacon['source']}: {beacon['value']}"))
    for role in ("winners", "alternates"):
        for number, place in enumerate(document[role], 1):
            console.print(Text(f"  {role[:-1]} {number}: {place['entry']}"))
    console.print(Text("Compare commitment and beacon with what was published; the file cannot vouch for them itself."))


def _words(entry: str, found: Standing | None, document: Mapping[str, Any]) -> str:
    if found is None:
        return f"{entry} is not among the entries: ask the brand why, the certificate shows that it was not in the draw."
    if found.winner:
        return f"{entry} is winner {found.winner}."
    if found.alternate:
        return f"{entry} is alternate {found.alternate}."
    return f"{entry} was in the draw, as number {found.index + 1} of {document['count']} in the list; it was not drawn."


def _report(findings: Sequence[Finding], entry: str, found: Standing | None) -> dict[str, Any]:
    report: dict[str, Any] = {
        "holds": not findings,
        "findings": [{"code": each.code, "pointer": each.place, "detail": each.detail} for each in findings],
    }
    if entry and not findings:
        place = {"index": found.index, "winner": found.winner, "alternate": found.alternate} if found else None
        report["entry"] = {"id": entry, "standing": place}
    return report
