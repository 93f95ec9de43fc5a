"""Free ports on loopback."""

import random
import socket
from contextlib import ExitStack

from antiphon_local.errors import SetupError

LOOPBACK = "127.0.0.1"

FIRST, LAST = 20_000, 32_000
"""Below the range the kernel gives to outgoing connections: there, while a killed server is away, a client that tries again could
be given the very port as its own and connect to itself, or keep the server from coming back."""


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        return _bound(probe, port)


def free_ports(count: int) -> list[int]:
    """Return different ports nobody listens on. Another program may still be quicker to take one."""
    ports: list[int] = []
    with ExitStack() as held:
        for port in random.SystemRandom().sample(range(FIRST, LAST), k=min(count * 200, LAST - FIRST)):
            if len(ports) == count:
                break
            if _bound(held.enter_context(socket.socket()), port):
                ports.append(port)
    if len(ports) < count:
        raise SetupError(
            f"no free port between {FIRST} and {LAST} on {LOOPBACK}",
            "end some of the programs that listen there (`ss -ltn` lists them)",
        )
    return ports


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
