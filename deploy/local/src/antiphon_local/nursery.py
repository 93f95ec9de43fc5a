"""Programs that begin where their imports ended.

A test run starts the services some hundred times, and most of a start is loading what they use. A nursery is a process that
has loaded it and does nothing but fork when asked. What runs then is the whole program, from its `__main__` on, with an
environment, a process group, a log and a death of its own; it shares nothing with its siblings but what was imported.
"""

import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from runpy import run_module
from types import FrameType
from typing import Any, Final

from antiphon_local._exec import die_with

_MESSAGE_BYTES: Final = 2**17
"""Of one message: an environment and a command line."""


class Child:
    """A forked program, with as much of `subprocess.Popen` as is asked of one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = threading.Event()
        self._code: int | None = None

    def end(self, code: int) -> None:
        """Note that it has ended, as the nursery saw it."""
        self._code = code
        self._ended.set()

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        return self._code

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit code once there is one. Raises subprocess.TimeoutExpired."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"forked process {self.pid}", timeout or 0.0)
        return self._code

    def terminate(self) -> None:
        """Send SIGTERM, if it still runs."""
        if self._code is None:
            os.kill(self.pid, signal.SIGTERM)


class Nursery:
    """A process with these modules loaded; it ends, and with it all that it forked, when this one does."""

    def __init__(self, modules: Sequence[str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        self._order = threading.Lock()
        self._born: SimpleQueue[Child | None] = SimpleQueue()
        with theirs:
            argv = [sys.executable, "-m", "antiphon_local.nursery", str(theirs.fileno()), *modules]
            self._process = subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True)
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def start(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None, log: Path) -> Child:
        """Fork a program: `argv` is a module and its arguments. Raises OSError when the nursery has ended."""
        order = {"argv": list(argv), "env": dict(env), "cwd": str(cwd or Path.cwd()), "log": str(log.absolute())}
        with self._order:
            self._socket.send(json.dumps(order).encode())
            child = self._born.get()
        if child is None:
            raise ChildProcessError(f"the process that has loaded {argv[0]} has ended; its own words are above")
        return child

    def close(self) -> None:
        """End it and everything that it forked."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        self._socket.close()

    def _listen(self) -> None:
        living: dict[int, Child] = {}
        while message := _received(self._socket):
            told: dict[str, int] = json.loads(message)
            pid = told["pid"]
            if "code" in told:
                living.pop(pid).end(told["code"])
            else:
                living[pid] = Child(pid)
                self._born.put(living[pid])
        self._born.put(None)
        for child in living.values():
            child.end(-signal.SIGKILL)


_LOADED: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "ingest": {},
    "rules": {"engine": ["rules.engine_app"]},
    "publisher": {
        "worker": ["publisher.worker_app"],
        "api": ["publisher.app"],
        "campaigns": ["publisher.campaigns_app"],
    },
    "metrics": {},
    "simulator": {},
}
"""Program → role → what it loads besides what its `__main__` does."""


class Nurseries:
    """One nursery for each set of modules, made when the first program asks for it."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], Nursery] = {}
        self._making = threading.Lock()

    def of(self, program: str, role: str) -> Nursery:
        """Return where a program of the platform is forked."""
        modules = (f"{program}.__main__", *_LOADED[program].get(role, ()))
        with self._making:
            if modules not in self._made:
                self._made[modules] = Nursery(modules)
            return self._made[modules]

    def close(self) -> None:
        """End all of them."""
        for nursery in self._made.values():
            nursery.close()
        self._made.clear()


_open: Nurseries | None = None
"""By nature one for the whole process, as its children are."""


@contextmanager
def nurseries() -> Iterator[None]:
    """Until the end of the context, programs of the platform are forked instead of executed."""
    global _open
    before, made = _open, Nurseries()
    _open = made
    try:
        yield
    finally:
        _open = before
        made.close()


def nursery_of(argv: Sequence[str]) -> Nursery | None:
    """Return where a command line is forked; None where it is to be executed."""
    executable, flag, program, role, *_ = [*argv, "", "", ""]
    if _open is None or (executable, flag) != (sys.executable, "-m") or program not in _LOADED:
        return None
    return _open.of(program, role)


def _received(connection: socket.socket) -> bytes:
    """Return the next message, empty when there will be none."""
    try:
        return connection.recv(_MESSAGE_BYTES)
    except OSError:
        return b""


def _nurse(connection: socket.socket) -> dict[str, Any] | None:
    """Fork at every order. Return the order in each child, None here once nobody can order any more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, _heard)
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(reader, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if reader in ready:
                os.read(reader, 4096)
                _tell_the_ended(connection)
            if connection.fileno() not in ready:
                continue
            message = _received(connection)
            if not message:
                return None
            parent = os.getpid()
            if pid := os.fork():
                os.setpgid(pid, pid)  # here, so that it can be killed with all that it starts as soon as its pid is known
                connection.send(json.dumps({"pid": pid}).encode())
                continue
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with(parent)
            os.close(reader)
            os.close(writer)
            order: dict[str, Any] = json.loads(message)
            return order


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Nothing: the byte in the pipe wakes the nursery."""


def _tell_the_ended(connection: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        connection.send(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _become(order: Mapping[str, Any]) -> None:
    """Make this process what a start of the program would have made."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[0] = order["cwd"]  # where `python -m` looks first
    module, *arguments = order["argv"]
    sys.argv = [module, *arguments]
    run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Load modules, then fork until the other side is gone."""
    descriptor, *modules = sys.argv[1:]
    for module in modules:
        import_module(module)
        if module.endswith(".__main__"):
            del sys.modules[module]  # it is yet to run, and under another name
    gc.freeze()  # what is shared is not to be written to by looking for garbage
    with socket.socket(fileno=int(descriptor)) as connection:
        order = _nurse(connection)
    if order is not None:
        _become(order)


if __name__ == "__main__":
    main()
