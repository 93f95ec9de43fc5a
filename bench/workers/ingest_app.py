"""Ingest's real application on one subscription, with as much of it as asked for: `handler`, `accept` or `durable`.

`handler` ends after signature and decoding (the body holds nothing to normalise), `accept` after normalising into a log
that is only memory, `durable` after Kafka's acknowledgement.
"""

import asyncio
import sys
from collections.abc import Container, Sequence
from datetime import UTC, datetime

import uvloop

from antiphon import logs, process
from antiphon.auth import KeyRing
from antiphon.clock import SystemClock
from bench.workers import SECRET
from ingest.adapters.platforms.registry import serving
from ingest.app import build
from ingest.domain import Account, Event, Rejected, Result, Secret, Source
from ingest.ports import PlatformAdapter
from ingest.settings import IngestSettings
from ingest.testing import MemorySourceStore

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _DecodeOnly:
    """A platform adapter whose bodies mean nothing."""

    def __init__(self, adapter: PlatformAdapter) -> None:
        self.verify, self.handshake, self.decode = adapter.verify, adapter.handshake, adapter.decode

    def normalise(self, document: object, accounts: Container[str]) -> Sequence[Result]:
        """Return nothing."""
        return ()


class Nowhere:
    """An event log that forgets."""

    async def append(self, source: Source, received: object, events: Sequence[Event], rejected: Sequence[Rejected]) -> None:
        """Forget."""

    async def reachable(self) -> bool:
        """Say yes."""
        return True


async def main(mode: str) -> None:
    """Serve until killed."""
    settings = IngestSettings()
    source = Source("bench", "facebook", b"verify", [Secret("bench", SECRET, _EPOCH)], {"page": Account("page", "bench", "main")})
    platforms = dict(serving())
    if mode == "handler":
        platforms["facebook"] = _DecodeOnly(platforms["facebook"])
    async with build(
        settings,
        platforms=platforms,
        event_log=None if mode == "durable" else Nowhere(),
        store=MemorySourceStore(source),
        keys=KeyRing(SystemClock()),
    ) as (app, tasks):
        await process.serve(app, settings, tasks)


if __name__ == "__main__":
    logs.configure("bench", "warning")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
