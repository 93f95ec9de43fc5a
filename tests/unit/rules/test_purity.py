"""What is decided depends on nothing but its arguments: the domain has no way to a clock, to chance or to the outside."""

import ast
import sys
from pathlib import Path

import rules.domain

ALLOWED = {"antiphon.ids", "antiphon.windows"}
FORBIDDEN = {
    "time",
    "random",
    "secrets",
    "uuid",
    "os",
    "io",
    "socket",
    "asyncio",
    "threading",
    "subprocess",
    "logging",
    "pathlib",
}


def imports(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_domain_imports_only_pure_things() -> None:
    modules = sorted(Path(rules.domain.__path__[0]).glob("*.py"))
    assert len(modules) > 8
    for module in modules:
        foreign = {name for name in imports(module) if not name.startswith("rules.domain") and name not in ALLOWED}
        assert {name.partition(".")[0] for name in foreign} <= sys.stdlib_module_names, module.name
        assert not foreign & FORBIDDEN, module.name


def test_the_domain_asks_no_clock() -> None:
    for module in Path(rules.domain.__path__[0]).glob("*.py"):
        called = {node.attr for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Attribute)}
        assert not called & {"now", "utcnow", "today"}, module.name
