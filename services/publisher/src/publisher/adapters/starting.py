"""Waiting for what a process depends on, and watching it."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from antiphon.errors import Transient
from antiphon.mongo import Database, PyMongoError, ping
from publisher.adapters.config import ConfigPolicies
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.adapters.telemetry import PublisherMeter
from publisher.domain.model import State

_PARKED_SECONDS = 15.0
"""Between counts of parked actions."""


async def start(producer: AIOKafkaProducer) -> None:
    """Start the producer, waiting for Kafka."""
    while True:
        try:
            await producer.start()
        except KafkaError:
            await asyncio.sleep(0.5)
        else:
            return


async def reachable(database: Database) -> bool:
    """Tell whether the store answers within a second."""
    try:
        async with asyncio.timeout(1.0):
            await ping(database)
    except (PyMongoError, TimeoutError):
        return False
    return True


async def count_parked(ledger: MongoLedger, policies: ConfigPolicies, meter: PublisherMeter) -> None:
    """Keep the gauge of parked actions right."""
    while True:
        with suppress(Transient):  # the next count comes soon
            meter.parked(sum([await ledger.count(brand, State.PARKED) for brand in policies.brands]))
        await asyncio.sleep(_PARKED_SECONDS)
