"""A MongoDB-wire store: SecantusDB, a program of its own that is never imported, for development and tests only."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from typing_extensions import override

from antiphon_local.native import NativeService
from antiphon_local.ports import LOOPBACK

CACHE_SIZE = "256M"
"""Of WiredTiger. Its default of a gigabyte is a good part of a small machine; the data of demo and tests fit into this."""


_OPTIONS = "directConnection=true&retryWrites=false"
"""It keeps the answer of every retryable write for half an hour and looks through all of them at each write: after ten minutes
of a busy line a write cost 25 ms of its one core instead of one. A retry after a change of primaries has no meaning here."""


class Mongo(NativeService):
    """One node that presents itself as a primary. Durable with `w=majority, j=true` only: `w=1` loses on SIGKILL."""

    name: ClassVar[str] = "mongo"
    grace_s: ClassVar[float] = 10.0
    disk_mb: ClassVar[int] = 100

    @property
    @override
    def address(self) -> str:
        return f"mongodb://{LOOPBACK}:{self.port}/?{_OPTIONS}"

    @override
    def _prepare(self) -> None:
        self._config.touch()

    @override
    def _argv(self) -> Sequence[str]:
        return (
            *(sys.executable, "-I", "-m", "secantus", "--host", LOOPBACK, "--port", str(self.ports[0])),
            *("--storage-path", str(self.directory / "data"), "--cache-size", CACHE_SIZE, "--log-level", "WARNING"),
            *("--config", str(self._config)),  # empty: without it the server would look for one in the user's home
        )

    @override
    def answers(self) -> bool:
        client: MongoClient[dict[str, object]] = MongoClient(self.address, serverSelectionTimeoutMS=1000, connectTimeoutMS=1000)
        try:
            return bool(client.admin.command("ping")["ok"])
        except PyMongoError:
            return False
        finally:
            client.close()

    @property
    def _config(self) -> Path:
        return self.directory / "secantusd.toml"
