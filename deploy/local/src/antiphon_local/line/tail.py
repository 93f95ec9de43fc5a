"""Follows the three topics into a tally."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer

from antiphon.clock import SystemClock
from antiphon.kafka import Record
from antiphon.mongo import connect
from antiphon.person_keys import record_sealer
from antiphon.persons import PersonSettings, RecordSealer
from antiphon.settings import MongoSettings
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


@contextlib.asynccontextmanager
async def opener(env: Mapping[str, str]) -> AsyncIterator[RecordSealer]:
    """Open sealed records with the settings of a process."""
    settings = _Settings.model_validate({name.lower(): value for name, value in env.items()})
    client, database = connect(settings)
    try:
        yield record_sealer(database, settings, SystemClock())
    finally:
        client.close()


class _Settings(MongoSettings, PersonSettings):
    """What is needed to open records."""


async def count(add: Mapping[str, Callable[[bytes], None]], messages: Sequence[Any], sealer: RecordSealer) -> None:
    """Count messages of one topic; those about forgotten people count no more."""
    records = [Record(one.topic, one.partition, one.offset, one.key, one.value, one.headers) for one in messages]
    for record in await sealer.open(records):
        if record is not None:
            add[record.topic](record.value)


async def follow(bootstrap: str, tally: Tally, sealer: RecordSealer) -> None:
    """Count every record of the topics, from their beginning, until cancelled."""
    add = counters(tally)
    consumer = AIOKafkaConsumer(*add, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    try:
        await consumer.start()
        while True:
            polled: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=_POLL_MS, max_records=2000)
            for messages in polled.values():
                await count(add, messages, sealer)
            await asyncio.sleep(0)
    finally:
        await consumer.stop()
