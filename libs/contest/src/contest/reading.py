"""A certificate from JSON that anybody may have written: its form is checked whole before anything in it is believed."""

import binascii
import json
import re
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from contest.certificate import ALGORITHMS, ENCODING, FORMAT, LINE, NAME, VERSION
from contest.shape import by_type, exactly, list_of, moment, nothing, number, object_of, text

_MOST_FINDINGS = 20
"""More of them would only be scrolled away."""

_LONGEST_LINE = 201
"""Bytes of the longest id and its line's end: what a compact list may unpack to, an entry."""

_name = text(NAME, "1 to 200 visible ASCII characters")
_line = text(LINE, "a line of ASCII")
_hash = text(re.compile(r"[0-9a-f]{64}"), "64 lower-case hex digits")
_base64 = text(re.compile(r"[A-Za-z0-9+/]+={0,2}"), "base64")
_places = list_of(object_of({"entry": _name, "index": number, "path": list_of(_hash)}))

_certificate = object_of(
    {
        "format": exactly(FORMAT),
        "version": exactly(VERSION),
        "algorithms": object_of({name: exactly(word) for name, word in ALGORITHMS.items()}),
        "brand": _name,
        "campaign": _name,
        "commitment": object_of({"sha256": _hash, "published": moment}),
        "closed": moment,
        "drawn": moment,
        "seed": _hash,
        "beacon": by_type(dict, object_of({"source": _line, "value": _line}), nothing),
        "count": number,
        "root": _hash,
        "wanted": object_of({"winners": number, "alternates": number}),
        "binding": _hash,
        "winners": _places,
        "alternates": _places,
        "entries": by_type(dict, object_of({"encoding": exactly(ENCODING), "data": _base64}), list_of(_name)),
    }
)


class Malformed(Exception):
    """The file is no JSON object; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong. `code` is a word of a closed set, `place` a JSON pointer, `detail` is for people."""

    code: str
    place: str
    detail: str


def load(data: bytes) -> dict[str, Any]:
    """Return the document of a file. Raises Malformed, also where a name stands twice, which readers take differently."""
    try:
        document = json.loads(data, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"this is no certificate: {error}; take the file as it was published, unchanged") from error
    if not isinstance(document, dict):
        raise Malformed("this is no certificate: it holds no JSON object; take the file as it was published, unchanged")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def malformed(document: object) -> list[Finding]:
    """Return what is wrong with the form; where this is empty, every field is there, no other is, and each is of its type."""
    faults = islice(_certificate(document, ""), _MOST_FINDINGS)
    return [Finding("malformed", place or "/", detail) for place, detail in faults]


def entries_of(document: Mapping[str, Any]) -> list[str]:
    """Return the entries of a document of the right form, in its order. Raises ValueError where a compact list cannot be read."""
    held = document["entries"]
    return held if isinstance(held, list) else _unpacked(held["data"], document["count"])


def _unpacked(packed: str, count: int) -> list[str]:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(b64decode(packed), count * _LONGEST_LINE + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("the compact list cannot be unpacked") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("the compact list unpacks to more than the count allows")
    ids = data.decode("ascii", "replace").split("\n") if data else []
    for entry in ids:
        if not NAME.fullmatch(entry):
            raise ValueError(f"the compact list holds {entry[:200]!r}, which is no entry's id")
    return ids
