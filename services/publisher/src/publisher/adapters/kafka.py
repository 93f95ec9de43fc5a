"""Deliveries and changes of entries to Kafka."""

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from typing_extensions import override

from antiphon.errors import Transient
from antiphon.kafka import event_headers
from antiphon.topics import DELIVERIES, ENTRIES, record_key
from publisher.adapters import entry_codec
from publisher.adapters.codec import encode, moment
from publisher.domain.model import Told
from publisher.entry_ports import Announcement, EntryAnnouncer
from publisher.ports import Announcer


class KafkaAnnouncer(Announcer):
    """Every announcement acknowledged by all replicas before it counts as sent."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    @override
    async def announce(self, told: Sequence[Told]) -> None:
        try:
            sent = [await self._send(one) for one in told]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise Transient(f"deliveries were not acknowledged: {type(error).__name__}") from error

    async def _send(self, told: Told) -> "asyncio.Future[object]":
        identity = f"{told.order.action_id}/{told.sequence}"
        future: asyncio.Future[object] = await self._producer.send(
            DELIVERIES,
            encode(told),
            key=record_key(told.order.brand, told.order.target),
            headers=event_headers("antiphon.v1.Delivery", identity, "publisher", moment(told.at)),
        )
        return future


class KafkaEntryAnnouncer(EntryAnnouncer):
    """As the deliveries': every change acknowledged by all replicas before it counts as told, and is counted."""

    def __init__(self, producer: AIOKafkaProducer, count: Callable[[Announcement], None]) -> None:
        self._producer, self._count = producer, count

    @override
    async def announce(self, announcements: Sequence[Announcement]) -> None:
        try:
            sent = [await self._send(one) for one in announcements]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise Transient(f"changes of entries were not acknowledged: {type(error).__name__}") from error
        for one in announcements:
            self._count(one)

    async def _send(self, told: Announcement) -> "asyncio.Future[object]":
        name = told.entry.entry_id
        future: asyncio.Future[object] = await self._producer.send(
            ENTRIES,
            entry_codec.encode(told),
            key=record_key(told.entry.capture.brand, name),
            headers=event_headers("antiphon.v1.EntryChange", f"{name}/{told.line.sequence}", "publisher", moment(told.line.at)),
        )
        return future
