"""What answers say about time."""

from email.utils import parsedate_to_datetime


def http_date(value: str) -> float | None:
    """Return the unix seconds of a header's date; None when it is none."""
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError):
        return None


def retry_after(value: str, now: float | None) -> float | None:
    """Return the seconds that a `Retry-After` asks for, given as such or as a date; `now` is the answer's own time."""
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    until = http_date(value)
    return None if until is None or now is None else max(0.0, until - now)
