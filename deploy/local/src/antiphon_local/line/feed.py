"""Comments for the simulator: our own sample, for ever, or a file of recorded ones, once."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import orjson

from antiphon_local.errors import SetupError

PLATFORMS = ("facebook", "instagram")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment to be written now. `post` groups the comments of one post."""

    platform: str
    author: str
    name: str
    text: str
    post: str


def recorded(path: Path) -> list[Comment]:
    """Return the comments of a file: JSON lines with `author`, `brand` and `text`; further fields are ignored.

    They alternate between the platforms, one post for each brand named. Raises SetupError with the line that does not fit.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}", "give REPLAY a file of JSON lines") from error
    return [_recorded(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _recorded(path: Path, number: int, line: bytes) -> Comment:
    try:
        data = orjson.loads(line)
        author, text = str(data["author"]), str(data["text"])
        brand = str(data.get("brand", ""))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(
            f"{path}, line {number}, is no comment: {error!r}", 'each line must be a JSON object with "author" and "text"'
        ) from error
    return Comment(PLATFORMS[number % 2], author, author, text, brand)


def sample() -> list[Comment]:
    """Return our own comments in many languages."""
    text = (files("antiphon_local.line") / "sample" / "comments.jsonl").read_bytes()
    return [
        Comment(data["platform"], data["author"], data["name"], data["text"], "sample")
        for data in map(orjson.loads, text.splitlines())
    ]


def endless() -> Iterator[Comment]:
    """Return the sample again and again, each round by other people."""
    for round_number in itertools.count(1):
        for comment in sample():
            author = f"{comment.author}-{round_number}"
            yield Comment(comment.platform, author, comment.name, comment.text, comment.post)
