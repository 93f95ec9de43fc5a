"""Become the given program, and die with the parent: `python _exec.py PARENT_PID PROGRAM ARGUMENT…`.

A program of its own, since running Python between fork and exec is unsafe in a parent that has threads. The kernel keeps the
parent-death signal across exec; it comes when the parent's forking thread ends, however it ends.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def die_with(parent: int) -> None:
    """Be killed when the parent ends. Raises OSError; SystemExit when it has ended already."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        raise SystemExit("the parent ended first")  # before the signal was set, so it will never come


def main() -> None:
    parent, *command = sys.argv[1:]
    die_with(int(parent))
    os.execvp(command[0], command)  # noqa: S606 - replacing this process is the point


if __name__ == "__main__":
    main()
