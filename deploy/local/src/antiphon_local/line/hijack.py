"""`make run SCENARIO=hijack`: a crowd turns against the brand, and the guard lets automation wait for people.

Three weeks of an ordinary past go through the engine like any event; then as many negative comments as twelve times an hour's
arrive. What is queued waits, a person resumes, and the next comment is answered automatically again.
"""

import asyncio
import itertools
import random
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from rich.console import Console

from antiphon import ids
from antiphon.times import to_timestamp
from antiphon.topics import EVENTS, record_key
from antiphon.v1.event_pb2 import Author, Event, EventKind, Platform, Verb
from antiphon_local.errors import SetupError
from antiphon_local.line.processes import Line
from antiphon_local.line.seed import BRAND, Api, Channel, seed
from antiphon_local.services import LocalServices

PARTITIONS = 4

PAST_DAYS = 21
"""Long enough that the guard calls its baseline seasonal."""

PAST_PER_HOUR, PAST_NEGATIVE = 20, 0.12
TIMES = 12

CALM = ("What time does the flight to Rome leave?", "Boarding now at gate 12", "Which terminal is it?")
ANGRY = (
    "This is the worst airline ever, terrible service, I am so angry!",
    "Never again, you lost my bag and nobody helps. Awful.",
    "Shame on you, the flight was cancelled and we were left alone. Disgusting.",
)

RULE = {
    "id": "answer-all",
    "name": "Answer comments on flights after a while",
    "state": "active",
    "where": {"kinds": ["comment"]},
    "when": {"text": {"any": ["flight", "airline", "bag", "gate", "terminal"], "as": "words"}},
    "then": [{"reply": {"text": {"default": ["Hello {{author.first_name|there}}, we are listening."]}, "delay": "25s"}}],
}
"""The delay stands for any queue: what waits in it when the hold comes is what people want to catch."""

EFFECTIVE_SECONDS = 5.0
"""After so long nothing automatic may be posted under a hold."""

_PATIENCE_SECONDS = 180.0


def main(directory: Path, *, once: bool) -> int:
    """Play it; return 0 if the hold came and nothing automatic was posted under it. Raises SetupError."""
    console = Console()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    console.print("starting Kafka, the document store and Valkey …")
    with LocalServices(directory / "services", partitions=PARTITIONS) as services:
        console.print("starting the services and the simulator …")
        with Line(services, directory, env={"PUBLISHER_SETTLE_SECONDS": "10"}) as line:
            api = Api(line.url, line.admin_token())
            channels = seed(line, api, [RULE])
            line.wait_working()
            try:
                complaints = _Play(line, api, channels[0], services.kafka.address, console).run()
            finally:
                api.close()
            for complaint in complaints:
                console.print(f"[bold red]not right:[/] {complaint}")
            if not once:
                console.print(f"the line goes on at {line.url}; Ctrl-C ends it")
                _stay()
            return 1 if complaints else 0


def _stay() -> None:
    try:
        while True:
            time.sleep(1.0)
    except KeyboardInterrupt:
        return


