"""Back-tests as people use them: start one, watch it, read what would change; cancel it; survive what dies meanwhile."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from antiphon import ids, mongo
from antiphon.clock import SystemClock
from antiphon.kafka import Record
from antiphon.process import background
from antiphon.times import to_timestamp
from antiphon.topics import EVENTS
from antiphon.v1 import event_pb2
from rules.adapters.history import archive
from rules.historian_app import historian
from rules.settings import RulesHistorianSettings

pytestmark = pytest.mark.local

BEGIN = datetime.now(UTC) - timedelta(days=2)
LEASE_S = 2.0


def comment(brand: str, number: int, text: str, *, author: str = "", minutes: float = 0.0) -> Record:
    """Return the record of a comment received some minutes after two days ago."""
    received = BEGIN + timedelta(minutes=minutes)
    author = author or f"author-{number}"
    event = event_pb2.Event(
        event_id=ids.event_id("facebook", "page", f"{brand}{number}", "create", ""),
        brand=brand,
        platform=event_pb2.PLATFORM_FACEBOOK,
        account="page",
        channel="main",
        kind=event_pb2.EVENT_KIND_COMMENT,
        verb=event_pb2.VERB_CREATE,
        object=str(number),
        root="post",
        author=event_pb2.Author(id=author, name="Anna"),
        text=text,
        event_time=to_timestamp(received),
        received_time=to_timestamp(received),
    )
    return Record(EVENTS, number % 4, number, f"{brand}/{author}".encode(), event.SerializeToString())


async def remember(settings: Any, records: Sequence[Record]) -> None:
    """Put records into the archive."""
    client, database = mongo.connect(settings)
    try:
        writer = archive.ArchiveWriter(
            database, SystemClock(), days=90, epoch=0, fill_seconds=0, archived=lambda _topic, _count: None
        )
        for start in range(0, len(records), archive.MAX_RECORDS):
            await writer.append([archive.decode(record) for record in records[start : start + archive.MAX_RECORDS]])
    finally:
        client.close()


def historian_settings(settings: Any) -> RulesHistorianSettings:
    return RulesHistorianSettings(
        kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
        mongo_uri=settings.mongo_uri,
        mongo_database=settings.mongo_database,
        seal_keys=settings.seal_keys,
        rules_backtest_lease_seconds=LEASE_S,
    )


@pytest.fixture
def run_historian(rules_api: Any) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Run a historian in this process beside the API."""

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        async with historian(historian_settings(rules_api.settings)) as (_, tasks), background(*tasks) as failed:
            yield
            assert not failed.done(), failed.result()

    return run


def body(**more: Any) -> dict[str, Any]:
    return {"from": (BEGIN - timedelta(minutes=1)).isoformat(), **more}


async def job_when(caller: Any, path: str, *states: str) -> dict[str, Any]:
    """Return the job once it is in one of the states."""
    async with asyncio.timeout(60):
        while True:
            job: dict[str, Any] = (await caller.get(path)).json()
            if job["state"] in states:
                return job
            assert job["state"] in {"queued", "running"}, job
            await asyncio.sleep(0.02)


async def brand_with_rule(api: Any, brand: str, document: dict[str, Any]) -> str:
    """Make a brand with one active rule; return the brand's path."""
    await api.brand(brand)
    path = f"/v1/brands/{brand}"
    made = await api.admin.post(f"{path}/rules", {**document, "state": "active"})
    assert made.status_code == 201, made.text
    return path


