"""What is forked from a nursery is what a start of the program would be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from antiphon_local import procinfo
from antiphon_local.nursery import Child, Nursery, nurseries, nursery_of

PROGRAM = """
import os, random, sys, time
print(__name__, sys.argv[1:], os.environ.get("WORD"), os.environ.get("HOME"), os.getcwd(), random.random(), flush=True)
if sys.argv[1] == "sleep":
    time.sleep(60)
if sys.argv[1] == "fail":
    raise ValueError("as told")
sys.exit(int(sys.argv[1]))
"""

STARTER = """
import sys, time
from pathlib import Path
from antiphon_local.nursery import Nursery
child = Nursery(["json"]).start(["program", "sleep"], env={}, cwd=Path.cwd(), log=Path("log"))
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery(["json"])
    yield nursery
    nursery.close()


@pytest.fixture
def start(nursery: Nursery, tmp_path: Path) -> Callable[..., Child]:
    (tmp_path / "program.py").write_text(PROGRAM)

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> Child:
        return nursery.start(["program", *arguments], env=env or {}, cwd=tmp_path, log=tmp_path / "log")

    return run


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    return procinfo.start_ticks(pid) is None


def test_it_has_arguments_environment_directory_and_log_of_its_own(start, tmp_path: Path) -> None:
    children = [start("3", env={"WORD": word}) for word in ("one", "two")]
    assert [child.wait(20) for child in children] == [3, 3]
    assert [child.poll() for child in children] == [3, 3]
    lines = sorted((tmp_path / "log").read_text().splitlines())
    shown = [line.rpartition(" ")[0] for line in lines]
    assert shown == [f"__main__ ['3'] {word} None {tmp_path}" for word in ("one", "two")]
    assert len({line.rpartition(" ")[2] for line in lines}) == 2, "siblings drew the same number"


def test_how_it_ended_is_told(start, tmp_path: Path) -> None:
    assert start("fail").wait(20) == 1
    assert "ValueError: as told" in (tmp_path / "log").read_text()
    sleeping = start("sleep")
    assert (sleeping.poll(), os.getpgid(sleeping.pid)) == (None, sleeping.pid)
    with pytest.raises(subprocess.TimeoutExpired):
        sleeping.wait(0.05)
    sleeping.terminate()
    assert sleeping.wait(20) == -signal.SIGTERM
    killed = start("sleep")
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait(20) == -signal.SIGKILL


def test_when_it_ends_all_that_it_forked_ends(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    nursery = Nursery(["json"])
    child = nursery.start(["program", "sleep"], env={}, cwd=tmp_path, log=tmp_path / "log")
    nursery.close()
    assert child.wait(20) == -signal.SIGKILL
    wait_until(lambda: gone(child.pid))
    with pytest.raises(OSError):
        nursery.start(["program", "sleep"], env={}, cwd=tmp_path, log=tmp_path / "log")


def test_when_its_starter_is_killed_all_that_it_forked_ends(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen([sys.executable, "-c", STARTER], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert not gone(pid)
        starter.kill()
    wait_until(lambda: gone(pid))


def test_modules_that_cannot_be_loaded_are_an_error() -> None:
    nursery = Nursery(["no_such_module_anywhere"])
    with pytest.raises(OSError, match="has ended"):
        nursery.start(["program"], env={}, cwd=None, log=Path("never-written"))
    nursery.close()


def test_only_programs_of_the_platform_are_forked() -> None:
    with nurseries():
        assert nursery_of([sys.executable, "-c", "pass"]) is None
        assert nursery_of([sys.executable, "-m", "json.tool"]) is None
        assert nursery_of(["kafka-server-start.sh"]) is None
        assert nursery_of([sys.executable]) is None
        assert nursery_of([sys.executable, "-m", "simulator", "--port", "0"]) is nursery_of([sys.executable, "-m", "simulator"])
