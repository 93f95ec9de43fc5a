"""Time, twice: the real time that people see, and the platform's own time that can be squeezed."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Real time for timestamps and latencies; platform time for retries and budgets."""

    def wall(self) -> float:
        """Unix seconds, real."""
        ...

    def now(self) -> float:
        """Platform seconds since the clock was made."""
        ...

    def real_seconds(self, platform_seconds: float) -> float:
        """How long a span of platform time really lasts."""
        ...

    async def sleep(self, platform_seconds: float) -> None:
        """Wait for a span of platform time."""
        ...


class ScaledClock:
    """The running clock: `scale` platform seconds pass in a real second."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._origin = time.monotonic()

    def wall(self) -> float:
        return time.time()

    def now(self) -> float:
        return (time.monotonic() - self._origin) * self._scale

    def real_seconds(self, platform_seconds: float) -> float:
        return platform_seconds / self._scale

    async def sleep(self, platform_seconds: float) -> None:
        await asyncio.sleep(self.real_seconds(platform_seconds))
