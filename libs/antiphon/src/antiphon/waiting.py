"""Requests that wait for something to happen: until when they may."""

import asyncio
from typing import Final

from fastapi import Request

STOP: Final = "antiphon.stop"
"""Where a request's scope has the event that the process is told to stop."""


async def is_waiting(request: Request) -> bool:
    """Tell whether the client still waits and may be let wait: this process is not told to stop."""
    stop: asyncio.Event | None = request.scope.get(STOP)
    return not (stop and stop.is_set()) and not await request.is_disconnected()
