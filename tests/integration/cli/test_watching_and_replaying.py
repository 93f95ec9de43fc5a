"""Decisions are followed, explained and replayed under other rules, on an engine and an archive that really run."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from antiphon import ids
from antiphon.times import to_timestamp
from antiphon.topics import EVENTS
from antiphon.v1.event_pb2 import Author, Event, EventKind, Platform, Verb
from antiphon_local.line.processes import Line
from antiphon_local.services import LocalServices

BRAND = "acme"
RULE: dict[str, Any] = {
    "id": "price",
    "state": "active",
    "when": {"text": {"any": ["price"], "none": ["giveaway"]}},
    "limits": [{"per": "author", "at_most": 1, "within": "24h"}],
    "then": [{"reply": {"text": "It is 49 €."}}],
}
MORE_THAN_A_PAGE = 60
"""Decisions, of which the API lists 50 where nobody says how many."""

TEXTS = ("What is the price?", "price of the giveaway", "nice \x1b[31mcolour", "price again")


@dataclass(frozen=True, slots=True)
class Running:
    """Where it is, its admin key, and what it stands on."""

    url: str
    token: str
    services: LocalServices
    historian: int


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A line that decides and archives."""
    directory = tmp_path_factory.mktemp("watched")
    roles = ("rules-api", "engine", "historian")
    with LocalServices(directory / "services", partitions=1) as services, Line(services, directory, roles=roles) as line:
        token = line.admin_token()  # an engine waits for a configuration, and this is a part of one
        line.wait_working()
        yield Running(line.addresses["rules-api"].url, token, services, int(line.processes["historian"].pid or 0))


