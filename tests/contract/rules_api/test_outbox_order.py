"""Two processes publish one entity at the same time: whatever the order, the newest state is the last record."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import MessageSizeTooLargeError

from antiphon.config_feed import Change
from antiphon.telemetry import Telemetry
from antiphon.v1.config_pb2 import ConfigRecord
from rules.adapters.documents import Stored
from rules.adapters.outbox import KafkaOutbox
from rules.adapters.telemetry import ApiMetrics
from rules.entities import Brand
from rules.settings import RulesSettings

BRAND = Brand(brand="acme", name="First", changed_time=datetime(2026, 3, 2, tzinfo=UTC), actor="0123456789ab")


class OneBrand:
    """A store with one brand, its flag, and a wish to be told before a record is noted as delivered."""

    def __init__(self) -> None:
        self.brand = BRAND
        self.flagged = True

    def change(self, name: str) -> None:
        self.brand = replace(self.brand, name=name, generation=self.brand.generation + 1)
        self.flagged = True

    async def stored(self, *_: object) -> Stored:
        return Stored(self.brand, (), ())

    async def settle(self, stored: Stored) -> None:
        assert stored.notes == ()

    async def settled(self, entity: Brand, *, published: bool) -> bool:
        if entity.generation != self.brand.generation:
            return False
        self.flagged = self.flagged and not published
        return True

    async def undelivered(self) -> list[Brand]:
        return [self.brand] if self.flagged else []


class Topic:
    """Producers of one topic; the first record of a slow one arrives when it is let go."""

    def __init__(self) -> None:
        self.generations: list[int] = []

    def producer(self, held: asyncio.Event | None = None) -> Any:
        async def nothing() -> None:
            return None

        async def send(_topic: str, value: bytes, **_: object) -> Any:
            if held is not None:
                await held.wait()
            self.generations.append(ConfigRecord.FromString(value).generation)
            return SimpleNamespace(offset=len(self.generations) - 1)

        return SimpleNamespace(start=nothing, stop=nothing, send_and_wait=send)


async def outbox(store: OneBrand, producer: Any, applied: list[Change], **settings: float) -> KafkaOutbox:
    built = KafkaOutbox(
        store=store,  # type: ignore[arg-type]  # the part of it that is used here
        producer=lambda: producer,
        settings=RulesSettings.model_validate(settings),
        metrics=ApiMetrics(Telemetry("rules")),
        applied=applied.extend,
    )
    await built.connect()
    return built


async def test_the_slow_one_sends_the_newest_once_more() -> None:
    store, topic, held, applied = OneBrand(), Topic(), asyncio.Event(), list[Change]()
    slow = await outbox(store, topic.producer(held), applied)
    quick = await outbox(store, topic.producer(), applied)
    first = asyncio.ensure_future(slow.deliver(store.brand))
    await asyncio.sleep(0)  # the slow one has read the first state and waits for its acknowledgement
    store.change("Second")
    assert await quick.deliver(store.brand) == 0
    assert store.flagged is False
    held.set()
    assert await first == 2
    assert topic.generations == [2, 1, 2]
    assert [change.revision for change in applied] == [0, 1, 2]


async def test_an_unanswered_send_leaves_the_flag_for_the_sweep() -> None:
    store, topic, held = OneBrand(), Topic(), asyncio.Event()
    box = await outbox(store, topic.producer(held), [], rules_publish_timeout_seconds=0.05)
    assert await box.deliver(store.brand) is None
    assert store.flagged is True
    store.change("Second")
    assert await asyncio.wait_for(box.deliver(store.brand), 0.04) is None, "a cluster known to be away is not waited for"
    held.set()
    await box.sweep()
    assert (topic.generations, store.flagged) == ([2], False)
    store.change("Third")
    assert await box.deliver(store.brand) == 1


async def test_one_that_cannot_be_delivered_does_not_keep_the_others_back() -> None:
    store, topic = OneBrand(), Topic()
    producer = topic.producer()
    box = await outbox(store, producer, [])
    bad = replace(BRAND, brand="bad")
    send = producer.send_and_wait

    async def refuses_bad(topic_: str, value: bytes, *, key: bytes, headers: object) -> Any:
        if key == b"brand/bad/":
            raise MessageSizeTooLargeError("too large")
        return await send(topic_, value)

    async def both() -> list[Brand]:
        return [bad, *([store.brand] if store.flagged else [])]

    async def stored(_kind: object, brand: str, _name: str) -> Stored:
        return Stored(bad if brand == "bad" else store.brand, (), ())

    producer.send_and_wait, store.undelivered, store.stored = refuses_bad, both, stored  # type: ignore[method-assign]
    await box.sweep()
    assert (topic.generations, store.flagged) == ([1], False)


async def test_an_old_record_that_appears_last_is_followed_by_the_newest() -> None:
    store, topic = OneBrand(), Topic()
    box = await outbox(store, topic.producer(), [])
    store.change("Second")
    assert await box.deliver(store.brand) == 0
    second, first = ConfigRecord(generation=2), ConfigRecord(generation=1)
    box.observe([Change(0, BRAND.key, second)])
    await box.sweep()
    assert topic.generations == [2]
    box.observe([Change(1, BRAND.key, first)])
    await box.sweep()
    assert topic.generations == [2, 2]
    box.observe([Change(2, BRAND.key, second)])
    await box.sweep()
    assert topic.generations == [2, 2]
