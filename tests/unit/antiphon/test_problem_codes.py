"""Every code that the sources can answer is in the table, with its status; and the table has no other."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from antiphon.codes import CODES

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [*(ROOT / "services").glob("*/src/**/*.py"), *(ROOT / "libs/antiphon/src").glob("**/*.py")]

FRAMEWORK = {("http_error", 400)}
"""What `antiphon.problems` makes of refusals of the framework that have no code of their own."""

PASSED_ON = {
    "libs/antiphon/src/antiphon/problems.py",
    "services/rules/src/rules/adapters/http/trials.py",
    "services/rules/src/rules/revisions.py",
}
"""Where a code comes from a table, another problem or a caller: each of those is found by itself."""

Answer = tuple[str, int]


@cache
def tree_of(source: Path) -> ast.Module:
    return ast.parse(source.read_text())


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _status(node: ast.expr | None) -> int:
    found = node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else 0
    return found if 400 <= found < 600 else 0


def _pairs(node: ast.AST) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    if isinstance(node, ast.Call):
        yield from pairwise(node.args)
    elif isinstance(node, ast.Tuple):
        yield from pairwise(node.elts)
    elif isinstance(node, ast.Dict):
        yield from zip(node.keys, node.values, strict=True)


def answers(tree: ast.AST) -> Iterator[Answer]:
    """Yield code and status wherever a status is followed by a code: in a call, a row or a table."""
    for node in ast.walk(tree):
        for status, code in _pairs(node):
            if _status(status) and _text(code).replace("_", "").isalpha():
                yield _text(code), _status(status)


def refused_webhooks() -> Iterator[Answer]:
    """Yield what a webhook's body is refused for: the reason is the code."""
    for source in (ROOT / "services/ingest/src/ingest/adapters/platforms").glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Invalid" and _text(node.args[0]):
                yield _text(node.args[0]), 400


def unnamed_problems(tree: ast.AST) -> Iterator[int]:
    """Yield the line of every problem whose code cannot be read from the source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
            code = node.args[1] if len(node.args) > 1 else None
            if not isinstance(node.args[0], ast.Starred) and not _text(code):
                yield node.lineno


@pytest.fixture(scope="module")
def answered() -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    pairs = {pair for source in SOURCES for pair in answers(tree_of(source))}
    for code, status in pairs | FRAMEWORK | set(refused_webhooks()):
        found[code].add(status)
    return found


def test_every_code_is_in_the_table_with_its_status(answered: dict[str, set[int]]) -> None:
    assert len(answered) > 25, "the walk over the sources finds too few"
    missing = {
        code: statuses for code, statuses in answered.items() if not statuses <= set(getattr(CODES.get(code), "statuses", ()))
    }
    assert missing == {}


def test_the_table_has_no_code_that_nobody_answers(answered: dict[str, set[int]]) -> None:
    assert {name: set(code.statuses) for name, code in CODES.items() if set(code.statuses) - answered[name]} == {}


def test_the_table_is_in_order_and_says_what_to_do() -> None:
    assert list(CODES) == sorted(CODES)
    assert [name for name, code in CODES.items() if not (code.meaning.endswith(".") and code.remedy.endswith("."))] == []


def test_no_code_is_computed() -> None:
    computed = {str(source.relative_to(ROOT)): lines for source in SOURCES if (lines := list(unnamed_problems(tree_of(source))))}
    assert set(computed) <= PASSED_ON, computed


def test_the_documents_table_is_written_from_here() -> None:
    page = (ROOT / "docs/errors.md").read_text()
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == list(CODES)
