"""Start, watch and end programs; whatever is started here has ended when this process has, however it ends."""

import atexit
import http.client
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from antiphon_local.errors import SetupError
from antiphon_local.nursery import Child, nursery_of
from antiphon_local.spawn import spawn

READY_POLL_S = 0.05
"""Between two looks at a program that is starting: a shorter pause takes the CPU it needs to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run. `env` is laid over this process's environment; output is appended to `log`."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready_url: str | None = None
    """Answers 2xx once the program can work; None: nothing to wait for."""
    grace_s: float = 10.0
    """From SIGTERM to SIGKILL. Shorter than the program's own drain loses what it was about to finish."""


class Process:
    """One program, startable again after it ended. `tied` ends it with this process even on SIGKILL; untied it lives on."""

    def __init__(self, command: Command, *, tied: bool = True) -> None:
        self.command = command
        self._tied = tied
        self._child: subprocess.Popen[bytes] | Child | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before its first start; negative: ended by that signal."""
        return self._child.poll() if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the program without waiting for it. Raises SetupError when it runs already or cannot be started."""
        command = self.command
        if self.running:
            raise SetupError(f"{command.name} runs already (pid {self.pid})", "stop it first")
        command.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._child = self._begin()
        except OSError as error:
            raise SetupError(f"{command.name} cannot be started: {error}", "run the set-up again") from error
        if self._tied:
            _started(self)

    def _begin(self) -> subprocess.Popen[bytes] | Child:
        command = self.command
        env = {**os.environ, **command.env}
        with command.log.open("ab") as log:
            self._log_start = log.tell()
            if self._tied and (nursery := nursery_of(command.argv)):
                return nursery.start(command.argv[2:], env=env, cwd=command.cwd, log=command.log)
            tie = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_exec.py")), str(os.getpid())] if self._tied else []
            return spawn([*tie, *command.argv], env=env, cwd=command.cwd, output=log)

    def wait_ready(self, timeout_s: float = 30.0, probe: Callable[[], bool] | None = None) -> None:
        """Wait until `probe` (by default: a 2xx at the command's `ready_url`) says yes.

        Raises SetupError with the last lines of the log when the program ends first or the time is over.
        """
        check = probe or (lambda: self.command.ready_url is None or http_ready(self.command.ready_url))
        deadline = time.monotonic() + timeout_s
        while not check():
            if not self.running:
                raise SetupError(
                    f"{self.command.name} ended at start ({_ending(self.exit_code)}):\n{self.log_tail()}", self._see_log()
                )
            if time.monotonic() > deadline:
                raise SetupError(f"{self.command.name} is not ready after {timeout_s:g} s:\n{self.log_tail()}", self._see_log())
            time.sleep(READY_POLL_S)

    def stop(self, grace_s: float | None = None) -> int | None:
        """SIGTERM, after the grace SIGKILL; return the exit code. Nothing happens when it does not run."""
        if self._child is not None and self.running:
            self._child.terminate()
            try:
                self._child.wait(self.command.grace_s if grace_s is None else grace_s)
            except subprocess.TimeoutExpired:
                self.kill()
        self._ended()
        return self.exit_code

    def kill(self) -> None:
        """SIGKILL to the program and what it started, as a fault would; returns once it is gone."""
        if self._child is not None and self.running:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        self._ended()

    def restart(self) -> None:
        """Stop in order and start again, without waiting for readiness."""
        self.stop()
        self.start()

    def log_text(self) -> str:
        """Return what was logged since the last start."""
        try:
            with self.command.log.open("rb") as log:
                log.seek(self._log_start)
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines: int = 15) -> str:
        return "\n".join(f"  | {line}" for line in self.log_text().splitlines()[-lines:])

    def _see_log(self) -> str:
        return f"see {self.command.log}"

    def _ended(self) -> None:
        _LIVE.pop(id(self), None)


class Supervisor:
    """Processes that are ended together, the last started first: `with Supervisor() as procs: procs.start(command)`."""

    def __init__(self) -> None:
        self.processes: list[Process] = []

    def start(self, command: Command, *, ready_timeout_s: float | None = 30.0) -> Process:
        """Start the command and wait for its readiness (None: do not wait). Raises SetupError; the process is then ended."""
        process = Process(command)
        self.processes.append(process)
        process.start()
        if ready_timeout_s is not None:
            try:
                process.wait_ready(ready_timeout_s)
            except BaseException:
                process.kill()
                raise
        return process

    def dead(self) -> list[Process]:
        """Return the processes that ended without being asked to."""
        return [process for process in self.processes if id(process) in _LIVE and not process.running]

    def stop(self) -> None:
        """End everything in reverse order; every process is ended even when ending another one fails."""
        errors: list[Exception] = []
        for process in reversed(self.processes):
            try:
                process.stop()
            except Exception as error:  # noqa: BLE001 - collected, raised below
                errors.append(error)
        self.processes.clear()
        if errors:
            raise ExceptionGroup("not everything could be ended", errors)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def http_ready(url: str) -> bool:
    """Tell whether a GET answers 2xx within a second."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # what we started is on loopback, never behind a proxy
    try:
        with opener.open(url, timeout=1.0) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, http.client.HTTPException):  # urllib's own errors, 4xx and 5xx among them, are OSErrors
        return False


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


_LIVE: dict[int, Process] = {}
"""Tied processes not yet ended; by nature one table for the whole process, as its children are."""


def _started(process: Process) -> None:
    if not _LIVE:
        atexit.unregister(_end_all)
        atexit.register(_end_all)
    _LIVE[id(process)] = process


def _end_all() -> None:
    for process in reversed(list(_LIVE.values())):
        process.stop(grace_s=min(process.command.grace_s, 5.0))