async def test_what_would_change_is_told(rules_api: Any, run_historian: Any, rule_document: Any, unique_name: Any) -> None:
    brand = unique_name("acme")
    path = await brand_with_rule(rules_api, brand, rule_document())
    words = ["what is the price?", "I lost my bag, this is bad", "nice day"]
    await remember(rules_api.settings, [comment(brand, n, words[n % 3], minutes=n) for n in range(90)])
    dearer = rule_document(then=[{"reply": {"text": {"default": ["It is 59 € now."]}}}])
    lost = rule_document(
        "lost-bag", when={"text": {"any": ["lost"]}}, then=[{"private_reply": {"text": {"default": ["Sorry!"]}}}]
    )
    editor = await rules_api.caller("editor", brand)
    started = await editor.post(f"{path}/rules:backtest", body(rules=[dearer, lost], sample_size=5))
    assert started.status_code == 202, started.text
    job_path = started.headers["location"]
    assert job_path == f"{path}/backtests/{started.json()['id']}"
    assert started.json()["state"] == "queued"
    async with run_historian():
        job = await job_when(editor, job_path, "done", "failed")
    assert (job["state"], job["error"]) == ("done", "")
    assert job["done"] == job["total"] == 90
    result = job["result"]
    assert result["events"] == 90
    assert result["old"]["outcomes"] == {"acted": 30, "no_match": 60}
    assert result["new"]["outcomes"] == {"acted": 60, "no_match": 30}
    assert result["changes"]["reply"]["changed"] == {"all": 30, "negative": 0}
    assert result["changes"]["private_reply"]["added"]["all"] == 30
    assert [line["what"] for line in result["quotas"]] == ["calls", "private_replies"]
    assert result["quotas"][1]["allowed"] == 750
    assert len(result["samples"]) == 10
    changed = next(sample for sample in result["samples"] if sample["change"] == "changed")
    assert (changed["text"], changed["new"]["text"]) == (words[0], "It is 59 € now.")
    assert result["understood_anew"] == 90
    assert result["warnings"] == []
    viewer = await rules_api.caller("viewer", brand)
    listed = (await viewer.get(f"{path}/backtests")).json()
    assert [(item["id"], item["state"]) for item in listed["items"]] == [(job["id"], "done")]
    assert "result" not in listed["items"][0]
    again = await editor.post(f"{job_path}:cancel")
    assert (again.status_code, again.json()["code"]) == (409, "not_possible")


async def test_limits_warm_up_before_the_period(rules_api: Any, run_historian: Any, rule_document: Any, unique_name: Any) -> None:
    brand = unique_name("acme")
    once = rule_document(limits=[{"per": "author", "at_most": 1, "within": "24h"}, {"per": "author_object", "at_most": 3}])
    path = await brand_with_rule(rules_api, brand, once)
    await remember(rules_api.settings, [comment(brand, n, "price?", author="anna", minutes=n) for n in (0, 60)])
    later = (BEGIN + timedelta(minutes=30)).isoformat()
    started = await rules_api.admin.post(f"{path}/rules:backtest", {"from": later, "remove": ["price-question"]})
    async with run_historian():
        job = await job_when(rules_api.admin, started.headers["location"], "done", "failed")
    result = job["result"]
    assert (result["events"], result["warm_up_events"]) == (1, 1)
    assert result["old"]["reasons"] == {"limit": 1}
    assert result["new"]["outcomes"] == {"no_match": 1}
    assert result["changes"] == {}
    assert "price-question" in result["warnings"][0]


