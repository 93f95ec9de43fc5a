"""A Faust consumer that loses nothing when partitions move, and makes no tasks for a message that nobody has to wait for.

After a rebalance Faust's fetcher may still be under way with what it was asked for before. Whatever such a fetch brings is
dropped, but has moved the positions: where that happened after Faust had put them right, the beginning of a changelog was
never read (the worker waited for it for ever), or events that were neither worked on nor committed were passed over. So:
- the flow stops with every assignment, and with the resuming of the events' partitions, until Faust starts it again;
- positions are changed when no fetch is under way, and a fetch is short;
- events of which nothing is committed yet are sought to their beginning, where Faust leaves the position as it is.

Faust hands each message over inside `wait_first(callback, suspended)`, which makes four tasks even when the callback
only puts the message into a queue: a third of the engine's time. Here the callback is stepped once where it stands;
only if it really waits (a full queue, a rebalance) is the rest of it given to Faust's own way, unchanged.
"""

import types
from collections.abc import Awaitable, Coroutine, Generator, Iterable, Mapping
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


FETCH_SECONDS = 0.1
"""The longest fetch that brings nothing: partitions that move wait for it. Faust's own second would be waited for twice."""


class LightConsumer(Consumer):
    """Faust's consumer with the fast path, resting while its positions are put right."""

    @override
    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Do as Faust's; a worker that had no partitions before has not stopped its flow yet."""
        self.stop_flow()
        await super().on_partitions_assigned(assigned, generation_id)

    @override
    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Do as Faust's; the flow of events stops here and Faust starts it again once it has emptied the queues."""
        partitions = set(tps)
        if any(self.app.topics.acks_enabled_for(partition.topic) for partition in partitions):
            self.stop_flow()
        super().resume_partitions(partitions)

    @override
    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        self.not_waiting_next_records.clear()  # Faust declares this and waits for it nowhere
        try:
            return await super()._getmany(active_partitions, min(timeout, FETCH_SECONDS))
        finally:
            self.not_waiting_next_records.set()

    @override
    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Do as Faust's, with no fetch under way."""
        await self.wait_for_stopped_flow()
        await super().seek_wait(partitions)

    @override
    async def perform_seek(self) -> None:
        """Do as Faust's, with no fetch under way, and from the beginning where nothing is committed yet."""
        await self.wait_for_stopped_flow()
        await super().perform_seek()
        fresh = [
            partition
            for partition in self.assignment()
            if self.app.topics.acks_enabled_for(partition.topic) and self._committed_offset[partition] is None
        ]
        if fresh:
            await self.seek_wait(await self.earliest_offsets(*fresh))

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
