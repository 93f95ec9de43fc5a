"""Follows the three topics into a tally."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer

from antiphon.topics import DECISIONS, DELIVERIES, EVENTS
from antiphon.v1.decision_pb2 import Decision
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.event_pb2 import Event
from antiphon_local.line.tally import Tally

_POLL_MS = 200


def counters(tally: Tally) -> Mapping[str, Callable[[bytes], None]]:
    """Return topic → what counts a record's value, in the order of the line."""
    return {
        EVENTS: lambda value: tally.add_event(Event.FromString(value)),
        DECISIONS: lambda value: tally.add_decision(Decision.FromString(value)),
        DELIVERIES: lambda value: tally.add_delivery(Delivery.FromString(value)),
    }


async def follow(bootstrap: str, tally: Tally) -> None:
    """Count every record of the topics, from their beginning, until cancelled."""
    add = counters(tally)
    consumer = AIOKafkaConsumer(*add, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        while True:
            polled: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=_POLL_MS, max_records=2000)
            for partition, messages in polled.items():
                for message in messages:
                    add[partition.topic](message.value)
            await asyncio.sleep(0)
    finally:
        await consumer.stop()
