"""Kafka away, Mongo away, a topic that lost or mixed up records: nothing is lost, and callers are told the truth."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from antiphon.topics import CONFIG
from antiphon_local.jars import ensure_jars
from antiphon_local.kafka import Kafka
from antiphon_local.mongo import Mongo
from antiphon_local.topics import create_topics

SLACK_S = 6.0
"""Of a busy machine; with the time-out it stays below the 10 s that Kafka's client would wait by itself."""


async def test_without_kafka_changes_are_saved_and_live_later(
    rules_settings: Any, run_api: Any, on_topic: Any, eventually: Any, unique_name: Callable[[str], str], tmp_path: Path
) -> None:
    kafka = Kafka(tmp_path / "kafka", jars=ensure_jars())
    with kafka:
        create_topics(kafka.address, partitions_override=1)
        settings = rules_settings.model_copy(update={"kafka_bootstrap_servers": kafka.address})
        async with run_api(settings) as api:
            brand = unique_name("acme")
            path = f"/v1/brands/{brand}"
            assert (await api.brand(brand))["live"] is True
            kafka.kill()

            started = time.monotonic()
            first = await api.admin.send("PATCH", path, json={"name": "One"}, match=1)
            assert (first.status_code, first.json()["live"], first.json()["revision"]) == (200, False, None)
            assert time.monotonic() - started < settings.rules_publish_timeout_seconds + SLACK_S
            second = await api.admin.send("PATCH", path, json={"name": "Two"}, match=2)
            assert (second.status_code, second.json()["live"]) == (200, False)
            log = (await api.admin.get(f"{path}/audit")).json()
            assert [entry["generation"] for entry in log["items"]] == [1, 2, 3]

            async def waiting(count: int) -> bool:
                return f"antiphon_rules_outbox_pending {count}.0" in (await api.http.get("/metrics")).text

            await eventually(lambda: waiting(1), "the brand is known to wait")
            kafka.start()
            await eventually(lambda: waiting(0), "nothing waits")
            newest = (await on_topic(f"brand/{brand}/", kafka.address))[-1].record
            assert (newest.generation, newest.brand.name) == (3, "Two")
            again = await api.admin.send("PATCH", path, json={"name": "Three"}, match=3)
            assert (again.status_code, again.json()["live"]) == (200, True)


async def test_without_mongo_calls_answer_503_and_work_again_after(
    rules_settings: Any, run_api: Any, eventually: Any, unique_name: Callable[[str], str], tmp_path: Path
) -> None:
    mongo = Mongo(tmp_path / "mongo")
    with mongo:
        settings = rules_settings.model_copy(update={"mongo_uri": SecretStr(mongo.address)})
        async with run_api(settings) as api:
            brand = unique_name("acme")
            await api.brand(brand)
            mongo.kill()
            for method, body in (("GET", None), ("PATCH", {"name": "x"})):
                answer = await api.admin.send(method, f"/v1/brands/{brand}", json=body, match="*")
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
                assert "retry-after" in answer.headers
                assert "127.0.0.1" not in answer.text
            assert (await api.http.get("/readyz")).status_code == 503
            assert (await api.http.get("/healthz")).status_code == 200
            mongo.start()

            async def works() -> bool:
                answer = await api.admin.send("PATCH", f"/v1/brands/{brand}", json={"name": "Back"}, match="*")
                return bool(answer.status_code == 200)

            await eventually(works, "changes work again")
            assert (await api.admin.get(f"/v1/brands/{brand}")).json()["name"] == "Back"


async def overwrite(kafka_bootstrap: str, key: str, value: bytes) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    try:
        return int((await producer.send_and_wait(CONFIG, value, key=key.encode())).offset)
    finally:
        await producer.stop()


async def test_an_older_record_that_comes_late_does_not_stay_last(
    rules_api: Any, on_topic: Any, eventually: Any, unique_name: Callable[[str], str], kafka_bootstrap: str
) -> None:
    brand = unique_name("acme")
    key = f"brand/{brand}/"
    await rules_api.brand(brand)
    await rules_api.admin.post(f"/v1/brands/{brand}/hold", {"reason": "a storm"}, match=1)
    late = (await on_topic(key))[0].record.SerializeToString()
    offset = await overwrite(kafka_bootstrap, key, late)

    async def repaired() -> bool:
        last = (await on_topic(key))[-1]
        return bool(last.offset > offset and last.record.generation == 2 and last.record.brand.held)

    await eventually(repaired, "the newest state is last again: compaction keeps only the last")
    shown = (await rules_api.admin.get(f"/v1/brands/{brand}")).json()
    assert (shown["held"], shown["generation"]) == (True, 2), "and here nothing has gone back"


async def test_what_the_topic_lost_while_no_api_ran_is_sent_again(
    rules_settings: Any, run_api: Any, on_topic: Any, eventually: Any, unique_name: Callable[[str], str], kafka_bootstrap: str
) -> None:
    brand = unique_name("acme")
    key = f"brand/{brand}/"
    async with run_api(rules_settings) as api:
        await api.brand(brand)
    offset = await overwrite(kafka_bootstrap, key, b"")
    async with run_api(rules_settings):

        async def there_again() -> bool:
            last = (await on_topic(key))[-1]
            return bool(last.offset > offset and last.record.generation == 1)

        await eventually(there_again, "the brand is on the topic again")
    assert (await on_topic(key))[-1].record.brand.brand == brand