@pytest.fixture(scope="module")
def feed(running: Running) -> Callable[[Sequence[tuple[str, str]]], list[str]]:
    """Write comments of (author, text); return their event ids."""
    bootstrap = running.services.kafka.address
    count = iter(range(1, 1_000_000))

    def comment(author: str, text: str) -> Event:
        number, now = next(count), to_timestamp(datetime.now(UTC))
        return Event(
            event_id=ids.event_id("facebook", "page", str(number), "create", ""),
            brand=BRAND,
            platform=Platform.PLATFORM_FACEBOOK,
            account="page",
            channel="main",
            kind=EventKind.EVENT_KIND_COMMENT,
            verb=Verb.VERB_CREATE,
            object=str(number),
            root="post",
            author=Author(id=author, name="Anna Bell"),
            text=text,
            event_time=now,
            received_time=now,
        )

    async def send(events: Sequence[Event]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            for event in events:
                await producer.send_and_wait(EVENTS, event.SerializeToString(), key=f"{BRAND}/{event.author.id}".encode())

    def write(lines: Sequence[tuple[str, str]]) -> list[str]:
        events = [comment(author, text) for author, text in lines]
        asyncio.run(send(events))
        return [event.event_id for event in events]

    return write


@pytest.fixture
def watcher(running: Running, bare_cli: Any) -> Any:
    """The command with the line's admin key and brand."""
    return bare_cli.with_env(ANTIPHON_URL=running.url, ANTIPHON_KEY=running.token, ANTIPHON_BRAND=BRAND)


@pytest.fixture(scope="module")
def rule_file(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rule's file, below a folder for the whole brand."""
    path = tmp_path_factory.mktemp("config") / "rules/price.yaml"
    path.parent.mkdir()
    path.write_bytes(orjson.dumps(RULE))  # JSON is YAML
    (path.parents[1] / "brand.yaml").write_text(f"id: {BRAND}\nname: Acme\n")
    (path.parents[1] / "channels.yaml").write_text("main: {platform: facebook, account: page, name: Acme}\n")
    return path


def _eventually(ask: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while not (found := ask()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


@pytest.fixture
def pushed(watcher: Any, feed: Any, rule_file: Path) -> Callable[[Sequence[str]], bool]:
    """The rule is in force; returns what tells whether all of some events are in the archive."""
    assert watcher("rules", "push", rule_file.parents[1], "--yes").code == 0

    def archived(events: Sequence[str]) -> bool:
        seen = watcher("tail", "--no-follow", "--json", "-n", 100).out
        return all(event in seen for event in events)

    authors = (f"warm-{number}" for number in range(1_000))

    def acts() -> bool:
        feed([(next(authors), "price")])
        return '"outcome":"acted"' in watcher("tail", "--no-follow", "--json", "-n", 100).out

    _eventually(acts, "the rule acts")
    return archived


@pytest.fixture
def decided(feed: Any, pushed: Any) -> list[str]:
    """Event ids of four comments, once their decisions are in the archive; the rule acts only on the first."""
    written: list[str] = feed([("p1", text) for text in TEXTS])
    _eventually(lambda: pushed(written), "all are decided and archived")
    return written


def object_of(event_id: str) -> str:
    """Return the comment that an event is about."""
    return next(name for name in map(str, range(10_000)) if ids.event_id("facebook", "page", name, "create", "") == event_id)


def test_decisions_are_listed_explained_and_replayed(watcher: Any, decided: list[str], rule_file: Path) -> None:
    listed = watcher("tail", "--no-follow", "--rule", "price")
    assert listed.code == 0, listed.err
    assert "price acted" in listed.out
    assert "price excluded_term (" in listed.out
    assert "price limit" in listed.out
    everything = watcher("tail", "--no-follow", "-n", 100).out  # what was fed before may be archived late
    assert "nice  [31mcolour" in everything
    assert "\x1b" not in everything

    explained = watcher("explain", decided[1], "--rule", "price")
    assert explained.code == 0, explained.err
    assert "found excluded 'giveaway'" in explained.out
    assert "excluded_term" in explained.out
    whole = orjson.loads(watcher("explain", decided[0], "--json").out)
    assert whole["recorded"]["decision"]["outcome"] == "acted"
    unknown = watcher("explain", "f" * 64)
    assert unknown.code == 2
    by_comment = watcher("explain", object_of(decided[1]))
    assert (by_comment.code, "excluded_term" in by_comment.out) == (0, True), by_comment.err
    never = watcher("explain", "12345_67890")
    assert (never.code, "no decision on '12345_67890' is recorded" in never.err) == (2, True)

    louder = rule_file.with_name("louder.yaml")
    louder.write_text('id: price\nstate: draft\nwhen: {text: {any: [price]}}\nthen: [{reply: {text: "From 39 €."}}]\n')
    replayed = watcher("rules", "backtest", louder, "--from", "1d", "--json")
    louder.unlink()
    assert replayed.code == 0, replayed.err
    result = orjson.loads(replayed.out)["result"]
    assert result["changes"]["reply"]["added"]["all"] >= 2
    assert result["changes"]["reply"]["changed"]["all"] >= 1
    shown = watcher("rules", "backtest", "--job", orjson.loads(replayed.out)["id"])
    assert "From 39 €." in shown.out
    assert "rules, old → new" in shown.out
    without = watcher("rules", "backtest", "--remove", "price")
    assert without.code == 0, without.err
    assert "removed reply" in without.out


@pytest.mark.usefixtures("pushed")
def test_ctrl_c_cancels_a_replay(watcher: Any, running: Running) -> None:
    os.kill(running.historian, signal.SIGSTOP)  # so that the job still waits
    try:
        with watcher.start("rules", "backtest", "--remove", "price", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            job = process.stderr.readline().decode().split()[-1]
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert f"cancelled {job}".encode() in process.stderr.read()
    finally:
        os.kill(running.historian, signal.SIGCONT)
    after = watcher("rules", "backtest", "--job", job)
    assert (after.code, "cancelled" in after.err) == (2, True)


def test_a_wrong_rule_is_told_with_its_line_before_a_replay(watcher: Any, rule_file: Path) -> None:
    wrong = rule_file.with_name("wrong.yaml")
    wrong.write_text("id: wrong\nthen:\n  - replay: {}\n")
    refused = watcher("rules", "backtest", wrong)
    wrong.unlink()
    assert (refused.code, f"{wrong}:3 /then/0" in refused.err) == (2, True), refused.err
    assert watcher("rules", "backtest", "--from", "yesterday", "--remove", "price").code == 2


def test_what_comes_is_followed_until_ctrl_c(watcher: Any, feed: Any, pushed: Any) -> None:
    before = feed([(f"p{number}", "nice") for number in range(MORE_THAN_A_PAGE)])
    _eventually(lambda: pushed(before), "all of before is archived")
    with watcher.start("tail", "-n", 1, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first = process.stdout.readline()  # it has taken its place: whatever comes from now on must show
        assert first, process.stderr.read()
        written = feed([("p2", "What is the price?")])
        shown = {orjson.loads(first)["event_id"]}
        while not shown >= {*written}:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            shown.add(orjson.loads(line)["event_id"])
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == b""
