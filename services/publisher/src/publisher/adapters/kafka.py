"""Deliveries to Kafka."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from typing_extensions import override

from antiphon.errors import Transient
from antiphon.kafka import event_headers
from antiphon.topics import DELIVERIES, record_key
from publisher.adapters.codec import encode, moment
from publisher.domain.model import Told
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
