"""The plainest stream processor: aiokafka, getmany → send, offsets committed."""

import sys

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def main(bootstrap: str, source: str, target: str) -> None:
    """Copy every record of one topic to another until killed."""
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=bootstrap,
        group_id=f"pass-{target}",
        session_timeout_ms=6000,
        heartbeat_interval_ms=1000,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=262_144)
    await consumer.start()
    await producer.start()
    while True:
        polled = await consumer.getmany(timeout_ms=200, max_records=1000)
        records = [message for messages in polled.values() for message in messages]
        for future in [await producer.send(target, record.value, key=record.key) for record in records]:
            await future
        if records:
            await consumer.commit()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:4]))
