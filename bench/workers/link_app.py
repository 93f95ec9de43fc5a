"""Ingest's real application on one tracked link, into a log that is only memory (`forgetful`) or onto Kafka (`redirect`)."""

import asyncio
import sys

import uvloop

from antiphon import logs, process
from antiphon.auth import KeyRing
from antiphon.clock import SystemClock
from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import ConfigRecord, LinkConfig
from bench.workers import LINK, LINK_BRAND
from bench.workers.ingest_app import Nowhere
from ingest.adapters.directory import Directory
from ingest.app import build
from ingest.settings import IngestSettings
from ingest.testing import MemorySourceStore


async def main(mode: str) -> None:
    """Serve until killed."""
    directory = Directory()
    link = LinkConfig(brand=LINK_BRAND, link=LINK, url="https://bench.example/shipping?click={click}")
    directory.apply([Change(0, f"link/{LINK_BRAND}/{LINK}", ConfigRecord(generation=1, link=link))])
    async with build(
        IngestSettings(),
        event_log=None if mode == "redirect" else Nowhere(),
        store=MemorySourceStore(),
        keys=KeyRing(SystemClock()),
        directory=directory,
    ) as (app, tasks):
        await process.serve(app, IngestSettings(), tasks)


if __name__ == "__main__":
    logs.configure("bench", "warning")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
