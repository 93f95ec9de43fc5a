"""Free ports on loopback."""

import fcntl
import os
import random
import socket
import tempfile
import threading
from collections import deque
from contextlib import ExitStack
from pathlib import Path

from antiphon_local.errors import SetupError

LOOPBACK = "127.0.0.1"

FIRST, LAST = 20_000, 32_000
"""Below the range the kernel gives to outgoing connections: there, while a killed server is away, a client that tries again could
be given the very port as its own and connect to itself, or keep the server from coming back."""

BLOCK = 400
"""Ports of one process: a run of all tests asks for some hundreds, and a port asked for again must be long out of use."""


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        return _bound(probe, port)


def free_ports(count: int) -> list[int]:
    """Return different ports nobody listens on, nor will another process that asks here, for a long while.

    Raises SetupError when there are not so many.
    """
    with _ASKING, ExitStack() as held:
        ports = _block()
        found: list[int] = []
        for _ in range(len(ports)):
            if len(found) == count:
                break
            ports.rotate(-1)  # those given last come last again
            if _bound(held.enter_context(socket.socket()), ports[-1]):
                found.append(ports[-1])
    if len(found) < count:
        raise SetupError(
            f"no {count} free ports between {min(ports)} and {max(ports)} on {LOOPBACK}",
            "end some of the programs that listen there (`ss -ltn` lists them)",
        )
    return found


_ASKING = threading.Lock()
_MINE: dict[int, deque[int]] = {}
"""By pid, since a fork must find a block of its own. Its lock is never closed: it holds until the process ends."""


def _block() -> deque[int]:
    """Return this process's own block of ports: two that choose from the same ones would meet now and then."""
    if os.getpid() not in _MINE:
        directory = Path(tempfile.gettempdir()) / f"antiphon-ports-{os.getuid()}"
        directory.mkdir(exist_ok=True)
        for first in range(FIRST, LAST, BLOCK):
            lock = os.open(directory / str(first), os.O_WRONLY | os.O_CREAT)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            ports = random.SystemRandom().sample(range(first, first + BLOCK), k=BLOCK)
            _MINE[os.getpid()] = deque(ports)
            break
        else:
            raise SetupError("every block of ports is taken by a process that runs", f"end some of them, or delete {directory}")
    return _MINE[os.getpid()]


def _bound(probe: socket.socket, port: int) -> bool:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: the remains of closed connections do not count
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        return False
    return True


def listens(port: int, timeout_s: float = 0.5) -> bool:
    """Tell whether someone accepts connections on the port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True
