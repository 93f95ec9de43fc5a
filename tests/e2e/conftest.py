"""The whole line as real processes, and a hand to work it with."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from aiokafka import AIOKafkaConsumer, TopicPartition

from antiphon_local.line.processes import Line
from antiphon_local.line.seed import BRAND, Api, Channel, seed
from antiphon_local.line.tail import count, counters, opener
from antiphon_local.line.tally import Tally
from antiphon_local.services import LocalServices

SETTLE_S = 2.0
"""From an unknown outcome to its first reading back: short, so that parked replies show within a test."""


class Stage:
    """The line, its API, the simulator, and what the topics say."""

    def __init__(
        self, line: Line, services: LocalServices, api: Api, channels: Sequence[Channel], authority: trustme.CA, home: Path
    ) -> None:
        self.line, self.services, self.api, self.authority, self.home = line, services, api, authority, home
        self.channels = {channel.platform: channel for channel in channels}
        self.simulator = httpx.Client(base_url=line.addresses["simulator"].url, timeout=30, trust_env=False)

    def comment(self, text: str, author: str = "p1", *, platform: str = "facebook", **more: Any) -> str:
        """Write a comment as a person; return its id."""
        body = self._body(platform, author, text, more)
        return str(self.simulator.post("/control/comments", json=body).raise_for_status().json()["id"])

    def comments(self, lines: Sequence[tuple[str, str, str]]) -> list[str]:
        """Write many comments, (platform, author, text) each; return their ids."""
        bodies = [self._body(platform, author, text, {}) for platform, author, text in lines]
        ids: list[str] = self.simulator.post("/control/comments", json=bodies).raise_for_status().json()["ids"]
        return ids

    def _body(self, platform: str, author: str, text: str, more: dict[str, Any]) -> dict[str, Any]:
        person = {"id": author, "name": f"Person {author}"}
        return {"platform": platform, "account": self.channels[platform].account, "author": person, "text": text, **more}

    def stats(self) -> dict[str, Any]:
        """Return the simulator's counts."""
        stats: dict[str, Any] = self.simulator.get("/control/stats").raise_for_status().json()
        return stats

    def replies(self, comment: str) -> int:
        """Return how often the brand answered a comment in public."""
        return int(self.stats()["replies_by_parent"].get(comment, 0))

    def answer(self, comment: str) -> str:
        """Return the text of the brand's first public answer to a comment."""
        return str(self.simulator.get(f"/control/comments/{comment}").raise_for_status().json()["replies"][0]["text"])

    def command(self, *words: str | Path, ends: tuple[int, ...] = (0,)) -> str:
        """Return what `antiphon …` says, on either stream, to somebody without a login of their own; `ends`: its exit codes."""
        key = {"ANTIPHON_URL": self.line.url, "ANTIPHON_KEY": self.api.token, "ANTIPHON_BRAND": BRAND}
        env = {**os.environ, **key, "NO_PROXY": "*", "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        argv = [sys.executable, "-m", "antiphon_cli", *map(str, words)]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode in ends, done.stdout + done.stderr
        return done.stdout + done.stderr

    def tally(self) -> Tally:
        """Return everything the topics hold now."""
        return asyncio.run(_read(self.services.kafka.address, self.line.settings("metrics")))

    def settled(self, timeout_s: float = 60.0) -> Tally:
        """Return the tally once nothing is on its way: every webhook delivered, every event decided, every action ended."""
        found: list[Tally] = []

        def still() -> bool:
            if self.stats()["pending"]:
                return False
            found[:] = [self.tally()]
            return found[0].settled() and found[0].heard() >= self.stats()["accepted_comments"]

        wait_for(still, timeout_s, lambda: f"not settled: {found and (found[0].undecided(), found[0].fates())} {self.stats()}")
        return found[0]


def wait_for(condition: Callable[[], bool], timeout_s: float, complaint: Callable[[], str] = lambda: "") -> float:
    """Return the seconds until the condition holds."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < timeout_s, complaint() or "the condition never held"
        time.sleep(0.1)
    return time.monotonic() - begun


async def _read(bootstrap: str, env: Mapping[str, str]) -> Tally:
    tally = Tally()
    add = counters(tally)
    async with (
        opener(env) as sealer,
        AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest") as consumer,
    ):
        await consumer.topics()
        for topic in add:  # in the order of the line, so that nothing is seen before its cause
            partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            left = {partition for partition in partitions if ends[partition]}
            await consumer.seek_to_beginning(*partitions)
            while left:
                for partition, messages in (await consumer.getmany(timeout_ms=200)).items():
                    await count(add, messages, sealer)
                    if messages[-1].offset + 1 >= ends[partition]:
                        left.discard(partition)
    return tally


PARTITIONS = 4


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The whole line with the demo's twelve rules, one for all modules that do not make a stage of their own."""
    with started(tmp_path_factory.mktemp("line")) as running:
        yield running


@contextmanager
def started(directory: Path, documents: list[dict[str, Any]] | None = None) -> Iterator[Stage]:
    """Start the whole line, ready and seeded with these rules, or else the demo's."""
    authority, authority_file = trustme.CA(), directory / "authority.pem"
    authority.cert_pem.write_to_path(str(authority_file))
    env = {
        "PUBLISHER_NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8, ::1/128",
        "PUBLISHER_NOTIFY_CA_FILE": str(authority_file),
        "PUBLISHER_SETTLE_SECONDS": f"{SETTLE_S:g}",
        "PUBLISHER_LEASE_SECONDS": "6",
        "PUBLISHER_HTTP_TIMEOUT_SECONDS": "4",
        "FAILPOINTS_ALLOWED": "true",
        "SIMULATOR_CLOCK_SCALE": "60",  # the platform's pauses between deliveries, a minute in a second
    }
    with LocalServices(directory / "services", partitions=PARTITIONS) as services, Line(services, directory, env=env) as line:
        api = Api(line.url, line.admin_token())
        channels = seed(line, api, documents)
        line.wait_working()
        running = Stage(line, services, api, channels, authority, directory)
        yield running
        running.simulator.close()
        api.close()


@pytest.fixture
def brand() -> str:
    return BRAND


@pytest.fixture
def wait() -> Callable[..., float]:
    return wait_for
