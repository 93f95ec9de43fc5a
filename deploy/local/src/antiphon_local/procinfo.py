"""What the kernel tells of processes, and ending one that is not our child; by pid, never by name."""

import os
import signal
import time
from pathlib import Path

POLL_S = 0.02
"""Between looks at a process that was asked to end."""


def start_ticks(pid: int) -> int | None:
    """Return when the process started, in clock ticks since boot: with its pid this names one process for ever.

    None: there is no such process, or it has ended and only its parent has not looked yet.
    """
    try:
        # The name in parentheses may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def command_line(pid: int) -> str:
    """Return the process's arguments joined by spaces, empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def is_same(pid: int, started: int | None, marker: str) -> bool:
    """Tell whether `pid` is still the process that was recorded: same start and `marker` among its arguments."""
    return started is not None and start_ticks(pid) == started and marker in command_line(pid)


def wait_gone(pid: int, started: int, timeout_s: float) -> bool:
    """Wait until the recorded process has ended. False when it has not within the time."""
    deadline = time.monotonic() + timeout_s
    while start_ticks(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def end(pid: int, started: int, grace_s: float) -> None:
    """Ask the recorded process to end, and kill it after the grace. Nothing happens when it has ended already."""
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        if start_ticks(pid) != started:
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_gone(pid, started, patience_s):
            return
