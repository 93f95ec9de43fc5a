"""Starting programs from one thread that lives as long as the process.

The kernel's parent-death signal comes when the THREAD that forked ends, so a child started from a short-lived worker thread would
be killed with it.
"""

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO


def spawn(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with no input and both outputs to `output`. Raises OSError."""

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal goes to us alone, and we end things in order
        )

    answer: Future[subprocess.Popen[bytes]] = Future()
    _orders().put((start, answer))
    return answer.result()


_Order = tuple[Callable[[], subprocess.Popen[bytes]], "Future[subprocess.Popen[bytes]]"]

_QUEUES: dict[int, queue.SimpleQueue[_Order]] = {}
"""By pid: a fork of this process inherits the queue but not its thread, and so makes its own."""
_QUEUES_LOCK = threading.Lock()


def _orders() -> queue.SimpleQueue[_Order]:
    with _QUEUES_LOCK:
        if os.getpid() not in _QUEUES:
            orders = _QUEUES[os.getpid()] = queue.SimpleQueue()
            threading.Thread(target=_work, args=(orders,), name="spawner", daemon=True).start()
        return _QUEUES[os.getpid()]


def _work(orders: queue.SimpleQueue[_Order]) -> None:
    while True:
        start, answer = orders.get()
        try:
            answer.set_result(start())
        except BaseException as error:  # noqa: BLE001 - raised in the thread that asked
            answer.set_exception(error)
