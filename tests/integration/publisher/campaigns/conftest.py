"""The campaigns role, the worker and the API as real processes, a simulated network, and a server of pictures over TLS."""

import asyncio
import hashlib
import os
import shutil
import ssl
import struct
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from antiphon.auth import new_key
from antiphon.times import to_timestamp
from antiphon.topics import CONFIG, DECISIONS, DELIVERIES, ENTRIES
from antiphon.v1.config_pb2 import ApiKeyConfig, CampaignConfig, ConfigRecord, ContestTerms, RightsTerms
from antiphon.v1.decision_pb2 import ActionKind, ConsentReading, Decision, EntryDraft
from antiphon.v1.entry_pb2 import EntryChange, EntryState
from antiphon.v1.event_pb2 import Author, EventKind, Media, Verb
from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process


def png(red: int) -> bytes:
    """A picture of one red dot; each shade is another file."""
    rows = b"\x00" + bytes((red, 0, 0))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@dataclass
class Pictures:
    """Serves a picture at `/<shade>.png`."""

    port: int = 0
    asked: list[str] = field(default_factory=list)

    @staticmethod
    def sha256(shade: int) -> str:
        """Return the name under which a picture is kept."""
        return hashlib.sha256(png(shade)).hexdigest()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        path = head.split()[1]
        self.asked.append(path)
        body = png(int(path.strip("/").partition(".")[0]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n")
        writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@dataclass
class Party:
    """A stage with a campaign."""

    stage: Any
    pictures: Pictures
    consumer: AIOKafkaConsumer
    url: str = ""
    changes: dict[str, list[EntryChange]] = field(default_factory=lambda: defaultdict(list))
    token: str = ""
    processes: list[Process] = field(default_factory=list)

    def start(self, role: str, port: int = 0, **env: str) -> Process:
        port = port or free_ports(1)[0]
        process = Process(
            Command(
                name=role,
                argv=[sys.executable, "-m", "publisher", role],
                env={**self.stage.env, "HTTP_PORT": str(port), "FAILPOINTS_ALLOWED": "true", **env},
                log=self.stage.directory / f"{role}-{len(self.processes)}.log",
                ready_url=f"http://127.0.0.1:{port}/readyz",
            )
        )
        self.processes.append(process)
        self.stage.workers.append(process)
        process.start()
        return process

    async def started(self, *roles: str) -> None:
        running = [self.start(role, port=int(self.url.rpartition(":")[2]) if role == "api" else 0) for role in roles]
        for process in running:
            await asyncio.to_thread(process.wait_ready, 90.0)

    async def configure(self, **more: Any) -> None:
        now = datetime.now(UTC)
        rights = RightsTerms(
            version=1, terms={"default": "Acme may show this picture for a year."}, automatic=True, by="reply",
            request={"default": "May we show it? #yesacme"}, answer_seconds=600, uses=["gallery", "post"],
        )  # fmt: skip
        config = CampaignConfig(
            brand=self.stage.brand, campaign="summer", name="Summer <2026>", version=1, timezone="Europe/Berlin",
            start_time=to_timestamp(now - timedelta(days=1)), end_time=more.pop("end", to_timestamp(now + timedelta(days=1))),
            rights=more.pop("rights", rights), contest=ContestTerms(winners=1, alternates=1),
            **more,
        )  # fmt: skip
        record = ConfigRecord(generation=time.time_ns(), campaign=config)
        await self.stage.producer.send_and_wait(
            CONFIG, record.SerializeToString(), key=f"campaign/{self.stage.brand}/summer".encode()
        )

    async def key(self, role: str, brand: str = "") -> str:
        key = new_key()
        config = ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, brands=[brand or self.stage.brand], role=role)
        record = ConfigRecord(generation=1, api_key=config)
        await self.stage.producer.send_and_wait(CONFIG, record.SerializeToString(), key=f"api_key//{key.key_id}".encode())
        return key.token

    def entering(self, target: str, author: str = "u1", shade: int = 1, **more: Any) -> Decision:
        """A decision that enters a comment with a picture."""
        decision: Decision = self.stage.decision(target, rule="campaign:summer", kind=ActionKind.ACTION_KIND_ENTER, text="")
        decision.author.CopyFrom(Author(id=author, handle=author))
        action = decision.actions[0]
        action.campaign = "summer"
        media = [Media(type="image", url=f"https://localhost:{self.pictures.port}/{shade}.png")]
        draft = {"text": "Mine!", "trigger": "hashtag", **more}
        action.entry.CopyFrom(EntryDraft(eligible=True, media=media, campaign_version=1, **draft))
        return decision

    def consent(self, target: str, answer: int, author: str = "u1") -> Decision:
        """A decision on the author's words under the comment."""
        decision: Decision = self.stage.decision(f"said-{target}-{answer}", parent=target, kind=EventKind.EVENT_KIND_REPLY)
        del decision.actions[:]
        decision.author.CopyFrom(Author(id=author, handle=author))
        decision.consents.append(ConsentReading(campaign="summer", answer=answer, phrase="#yesacme"))  # type: ignore[arg-type]
        decision.text_sha256 = "a" * 64
        return decision

    def deletion(self, target: str) -> Decision:
        decision: Decision = self.stage.decision(target, verb=Verb.VERB_DELETE)
        del decision.actions[:]
        decision.event_id = decision.event_id[::-1]
        return decision

    async def api(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask about the campaign."""
        return await self.brand(method, f"/campaigns/summer{path}", body)

    async def brand(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask about the brand."""
        where = f"{self.url}/v1/brands/{self.stage.brand}{path}"
        async with httpx.AsyncClient(trust_env=False, timeout=20.0) as http:
            return await http.request(method, where, json=body, headers={"Authorization": f"Bearer {self.token}"})

    async def get(self, path: str) -> httpx.Response:
        """Ask as everybody may, without a key."""
        async with httpx.AsyncClient(trust_env=False, timeout=20.0) as http:
            return await http.get(f"{self.url}{path}")

    async def read(self) -> None:
        for messages in (await self.consumer.getmany(timeout_ms=100)).values():
            for message in messages:
                change = EntryChange.FromString(message.value)
                if change.brand == self.stage.brand:
                    assert message.key == f"{change.brand}/{change.entry_id}".encode()
                    self.changes[change.entry_id].append(change)

    def states(self, entry_id: str) -> list[str]:
        """The states told of an entry, in order, each once; what was told twice must be the same."""
        told = {change.sequence: change for change in self.changes[entry_id]}
        assert sorted(told) == list(range(1, len(told) + 1))
        assert all(told[change.sequence] == change for change in self.changes[entry_id])
        return [EntryState.Name(told[n].state).removeprefix("ENTRY_STATE_").lower() for n in sorted(told)]

    async def reaches(self, entry_id: str, state: str, seconds: float = 40.0) -> list[str]:
        deadline = time.monotonic() + seconds
        while not self.changes[entry_id] or self.states(entry_id)[-1] != state:
            await self.read()
            logs = "\n".join(process.log_tail(12) for process in self.processes)
            assert time.monotonic() < deadline, f"{self.changes[entry_id]}\n{logs}"
        return self.states(entry_id)

    async def until(self, condition: Callable[[], Any], seconds: float = 40.0) -> Any:
        """Ask again and again until the answer is one."""
        deadline = time.monotonic() + seconds
        while not (found := await condition()):
            logs = "\n".join(process.log_tail(12) for process in self.processes)
            assert time.monotonic() < deadline, logs
            await asyncio.sleep(0.1)
        return found


@pytest.fixture
async def party(stage_for: Any, localhost_pem: Path, tmp_path: Path) -> AsyncIterator[Party]:
    stage, pictures = await stage_for("facebook"), Pictures()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(localhost_pem)
    server = await asyncio.start_server(pictures.serve, "localhost", 0, ssl=context, family=2)
    pictures.port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    group = stage.brand + ".campaigns"
    stage.env |= {
        "PUBLISHER_CAMPAIGNS_GROUP": group,
        "PUBLISHER_PUBLIC_URL": url,
        "PUBLISHER_MEDIA_DIRECTORY": str(tmp_path / "media"),
        "PUBLISHER_MEDIA_ALLOWED_NETWORKS": "127.0.0.0/8, ::1/128",
        "PUBLISHER_NOTIFY_CA_FILE": str(localhost_pem),
    }
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.env["KAFKA_BOOTSTRAP_SERVERS"], group_id=None)
    await consumer.start()
    for topic in (DECISIONS, DELIVERIES):
        await _commit_end(stage.env["KAFKA_BOOTSTRAP_SERVERS"], group, topic)
    await consumer._client.set_topics([ENTRIES])
    partitions = [TopicPartition(ENTRIES, number) for number in consumer.partitions_for_topic(ENTRIES) or ()]
    assert partitions
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    found = Party(stage, pictures, consumer, url)
    found.token = await found.key("admin")
    await found.configure()
    yield found
    await asyncio.to_thread(stage.stop)
    await consumer.stop()
    server.close()


async def _commit_end(bootstrap: str, group: str, topic: str) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        await consumer._client.set_topics([topic])
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        await consumer.commit(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


@pytest.fixture
def chromium() -> str:
    """A browser on this machine; tests that need one are skipped where there is none (`make browser` installs it)."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no chromium: run `make browser`, or set CHROMIUM to one")
    return found
