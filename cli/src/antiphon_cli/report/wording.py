"""Numbers, shares, times and changes as people read them."""

from datetime import date, datetime

UNKNOWN = "–"
"""Stands where there is no number: nothing to divide by, or nothing measured."""

_NARROW = "\u202f"
"""Between thousands: a space at which no line is broken."""

_SECOND_MS, _MINUTE_MS, _HOUR_MS, _DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000

_POINT = 0.0005
"""Less than a twentieth of a percentage point is the same."""


def number(value: float | None, decimals: int = 0) -> str:
    """Return 12 345; a fraction only where decimals are asked for."""
    return UNKNOWN if value is None else f"{value:,.{decimals}f}".replace(",", _NARROW).replace("-", "\u2212")


def share(value: float | None) -> str:
    """Return a part of 1 in percent."""
    return UNKNOWN if value is None else f"{number(value * 100, 1)}{_NARROW}%"


def interval(low: float | None, high: float | None) -> str:
    """Return an interval of shares."""
    return "" if low is None or high is None else f"{number(low * 100, 1)} to {number(high * 100, 1)}"


def sentiment(value: float | None) -> str:
    """Return a score from -1 to 1 with its sign."""
    if value is None:
        return UNKNOWN
    rounded = round(value, 2) + 0.0  # never a zero with a sign
    return f"{'+' if rounded > 0 else ''}{number(rounded, 2)}"


def duration(milliseconds: float | None) -> str:
    """Return milliseconds in the unit that people would choose."""
    if milliseconds is None:
        return UNKNOWN
    for size, unit in ((_DAY_MS, "d"), (_HOUR_MS, "h"), (_MINUTE_MS, "min"), (_SECOND_MS, "s")):
        if milliseconds >= 2 * size or (unit == "s" and milliseconds >= size):
            return f"{number(milliseconds / size, 0 if milliseconds >= 20 * size else 1)}{_NARROW}{unit}"
    return f"{number(milliseconds)}{_NARROW}ms"


def changed(now: float | None, before: float | None) -> str:
    """Return by how much a number has changed; nothing where one of them is not known."""
    if now is None or before is None:
        return ""
    if now == before:
        return "as before"
    if not before:
        return f"was {number(before)}"
    ratio = now / before - 1
    return f"{'+' if ratio > 0 else ''}{share(ratio)} from {number(before)}"


def changed_share(now: float | None, before: float | None) -> str:
    """Return by how many percentage points a share has changed."""
    if now is None or before is None:
        return ""
    if abs(now - before) < _POINT:
        return "as before"
    return f"{'+' if now > before else ''}{number((now - before) * 100, 1)} points from {share(before)}"


def was(now: str, before: str) -> str:
    """Return what a figure was, in words; nothing where that is not known."""
    return "" if before == UNKNOWN else "as before" if now == before else f"was {before}"


def day(moment: date) -> str:
    """Return a date as it is written out."""
    return f"{moment.day} {moment:%B %Y}"


def days(first: date, last: date) -> str:
    """Return the days from the first to the last, both included."""
    if (first.year, first.month, first.day) == (last.year, last.month, last.day):
        return day(first)
    return f"{f'{first.day} {first:%B}' if first.year == last.year else day(first)} to {day(last)}"


def tick(moment: datetime, granularity: str) -> str:
    """Return the start of an hour, a day, a week or a month, short enough for an axis."""
    match granularity:
        case "hour":
            return f"{moment.day} {moment:%b %H:%M}"
        case "month":
            return f"{moment:%b %Y}"
        case _:
            return f"{moment.day} {moment:%b}"


def words(name: str) -> str:
    """Return a word of the API as a word of people: `waiting_approval` → waiting approval."""
    return name.replace("_", " ")
