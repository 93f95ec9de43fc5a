"""What checks say about a rule before it may act."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. `pointer` is a JSON pointer into the rule document; a rule with an error may not become active."""

    severity: Severity
    code: str
    pointer: str
    detail: str


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those that keep a rule from acting."""
    return tuple(finding for finding in findings if finding.severity == "error")


def error(code: str, pointer: str, detail: str) -> Finding:
    """Return a finding that keeps a rule from acting."""
    return Finding("error", code, pointer, detail)


def warning(code: str, pointer: str, detail: str) -> Finding:
    """Return a finding that people should read."""
    return Finding("warning", code, pointer, detail)


def listed(words: Iterable[str], most: int = 5) -> str:
    """Return words in quotes, the first few of them: `'price', 'how much' and 3 more`."""
    quoted = [repr(word) for word in words]
    rest = f" and {len(quoted) - most} more" if len(quoted) > most else ""
    return ", ".join(quoted[:most]) + rest
