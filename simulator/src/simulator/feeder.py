"""Lets comments happen at a given pace."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

CHUNK = 250
"""Items done before the loop may do something else; a few milliseconds of work."""

TICK = 0.01
"""Seconds between looks at the clock when a pace is kept."""


class Feeder(Generic[T]):
    """Hands items to `act`, as many a second as asked. An item that `act` refuses with ValueError is counted."""

    def __init__(self, act: Callable[[T], object]) -> None:
        self._act = act
        self._tasks: set[asyncio.Task[None]] = set()
        self.pending = 0
        self.refused = 0

    def start(self, items: Sequence[T], rate: float) -> None:
        """Begin to feed in the background; `rate` a second, more than 0."""
        self.pending += len(items)
        task = asyncio.create_task(self._feed(items, rate))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _feed(self, items: Sequence[T], rate: float) -> None:
        begun, done = time.monotonic(), 0
        while done < len(items):
            due = min(len(items), done + CHUNK, int((time.monotonic() - begun) * rate) + 1)
            for item in items[done:due]:
                self._do(item)
            done = max(done, due)
            await asyncio.sleep(TICK)

    def _do(self, item: T) -> None:
        self.pending -= 1
        try:
            self._act(item)
        except ValueError:
            self.refused += 1

    async def stop(self) -> None:
        """Forget what was not fed yet."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.pending = self.refused = 0