class _Play:
    """The acts, one after the other."""

    def __init__(self, line: Line, api: Api, channel: Channel, bootstrap: str, console: Console) -> None:
        self._line, self._api, self._channel, self._bootstrap, self._console = line, api, channel, bootstrap, console
        self._simulator = Api(line.addresses["simulator"].url)
        self._begun = time.monotonic()
        self._post = ""

    def run(self) -> list[str]:
        """Return what was not right."""
        try:
            return self._run()
        finally:
            self._simulator.close()

    def _run(self) -> list[str]:
        self._say(f"{PAST_DAYS} ordinary days go through the engine: {PAST_PER_HOUR} comments an hour, 12 % of them negative")
        asyncio.run(self._past())
        self._wait(lambda: self._whole().get("baseline") == "seasonal", "the guard knows what is usual")
        self._say(f"the guard: severity {self._severity()}, {self._whole()}")
        usual = PAST_PER_HOUR * PAST_NEGATIVE
        self._say(f"the crowd turns: {TIMES * usual:.0f} negative comments, {TIMES} times what an hour has")
        self._comments(ANGRY, round(TIMES * usual))
        hold = self._wait(self._hold, "the hold")
        held_at = time.monotonic()
        self._say(f"HOLD {hold['hold']}: severity {hold['severity']}, {hold['reason']}; automatic answers wait for approval")
        time.sleep(EFFECTIVE_SECONDS)
        before = self._replies()
        self._comments(ANGRY, 5)
        waiting = self._wait(lambda: self._waiting() if self._waiting() >= TIMES * usual else 0, "what was queued to wait")
        time.sleep(max(0.0, held_at + 35.0 - time.monotonic()))
        posted = self._replies() - before
        self._say(f"{waiting} answers wait for approval; {posted} were posted under the hold")
        self._resume(hold["hold"])
        self._say("a person resumes; what waits stays with people, the next comment is answered automatically")
        self._comments(CALM, 1)
        answered = self._wait(lambda: self._replies() > before + posted, "an automatic answer after the resume")
        return [f"{posted} answers were posted under the hold"] * bool(posted) + ["nothing was answered"] * (not answered)

    async def _past(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", linger_ms=20)
        await producer.start()
        try:
            for event in self._events():
                key = record_key(BRAND, event.author.id)
                await producer.send(EVENTS, event.SerializeToString(), key=key)
            await producer.flush()
        finally:
            await producer.stop()

    def _events(self) -> Iterator[Event]:
        """Yield the past, oldest first, up to now."""
        chance = random.Random(1)  # noqa: S311 (a play, the same every time)
        now = datetime.now(UTC)
        moment = now - timedelta(days=PAST_DAYS)
        for number in itertools.count():
            moment += timedelta(hours=chance.expovariate(PAST_PER_HOUR))
            if moment >= now:
                return
            texts = ANGRY if chance.random() < PAST_NEGATIVE else CALM
            yield self._event(number, moment, chance.choice(texts))

    def _event(self, number: int, moment: datetime, text: str) -> Event:
        platform = self._channel.platform
        return Event(
            event_id=ids.event_id(platform, self._channel.account, f"past-{number}", "create", ""),
            brand=BRAND,
            platform=Platform.Value(f"PLATFORM_{platform.upper()}"),
            account=self._channel.account,
            channel=self._channel.slug,
            kind=EventKind.EVENT_KIND_MENTION,
            verb=Verb.VERB_CREATE,
            object=f"past-{number}",
            author=Author(id=f"past-{number % 997}", name="Ann"),
            text=text,
            event_time=to_timestamp(moment),
            received_time=to_timestamp(moment),
        )

    def _comments(self, texts: tuple[str, ...], count: int) -> None:
        account = {"platform": self._channel.platform, "account": self._channel.account}
        self._post = self._post or self._simulator.call("POST", "/control/posts", {**account, "text": "Hello"})["id"]
        for number, text in zip(range(count), itertools.cycle(texts), strict=False):
            author = {"id": f"angry-{time.monotonic_ns()}", "name": "Ann"}
            body = {**account, "post": self._post, "author": author, "text": f"{text} ({number})"}
            self._simulator.call("POST", "/control/comments", body)
            time.sleep(0.1)

    def _scopes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.call("GET", f"/v1/brands/{BRAND}/guard")["scopes"]
        return found

    def _whole(self) -> dict[str, Any]:
        whole = (one["seen"] for one in self._scopes() if not (one["platform"] or one["campaign"] or one["topic"]))
        return next(whole, {})

    def _severity(self) -> int:
        return max((int(one["severity"]) for one in self._scopes()), default=1)

    def _hold(self) -> dict[str, Any]:
        holds = self._api.call("GET", f"/v1/brands/{BRAND}/holds?active=true")["items"]
        return next((hold for hold in holds if not hold["notice_only"]), {})

    def _resume(self, hold: str) -> None:
        body = {"reason": "answered in person"}
        self._api.call("POST", f"/v1/brands/{BRAND}/holds/{hold}:resume", body, If_Match="*")

    def _replies(self) -> int:
        return sum(self._simulator.call("GET", "/control/stats?detail=true")["replies_by_parent"].values())

    def _waiting(self) -> int:
        answer = self._api.call("GET", f"/v1/deliveries?brand={BRAND}&state=waiting_approval&limit=100")
        return len(answer["items"])

    def _wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Return the condition's first value that is something, telling the severity meanwhile. Raises SetupError."""
        deadline, said = time.monotonic() + _PATIENCE_SECONDS, -1
        while not (found := condition()):
            if time.monotonic() > deadline or self._line.dead():
                raise SetupError(f"waited in vain for {what}", "see the logs under var/run/log")
            severity = self._severity()
            if severity != said:
                said = severity
                self._say(f"severity {severity}, waiting for {what}")
            time.sleep(0.5)
        return found

    def _say(self, words: str) -> None:
        self._console.print(f"{time.monotonic() - self._begun:6.1f} s  {words}", highlight=False, soft_wrap=True)
