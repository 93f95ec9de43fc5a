"""A process that ends while its cluster is away does not wait for it."""

import asyncio
from pathlib import Path

import pytest

from antiphon.kafka import build_producer, stop_producer
from antiphon.settings import KafkaSettings
from antiphon.topics import CONFIG
from antiphon_local.jars import ensure_jars
from antiphon_local.kafka import Kafka
from antiphon_local.topics import create_topics

pytestmark = pytest.mark.local


async def test_a_producer_stops_with_records_that_nobody_takes(tmp_path: Path) -> None:
    with Kafka(tmp_path / "kafka", jars=ensure_jars()) as kafka:
        create_topics(kafka.address, partitions_override=1)
        producer = build_producer(KafkaSettings(kafka_bootstrap_servers=kafka.address), "test")
        await producer.start()
        await producer.send_and_wait(CONFIG, b"taken", key=b"key")
        await asyncio.to_thread(kafka.kill)
        left = await producer.send(CONFIG, b"left", key=b"key")
        async with asyncio.timeout(60):  # without a bound of its own it would go on trying
            await stop_producer(producer, grace_seconds=1.0)
        assert not left.done() or left.cancelled() or left.exception() is not None, "nothing was taken"
        assert producer._sender.sender_task.done(), "nobody goes on trying"
