"""Waiting for what a process depends on, and telling whether it is there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from antiphon.errors import Transient
from antiphon.mongo import Database, PyMongoError, ping

log = logging.getLogger(__name__)

PROBE_SECONDS = 1.5
"""A readiness check answers within this; an orchestrator's own patience is usually two seconds or more."""

_RETRY_SECONDS = 1.0


async def patiently(start: Callable[[], Awaitable[None]]) -> None:
    """Repeat until it succeeds: what we depend on may come up after us, and our health must be visible meanwhile."""
    while True:
        try:
            return await start()
        except (KafkaError, Transient) as error:
            log.warning("a dependency is not reachable, trying again: %s", error)
            await asyncio.sleep(_RETRY_SECONDS)


async def reachable(database: Database) -> bool:
    """Tell whether the store answers in the time of a readiness check."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await ping(database)
    except (PyMongoError, TimeoutError):
        return False
    return True
