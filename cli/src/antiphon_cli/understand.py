"""`antiphon understand`: one text a line in, one JSON object a line out. Nothing else of the command is loaded for it."""

import os
import sys
from collections.abc import Iterator, Sequence

import orjson

from understanding import Understander

_CHUNK = 1 << 16
"""Some hundred lines: answers come soon, and reading costs nothing beside understanding."""


def options(arguments: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return `--language` and `--languages` from plain arguments; None when there is anything else among them."""
    found = {"--language": "", "--languages": ""}
    left = [part for argument in arguments for part in argument.split("=", 1)]
    if len(left) % 2 or any(name not in found for name in left[::2]):
        return None
    found |= dict(zip(left[::2], left[1::2], strict=True))
    return found["--language"], listed(found["--languages"])


def listed(languages: str) -> tuple[str, ...]:
    """Return the languages of a list separated by commas."""
    return tuple(part for part in (part.strip().lower() for part in languages.split(",")) if part)


def run(language: str = "", languages: Sequence[str] = ()) -> int:
    """Answer each line of standard input until it ends, or until nobody reads the answers any more. Returns the exit code."""
    understander = Understander()
    try:
        for lines in batches(sys.stdin.fileno()):
            answers = [_answer(understander, line, language.lower(), languages) for line in lines]
            sys.stdout.buffer.write(b"".join(answers))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has gone, as `head` does: end quietly, and let the interpreter's last flush go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


def batches(source: int) -> Iterator[list[bytes]]:
    """Yield the lines that have come by now from a file descriptor, without waiting for more; the last may lack its end."""
    begun: list[bytes] = []
    while piece := os.read(source, _CHUNK):
        first, *others = piece.split(b"\n")
        begun.append(first)
        if others:
            yield [b"".join(begun), *others[:-1]]
            begun = [others[-1]]
    if last := b"".join(begun):
        yield [last]


def _answer(understander: Understander, line: bytes, language: str, languages: Sequence[str]) -> bytes:
    text = line.removesuffix(b"\r").decode("utf-8", "replace")
    found = understander.understand(text, language=language, languages=languages)
    return orjson.dumps(
        {
            "language": found.language,
            "language_confidence": round(found.language_confidence, 4),
            "sentiment": found.sentiment or "neutral",  # of what nothing can be told: its confidence says so
            "score": round(found.score, 4),
            "confidence": round(found.confidence, 4),
            "flags": list(found.flags),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
