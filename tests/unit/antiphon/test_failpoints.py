"""Failpoints end a process where they are told to, and do nothing unless they are allowed."""

import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from antiphon import failpoints

PROGRAM = """
import sys
from antiphon import failpoints
failpoints.arm(sys.argv[1], allowed=True)
for number in range(4):
    failpoints.hit("svc.other")
    print(number, flush=True)
    failpoints.hit("svc.point")
"""


def run(failpoint: str) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, failpoint], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize(
    ("failpoint", "code", "printed"),
    [
        ("", 0, 4),
        ("svc.never:kill", 0, 4),
        ("svc.point:kill", -signal.SIGKILL, 1),
        ("svc.point:kill:3", -signal.SIGKILL, 3),
        ("svc.point:kill:9", 0, 4),
    ],
)
def test_it_ends_the_process_at_the_hit_asked_for(failpoint: str, code: int, printed: int) -> None:
    assert run(failpoint) == (code, ["0", "1", "2", "3"][:printed])


def test_a_pause_stops_the_process_until_it_is_continued() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, "svc.point:pause:2"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline().strip() for _ in range(2)] == ["0", "1"]
        wait_for_state(process.pid, "T")
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read().split() == ["2", "3"]
    assert process.returncode == 0


def wait_for_state(pid: int, state: str) -> None:
    deadline = monotonic() + 30
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != state:
        assert monotonic() < deadline


def test_without_permission_a_set_failpoint_refuses_to_start() -> None:
    with pytest.raises(ValueError, match="not allowed"):
        failpoints.arm("svc.point:kill", allowed=False)
    failpoints.arm("", allowed=False)


@pytest.mark.parametrize(
    "text", ["svc.point", "svc.point:explode", "svc.point:kill:0", "svc.point:kill:-1", "svc.point:kill:x", ":kill"]
)
def test_a_text_that_would_never_fire_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not <name>"):
        failpoints.arm(text, allowed=True)
    failpoints.hit("svc.point")
