"""A Faust consumer that loses nothing when partitions move, and makes no tasks for a message that nobody has to wait for.

After a rebalance Faust resumes the partitions of the events, seeks them to what is committed, and only then empties the
queues: what its fetcher, which already runs for the changelog, had put there in between was never worked on and never
committed. Here the fetcher rests from the moment the partitions are resumed until Faust lets it go on, after the queues
were emptied.

Faust hands each message over inside `wait_first(callback, suspended)`, which makes four tasks even when the callback
only puts the message into a queue: a third of the engine's time. Here the callback is stepped once where it stands;
only if it really waits (a full queue, a rebalance) is the rest of it given to Faust's own way, unchanged.
"""

import types
from collections.abc import Awaitable, Coroutine, Generator, Iterable
from typing import Any

from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from typing_extensions import override


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> Generator[Any, Any, Any]:
    """Run on a coroutine that was stepped once and now waits for `waits_for`."""
    try:
        while True:
            try:
                value = yield waits_for
            except BaseException as error:  # noqa: BLE001 (cancellation and errors belong to the coroutine)
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(value)
    except StopIteration as finished:
        return finished.value


class LightConsumer(Consumer):
    """Faust's consumer with the fast path, resting while it is moved back to what is committed."""

    @override
    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Do as Faust's; the flow of events stops here and Faust starts it again once it has emptied the queues."""
        partitions = set(tps)
        if any(self.app.topics.acks_enabled_for(partition.topic) for partition in partitions):
            self.stop_flow()
        super().resume_partitions(partitions)

    async def behind(self, topic: str) -> int:
        """Return the number of a topic's records on this worker's partitions that are not committed yet. Raises KafkaError."""
        partitions = [partition for partition in self.assignment() if partition.topic == topic]
        ends = await self.highwaters(*partitions) if partitions else {}
        return sum(max(0, ends[partition] - (self._committed_offset.get(partition) or 0)) for partition in partitions)

    @override
    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:
        """Do as Faust's, without tasks when the first of two coroutines ends at once."""
        if timeout is not None or len(coros) != 2 or not all(isinstance(coro, types.CoroutineType) for coro in coros):
            return await super().wait_first(*coros, timeout=timeout)
        callback, suspended = coros
        try:
            waits_for = callback.send(None)
        except StopIteration:
            suspended.close()
            return None
        rest: Awaitable[Any] = _wrapped(callback, waits_for)
        return await super().wait_first(rest, suspended)


async def _wrapped(coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> Any:
    return await _resume(coroutine, waits_for)
