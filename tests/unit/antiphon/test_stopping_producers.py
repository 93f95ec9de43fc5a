"""A stop ends, whatever the cluster does; every service stops its producers in the one way that is sure of it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from antiphon.kafka import stop_producer
from antiphon_local.settings import ROOT


class Producer:
    """Stops as it is told to; remembers which of its parts were closed."""

    def __init__(self, stopping: Any) -> None:
        self._stopping = stopping
        self.closed: list[str] = []
        self._sender, self.client = self._part("sender"), self._part("client")

    def _part(self, name: str) -> Any:
        async def close() -> None:
            self.closed.append(name)

        return SimpleNamespace(close=close)

    async def stop(self) -> None:
        await self._stopping()


async def never() -> None:
    await asyncio.Event().wait()


async def failing() -> None:
    raise KafkaConnectionError("the cluster went away")


async def at_once() -> None:
    """Everything was taken."""


@pytest.mark.parametrize(("stopping", "closed"), [(never, ["sender", "client"]), (failing, ["sender", "client"]), (at_once, [])])
async def test_what_the_cluster_does_not_take_is_given_up(stopping: Any, closed: list[str]) -> None:
    producer: Any = Producer(stopping)
    await stop_producer(producer, grace_seconds=0.01)
    assert producer.closed == closed


def test_no_service_stops_a_producer_by_itself() -> None:
    paths = [path for folder in ("services", "libs") for path in (ROOT / folder).glob("*/src/**/*.py")]
    alone = [path.name for path in paths if "producer.stop" in path.read_text()]
    assert alone == ["kafka.py"], "antiphon.kafka.stop_producer alone"
