"""How a command ends when it does not end well."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, the same for every command; `docs/cli.md` explains them."""

    FINE = 0
    NO = 1
    """The answer is no: there are differences, findings, failing examples, or you said no."""
    FAILED = 2
    """It could not be done: wrong usage, no connection, refused by the API."""
    CONFLICT = 3
    """Somebody else changed the same thing; nothing of theirs was overwritten."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""


class Failure(Exception):
    """The command ends here. `remedy` tells what to do about it; both are for people."""

    def __init__(self, message: str, remedy: str = "", *, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message, self.remedy, self.code = message, remedy, code
