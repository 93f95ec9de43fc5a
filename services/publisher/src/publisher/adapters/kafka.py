"""Deliveries to Kafka."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from typing_extensions import override

from antiphon.errors import Transient
from antiphon.kafka import event_headers
from antiphon.persons import PersonIndex, RecordSealer
from antiphon.topics import DELIVERIES, record_key
from publisher.adapters.codec import encode, moment
from publisher.domain.model import Told
from publisher.ports import Announcer


class KafkaAnnouncer(Announcer):
    """Every announcement acknowledged by all replicas before it counts as sent."""

    def __init__(self, producer: AIOKafkaProducer, persons: PersonIndex, sealer: RecordSealer) -> None:
        self._producer = producer
        self._persons, self._sealer = persons, sealer

    @override
    async def announce(self, told: Sequence[Told]) -> None:
        await self._sealer.learn({self._person(one) for one in told})
        try:
            sent = [await self._send(one) for one in told]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise Transient(f"deliveries were not acknowledged: {type(error).__name__}") from error

    async def _send(self, told: Told) -> "asyncio.Future[object]":
        identity = f"{told.order.action_id}/{told.sequence}"
        value, sealed = self._sealer.seal(DELIVERIES, self._person(told), encode(told))
        if self._persons.hides and not sealed:  # forgotten meanwhile: what was done is told, and for whom no more
            value = encode(replace(told, order=replace(told.order, author="")))
        future: asyncio.Future[object] = await self._producer.send(
            DELIVERIES,
            value,
            key=record_key(told.order.brand, told.order.target),
            headers=[*event_headers("antiphon.v1.Delivery", identity, "publisher", moment(told.at)), *sealed],
        )
        return future

    def _person(self, told: Told) -> str:
        order = told.order
        return self._persons.reference(order.brand, order.platform, order.author or order.target)
