"""What a JSON value must look like, as functions that yield each fault with its JSON pointer."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

_MAX_NUMBER = 50_000_000
"""More entries than a file can hold; a larger number is a slip, and would make numbers of any size."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")

Faults = Iterator[tuple[str, str]]
Check = Callable[[object, str], Faults]


def text(pattern: re.Pattern[str], what: str) -> Check:
    """A text that fits; `what` says it in words."""

    def check(value: object, place: str) -> Faults:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            yield place, f"this must be {what}"

    return check


def moment(value: object, place: str) -> Faults:
    """A moment with its zone, RFC 3339."""
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value) and datetime.fromisoformat(value).tzinfo:
            return
    except ValueError:  # such as the 30th of February
        pass
    yield place, "this must be a moment with its zone, as RFC 3339 writes it: 2026-03-31T23:59:59+02:00"


def number(value: object, place: str) -> Faults:
    """A whole number, 0 or more."""
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        yield place, f"this must be a whole number from 0 to {_MAX_NUMBER}"


def nothing(value: object, place: str) -> Faults:
    """Null."""
    if value is not None:
        yield place, "this must be null"


def exactly(wanted: str | int) -> Check:
    """This value alone."""

    def check(value: object, place: str) -> Faults:
        if value != wanted or type(value) is not type(wanted):
            yield place, f"this must be {wanted!r}; a newer release may know others"

    return check


def object_of(fields: Mapping[str, Check]) -> Check:
    """An object with all of these fields and no other."""

    def check(value: object, place: str) -> Faults:
        if not isinstance(value, dict):
            yield place, "this must be an object"
            return
        for name, inner in fields.items():
            if name in value:
                yield from inner(value[name], f"{place}/{name}")
            else:
                yield f"{place}/{name}", "this is missing"
        for name in value.keys() - fields.keys():
            yield f"{place}/{name!s:.40}", "no certificate of this version has this, and nothing vouches for it"

    return check


def list_of(inner: Check) -> Check:
    """A list, all of whose members are such."""

    def check(value: object, place: str) -> Faults:
        if not isinstance(value, list):
            yield place, "this must be a list"
            return
        for position, each in enumerate(value):
            yield from inner(each, f"{place}/{position}")

    return check


def by_type(kind: type, this: Check, other: Check) -> Check:
    """One form for values of a type, another one for all others."""
    return lambda value, place: (this if isinstance(value, kind) else other)(value, place)
