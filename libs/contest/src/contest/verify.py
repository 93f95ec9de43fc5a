"""Making the draw again from the certificate alone, and naming whatever does not come out as it says."""

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contest import merkle
from contest.draw import binding, commitment_of, drawn
from contest.reading import Finding, entries_of, malformed

Document = Mapping[str, Any]
Findings = Iterator[Finding]


def verify(document: object) -> list[Finding]:
    """Return everything that is wrong with a certificate; empty: it holds. Never raises, whatever JSON it is given."""
    if faults := malformed(document):
        return faults
    assert isinstance(document, dict)  # noqa: S101 (its form was checked)
    try:
        entries = entries_of(document)
    except ValueError as error:
        return [Finding("entries_unreadable", "/entries", str(error))]
    return [
        *_seed(document),
        *_moments(document),
        *_entries(document, entries),
        *_draw(document, entries),
        *_paths(document, entries),
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an entry stands: its place in the list, from 0; and as which winner or alternate it was drawn, from 1, or 0."""

    index: int
    winner: int = 0
    alternate: int = 0


def standing(document: Document, entry: str) -> Standing | None:
    """Return where an entry stands in a certificate that holds, or None when it was not in the draw."""
    entries = entries_of(document)
    index = bisect_left(entries, entry)
    if index == len(entries) or entries[index] != entry:
        return None
    found = {role: _position(document[role], entry) for role in ("winners", "alternates")}
    return Standing(index, found["winners"], found["alternates"])


def _position(places: Sequence[Document], entry: str) -> int:
    return next((position for position, place in enumerate(places, 1) if place["entry"] == entry), 0)


def _seed(document: Document) -> Findings:
    if commitment_of(bytes.fromhex(document["seed"])) != document["commitment"]["sha256"]:
        yield Finding("seed", "/seed", "the seed is not the one that was committed to: its SHA-256 is not /commitment/sha256")


def _moments(document: Document) -> Findings:
    published, closed, at = (
        datetime.fromisoformat(text) for text in (document["commitment"]["published"], document["closed"], document["drawn"])
    )
    if not published < closed:
        yield Finding("moments", "/commitment/published", "the commitment was not published before the close")
    if not closed <= at:
        yield Finding("moments", "/drawn", "the draw was made before the close")


def _entries(document: Document, entries: Sequence[str]) -> Findings:
    for position, (one, other) in enumerate(itertools.pairwise(entries), 1):
        if one == other:
            yield Finding("duplicate", f"/entries/{position}", f"the entry {one} is there twice")
        elif one > other:
            yield Finding("order", f"/entries/{position}", f"the entries are not sorted: {other} stands after {one}")
    if len(entries) != document["count"]:
        detail = f"the count says {document['count']}, and there are {len(entries)} entries: some were dropped or added"
        yield Finding("count", "/count", detail)
    if merkle.root(entries).hex() != document["root"]:
        detail = "the entries do not give this root: an entry was altered, dropped or added, or the root was altered"
        yield Finding("root", "/root", detail)


def _draw(document: Document, entries: Sequence[str]) -> Findings:
    key = _key(document)
    if key.hex() != document["binding"]:
        detail = "this is not the seed bound to this brand, campaign, close, count, root and beacon: one of them was altered"
        yield Finding("binding", "/binding", detail)
    if len(entries) != document["count"]:
        return  # found already, and nobody can say who would be drawn
    winners, alternates = document["wanted"]["winners"], document["wanted"]["alternates"]
    expected = [entries[index] for index in drawn(key, len(entries), winners + alternates)]
    yield from _drawn("winners", expected[:winners], document["winners"])
    yield from _drawn("alternates", expected[winners:], document["alternates"])


def _key(document: Document) -> bytes:
    beacon = document["beacon"] or {"source": "", "value": ""}
    return binding(
        bytes.fromhex(document["seed"]),
        brand=document["brand"],
        campaign=document["campaign"],
        closed=document["closed"],
        count=document["count"],
        root=document["root"],
        beacon=(beacon["source"], beacon["value"]),
    )


def _drawn(role: str, expected: Sequence[str], places: Sequence[Document]) -> Findings:
    """Compare those listed with those that the draw gives."""
    listed = [place["entry"] for place in places]
    if len(listed) != len(expected):
        yield Finding(role, f"/{role}", f"the draw gives {len(expected)} {role}, and {len(listed)} are listed")
    elif listed != expected and sorted(listed) == sorted(expected):
        yield Finding(role, f"/{role}", f"the {role} stand in another order than they were drawn in")
    for position, (one, other) in enumerate(zip(listed, expected, strict=False)):
        if one != other:
            yield Finding(role, f"/{role}/{position}", f"number {position + 1} is {one}, and the draw gives {other}")


def _paths(document: Document, entries: Sequence[str]) -> Findings:
    for role in ("winners", "alternates"):
        for position, place in enumerate(document[role]):
            entry, index = place["entry"], place["index"]
            pointer = f"/{role}/{position}"
            if index >= len(entries) or entries[index] != entry:
                yield Finding("index", f"{pointer}/index", f"{entry} does not stand at place {index} of the entries")
            reached = merkle.climb(entry, index, document["count"], [bytes.fromhex(node) for node in place["path"]])
            if reached is None or reached.hex() != document["root"]:
                yield Finding("path", f"{pointer}/path", f"the path of {entry} does not lead to the root")
