"""Deliveries and changes of entries to Kafka, sealed with the key of the person they are about."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from typing_extensions import override

from antiphon.errors import Transient
from antiphon.kafka import event_headers
from antiphon.persons import PersonIndex, RecordSealer
from antiphon.topics import DELIVERIES, ENTRIES, record_key
from publisher.adapters import entry_codec
from publisher.adapters.codec import encode, moment
from publisher.domain.model import Told
from publisher.entry_ports import Announcement, EntryAnnouncer
from publisher.ports import Announcer


class People:
    """How records about people leave: sealed, or, of somebody who was forgotten meanwhile, without the name."""

    def __init__(self, index: PersonIndex, sealer: RecordSealer) -> None:
        self._index, self._sealer = index, sealer

    def reference(self, brand: str, platform: str, author: str) -> str:
        """Return how a person is referred to."""
        return self._index.reference(brand, platform, author)

    async def learn(self, references: Collection[str]) -> None:
        """Know the keys of people. Raises Transient."""
        await self._sealer.learn(references)

    def seal(self, topic: str, reference: str, make: Callable[[bool], bytes]) -> tuple[bytes, list[tuple[str, bytes]]]:
        """Return value and headers; `make` gives the value, with the name (True) or without."""
        value, headers = self._sealer.seal(topic, reference, make(True))
        return (make(False), []) if self._index.hides and not headers else (value, list(headers))


class KafkaAnnouncer(Announcer):
    """Every announcement acknowledged by all replicas before it counts as sent."""

    def __init__(self, producer: AIOKafkaProducer, people: People) -> None:
        self._producer, self._people = producer, people

    @override
    async def announce(self, told: Sequence[Told]) -> None:
        await self._people.learn({self._person(one) for one in told})
        try:
            sent = [await self._send(one) for one in told]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise Transient(f"deliveries were not acknowledged: {type(error).__name__}") from error

    async def _send(self, told: Told) -> "asyncio.Future[object]":
        identity = f"{told.order.action_id}/{told.sequence}"
        value, sealed = self._people.seal(
            DELIVERIES,
            self._person(told),
            lambda named: encode(told if named else replace(told, order=replace(told.order, author=""))),
        )
        future: asyncio.Future[object] = await self._producer.send(
            DELIVERIES,
            value,
            key=record_key(told.order.brand, told.order.target),
            headers=[*event_headers("antiphon.v1.Delivery", identity, "publisher", moment(told.at)), *sealed],
        )
        return future

    def _person(self, told: Told) -> str:
        order = told.order
        return self._people.reference(order.brand, order.platform, order.author or order.target)


class KafkaEntryAnnouncer(EntryAnnouncer):
    """As the deliveries': every change acknowledged by all replicas before it counts as told, and is counted."""

    def __init__(self, producer: AIOKafkaProducer, people: People, count: Callable[[Announcement], None]) -> None:
        self._producer, self._people, self._count = producer, people, count

    @override
    async def announce(self, announcements: Sequence[Announcement]) -> None:
        await self._people.learn({self._person(one) for one in announcements})
        try:
            sent = [await self._send(one) for one in announcements]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise Transient(f"changes of entries were not acknowledged: {type(error).__name__}") from error
        for one in announcements:
            self._count(one)

    async def _send(self, told: Announcement) -> "asyncio.Future[object]":
        name = told.entry.entry_id
        value, sealed = self._people.seal(ENTRIES, self._person(told), lambda named: entry_codec.encode(told, named=named))
        moment_told = moment(told.line.at)
        headers = event_headers("antiphon.v1.EntryChange", f"{name}/{told.line.sequence}", "publisher", moment_told)
        future: asyncio.Future[object] = await self._producer.send(
            ENTRIES, value, key=record_key(told.entry.capture.brand, name), headers=[*headers, *sealed]
        )
        return future

    def _person(self, told: Announcement) -> str:
        capture = told.entry.capture
        return self._people.reference(capture.brand, capture.platform, capture.author or capture.object)
