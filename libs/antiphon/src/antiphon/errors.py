"""Errors sorted by remedy. Anything that is neither of these is a bug."""


class Invalid(Exception):
    """The input can never be processed: dead letter or 4xx, never a retry.

    `reason` is a slug from a small closed set, fit for a metric label; the message is for people.
    """

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class Transient(Exception):
    """The same input may succeed later: retry with backoff, in place. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