async def test_what_cannot_be_replayed_is_refused_at_its_place(rules_api: Any, rule_document: Any, unique_name: Any) -> None:
    brand, foreign = unique_name("acme"), unique_name("foreign")
    path = await brand_with_rule(rules_api, brand, rule_document())
    await rules_api.brand(foreign)
    editor, viewer = await rules_api.caller("editor", brand), await rules_api.caller("viewer", brand)
    wrong = rule_document("broken", then=[])
    for sent, pointers in (
        ({}, ["/from"]),
        (body(rules=[rule_document(), wrong]), ["/rules/1/then"]),
        (body(rules=[rule_document(), rule_document()]), ["/rules/1/id"]),
        (body(remove=["no-such-rule"]), ["/remove/0"]),
        ({"from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, ["/from"]),
        ({"from": "2199-01-02T00:00:00Z"}, ["/from"]),
        ({"from": "2026-01-02T00:00:00"}, ["/from"]),
        (body(sample_size=51), ["/sample_size"]),
        (body(surprise=1), ["/surprise"]),
    ):
        answer = await editor.post(f"{path}/rules:backtest", sent)
        assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, pointers), (sent, answer.text)
    assert (await viewer.post(f"{path}/rules:backtest", body())).status_code == 403
    assert (await editor.post(f"/v1/brands/{foreign}/rules:backtest", body())).status_code == 404
    assert (await rules_api.admin.post("/v1/brands/no-such/rules:backtest", body())).status_code == 404
    theirs = (await rules_api.admin.post(f"/v1/brands/{foreign}/rules:backtest", body())).json()["id"]
    for method, place in (("GET", theirs), ("POST", f"{theirs}:cancel"), ("GET", "0" * 24), ("POST", f"{'0' * 24}:cancel")):
        assert (await editor.send(method, f"{path}/backtests/{place}")).status_code == 404, place


async def test_too_many_open_jobs_are_refused_until_one_is_cancelled(
    rules_api: Any, rule_document: Any, unique_name: Any
) -> None:
    path = await brand_with_rule(rules_api, unique_name("acme"), rule_document())
    made = [await rules_api.admin.post(f"{path}/rules:backtest", body()) for _ in range(11)]
    assert [answer.status_code for answer in made] == [202] * 10 + [409]
    assert made[-1].json()["code"] == "too_many"
    cancelled = await rules_api.admin.post(f"{made[0].headers['location']}:cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await rules_api.admin.post(f"{path}/rules:backtest", body())).status_code == 202
    first = (await rules_api.admin.get(f"{path}/backtests", params={"limit": 6})).json()
    rest = (await rules_api.admin.get(f"{path}/backtests", params={"limit": 6, "after": first["next"]})).json()
    found = [item["id"] for item in first["items"] + rest["items"]]
    assert found == sorted(found, reverse=True)
    assert (len(found), rest["next"]) == (11, None)
    for job in found:  # nobody else's historian is to work them off
        await rules_api.admin.post(f"{path}/backtests/{job}:cancel")


async def test_a_running_job_that_is_cancelled_leaves_no_process_behind(
    rules_api: Any, run_historian: Any, rule_document: Any, unique_name: Any, eventually: Any
) -> None:
    brand = unique_name("acme")
    path = await brand_with_rule(rules_api, brand, rule_document())
    await remember(rules_api.settings, [comment(brand, n, "and the price?", minutes=n / 50) for n in range(40_000)])
    async with run_historian():
        started = await rules_api.admin.post(f"{path}/rules:backtest", body())
        job_path = started.headers["location"]
        await job_when(rules_api.admin, job_path, "running")

        async def works() -> bool:
            return len(multiprocessing.active_children()) == 1

        await eventually(works, "the job's process runs")
        assert (await rules_api.admin.post(f"{job_path}:cancel")).status_code == 200

        async def is_over() -> bool:
            return not multiprocessing.active_children()

        await eventually(is_over, "the job's process is gone")
        job = (await rules_api.admin.get(job_path)).json()
        assert (job["state"], job["result"]) == ("cancelled", None)
        assert job["done"] < 40_000


async def test_what_a_dead_historian_leaves_behind_is_taken_up(
    rules_api: Any, run_historian: Any, rule_document: Any, unique_name: Any, tmp_path: Path
) -> None:
    brand = unique_name("acme")
    path = await brand_with_rule(rules_api, brand, rule_document())
    await remember(rules_api.settings, [comment(brand, n, "and the price?", minutes=n / 50) for n in range(8_000)])
    started = await rules_api.admin.post(f"{path}/rules:backtest", body())
    job_path = started.headers["location"]
    settings = historian_settings(rules_api.settings)
    env = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "MONGO_URI": settings.mongo_uri.get_secret_value(),
        "MONGO_DATABASE": settings.mongo_database,
        "SEAL_KEYS": settings.seal_keys.get_secret_value(),
        "RULES_BACKTEST_LEASE_SECONDS": str(LEASE_S),
        "HTTP_PORT": "0",
    }
    log = (tmp_path / "historian.log").open("wb")
    dying = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-m", "rules", "historian"], env=env, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        await job_when(rules_api.admin, job_path, "running")
        dying.send_signal(signal.SIGKILL)
    finally:
        dying.kill()
        await asyncio.to_thread(dying.wait)
        log.close()
    async with run_historian():
        job = await job_when(rules_api.admin, job_path, "done", "failed")
    assert (job["state"], job["result"]["events"]) == ("done", 8_000)
