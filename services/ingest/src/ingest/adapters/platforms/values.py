"""Reading values that somebody else wrote: each function returns the right type or raises Invalid with its reason."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from antiphon.errors import Invalid
from ingest.domain import Reason, instant

MAX_ID = 512
"""Characters. Real ids have up to about 200; a longer one would only swell keys and headers."""

MAX_NAME = 1_024
"""Characters of names, handles and reactions."""

MAX_URL = 8_192
"""Characters. Signed media addresses reach a few thousand."""

MAX_TEXT = 100_000
"""Characters. The longest texts of any platform; four bytes each and escaped raw beside it still fit into a record."""

MAX_RAW = 300_000
"""Bytes of leftover fields of one event, for the same reason."""

_HASH_DIGITS = 16
"""64 bits tell the edits of one comment apart."""

Json = dict[str, Any]

FEW: Json = {}
"""Stands for a missing object."""


def mapping(value: object, what: str) -> Json:
    """Return an object; the empty one when it is missing."""
    if value is None:
        return FEW
    if not isinstance(value, dict):
        raise Invalid(Reason.BAD_SHAPE, f"{what} is not an object")
    return value


def word(value: object, what: str) -> str:
    """Return a non-empty string that is a key of somebody's table."""
    if not isinstance(value, str) or not value:
        raise Invalid(Reason.BAD_SHAPE, f"{what} is missing or not a string")
    return value


def text(value: object, what: str, limit: int = MAX_TEXT) -> str:
    """Return a string as it came; empty when it is missing."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(Reason.BAD_SHAPE, f"{what} is not a string")
    if len(value) > limit:
        raise Invalid(Reason.TOO_LARGE, f"{what} has {len(value)} characters")
    return value


def optional_id(value: object, what: str) -> str:
    """Return an id as a string, also where it came as a number; empty when it is missing.

    A number too large for an integer has lost digits on the way, so it is refused rather than guessed.
    """
    if value is None or value == "":
        return ""
    if type(value) is int:
        return str(value)
    if not isinstance(value, str) or len(value) > MAX_ID or not value.isprintable():
        raise Invalid(Reason.BAD_ID, f"{what} is not an id")
    return value


def required_id(value: object, what: str) -> str:
    """Return an id as a string. Raises Invalid also when it is missing."""
    found = optional_id(value, what)
    if not found:
        raise Invalid(Reason.BAD_ID, f"{what} is missing")
    return found


def number(value: object, what: str) -> int | None:
    """Return a whole number, also where it came as digits in a string; None when it is missing."""
    if value is None:
        return None
    if type(value) is int:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_ID:
        return int(value)
    raise Invalid(Reason.BAD_TIME, f"{what} is not a number")


def moment(milliseconds: int, what: str) -> datetime:
    """Return the moment of a unix time."""
    found = instant(milliseconds)
    if found is None:
        raise Invalid(Reason.BAD_TIME, f"{what} is not in any year from 1970 to 9999")
    return found


def revision_of(content: str) -> str:
    """Return a short hash that tells versions of a text apart."""
    return hashlib.sha256(content.encode()).hexdigest()[:_HASH_DIGITS]


def dump(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Return JSON. Raises Invalid when the value is nested deeper than our encoder, and anybody's use of it, goes."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise Invalid(Reason.TOO_DEEP, "nested too deeply") from error
