"""What the API's checks say about rule files, with the lines they are about."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from rich.text import Text

from antiphon_cli.console import screen
from antiphon_cli.documents import Document
from antiphon_cli.remote import BrandApi

_MOST_RULES, _MOST_BYTES = 500, 240_000
"""Of one request: what the API takes. A larger set is checked in parts, so two of its rules may meet only when they are saved."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file, and what there is to be said of it."""

    document: Document
    findings: Sequence[Mapping[str, Any]]

    @property
    def refuses(self) -> bool:
        """Return whether a rule with these findings may not act."""
        return any(finding["severity"] == "error" for finding in self.findings)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield each finding with its place in the file, for programs."""
        for finding in self.findings:
            yield {"file": str(self.document.path), "line": self.document.line(finding["pointer"]), **finding}


def check(remote: BrandApi, documents: Sequence[Document], beside: Collection[str] = ()) -> list[Checked]:
    """Return what the API says of rules, as if all that are active were saved together. Raises Failure.

    `beside`: keys of the files that are pushed with them, `links/shop`; rules may name those already.
    """
    coming = {kind: _ids(kind, beside) for kind in ("campaigns", "links")}
    checked: list[Checked] = []
    for some in _parts(documents):
        answer = remote.api.post(f"{remote.path}/rules:lint", {"rules": [document.data for document in some], **coming})
        checked += [Checked(document, item["findings"]) for document, item in zip(some, answer["items"], strict=True)]
    return checked


def _ids(kind: str, keys: Iterable[str]) -> list[str]:
    return [key.removeprefix(f"{kind}/") for key in keys if key.startswith(f"{kind}/")]


def _parts(documents: Iterable[Document]) -> Iterator[list[Document]]:
    part: list[Document] = []
    size = 0
    for document in documents:
        more = len(orjson.dumps(document.data))
        if part and (len(part) == _MOST_RULES or size + more > _MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(document)
        size += more
    if part:
        yield part


def show_findings(checked: Iterable[Checked]) -> None:
    """List all findings: place, severity, words, code."""
    console = screen()
    for each in checked:
        for finding in each.findings:
            severe = finding["severity"] == "error"
            place = each.document.place(finding["pointer"])
            parts = (finding["severity"], "bold red" if severe else "yellow"), f": {finding['detail']} [{finding['code']}]"
            console.print(Text.assemble((place, "bold"), " ", *parts))
