"""Waiting for what a process depends on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from antiphon.errors import Transient

log = logging.getLogger(__name__)


async def patiently(start: Callable[[], Awaitable[None]]) -> None:
    """Repeat until it succeeds: what we depend on may come up after us, and our health must be visible meanwhile."""
    while True:
        try:
            return await start()
        except (KafkaError, Transient) as error:
            log.warning("a dependency is not reachable, trying again: %s", error)
            await asyncio.sleep(1.0)
