"""Hours as documents, and back."""

from array import array
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

import orjson

from antiphon.mongo import Document
from metrics.domain.hour import Hour

_TABLES: Final = frozenset({"counts", "levels", "speech", "topics", "campaigns", "entries"})
_COLUMNS: Final = frozenset({"undecided", "latency", "reach", "posts", "people", "influence", "service", "entrants"})


SHAPE: Final = 3
"""Grows with each change of what an hour's parts hold: hours of another shape are built again."""


def pack(hour: Hour) -> Document:
    """Return the parts of an hour as they are kept; empty ones are left out."""
    packed: Document = {"shape": SHAPE}
    for part in fields(Hour):
        value = getattr(hour, part.name)
        if value:
            packed[part.name] = _packed(part.name, value)
    return packed


def _packed(name: str, value: Any) -> Any:
    if name in _TABLES:
        return orjson.dumps([[*key, values] for key, values in sorted(value.items(), key=lambda row: str(row[0]))])
    if name in _COLUMNS:
        return {column.replace(".", _DOT).replace("$", _DOLLAR): numbers.tobytes() for column, numbers in value.items()}
    return orjson.dumps(value)


def unpack(packed: Document, parts: Iterable[str]) -> Hour:
    """Return an hour with these parts."""
    return Hour(**{name: _unpacked(name, packed[name]) for name in parts if name in packed})


def _unpacked(name: str, kept: Any) -> Any:
    if name in _TABLES:
        return {tuple(key): values for *key, values in orjson.loads(kept)}
    if name in _COLUMNS:
        return {column.replace(_DOT, ".").replace(_DOLLAR, "$"): array("q", numbers) for column, numbers in kept.items()}
    return orjson.loads(kept)


_DOT, _DOLLAR = "\uff0e", "\uff04"
"""In names of fields the store gives `.` and `$` a meaning; a campaign's id is the brand's choice."""
