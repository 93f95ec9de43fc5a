"""`make run`: the whole line, a demo brand, comments, a view; with `--once` a file is played and judged."""

import argparse
import asyncio
import contextlib
import itertools
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import orjson
from rich.console import Console

from antiphon_local.errors import SetupError
from antiphon_local.line.feed import Comment, endless, recorded, sample
from antiphon_local.line.judge import Summary, judge
from antiphon_local.line.processes import Line
from antiphon_local.line.seed import Api, Channel, seed
from antiphon_local.line.tail import follow, opener
from antiphon_local.line.tally import Tally
from antiphon_local.line.view import View
from antiphon_local.prometheus import Prometheus, find_programs
from antiphon_local.services import LocalServices
from antiphon_local.settings import ROOT

DIRECTORY = ROOT / "var" / "run"

PARTITIONS = 4
"""Enough to see keys spread, few enough that one machine's processes are not busy with empty partitions."""

DEFAULT_RATE = 20.0
"""Comments a second where no rate is given: lively, and still readable."""

SETTLE_SECONDS = 10.0
"""Read-back of unknown outcomes here; a real platform gets the publisher's two minutes."""

_LOOK_S = 0.25
_QUIET_LOOKS = 4
"""So many looks in a row must find nothing to do: echoes of the last replies may still be on their way."""

_CHUNK = 2_000
"""Comments in one request to the simulator."""

_STUCK_S = 120.0
"""Without any progress for so long, a run that plays a file is judged as it stands."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line; `rate` 0 is as fast as possible."""

    replay: Path | None
    rate: float | None
    once: bool
    directory: Path
    prometheus: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--replay", type=Path, help='a file of JSON lines with "author" and "text"')
    parser.add_argument(
        "--rate", type=float, help=f"comments a second; 0: as fast as possible (default {DEFAULT_RATE:g}, with --once 0)"
    )
    parser.add_argument("--scenario", choices=["hijack"], help="hijack: a crowd turns against the brand; see the guard act")
    parser.add_argument("--once", action="store_true", help="play the file (or the sample) once, judge the result, end")
    parser.add_argument("--prometheus", action="store_true", help="start a Prometheus that scrapes every process")
    parser.add_argument(
        "--directory", type=Path, default=DIRECTORY, help="data and logs of this run (default: var/run); emptied first"
    )


def main(options: Options) -> int:
    """Run until Ctrl-C, or until the file is played and judged; return the exit code. Raises SetupError."""
    console = Console()
    comments = _comments(options)  # a bad file is refused before anything starts
    programs = find_programs(say=console.print) if options.prometheus else None
    shutil.rmtree(options.directory, ignore_errors=True)
    options.directory.mkdir(parents=True)
    begun = time.monotonic()
    console.print("starting Kafka, the document store and Valkey …")
    with LocalServices(options.directory / "services", partitions=PARTITIONS) as services:
        console.print("starting the services and the simulator …")
        line = Line(services, options.directory, env={"PUBLISHER_SETTLE_SECONDS": f"{SETTLE_SECONDS:g}"})
        with line, contextlib.ExitStack() as beside:
            token = line.admin_token()
            api = Api(line.url, token)
            channels = seed(line, api)
            line.wait_working()
            api.close()
            console.print(f"ready after {time.monotonic() - begun:.0f} s")
            _say_where(line, token, console)
            if programs:
                prometheus = beside.enter_context(Prometheus(options.directory / "prometheus", line.scraped(), programs))
                console.print(f"  Prometheus     {prometheus.address}")
            with contextlib.suppress(KeyboardInterrupt):
                return asyncio.run(_play(line, services, options, comments, channels, console))
            console.print("stopping …")
    return 0


def _say_where(line: Line, token: str, console: Console) -> None:
    console.print(f"  API            {line.url}")
    console.print(f"  admin key      {token}", soft_wrap=True)
    console.print(f"  simulator      {line.addresses['simulator'].url}   (posts, comments and the brand's replies)")
    console.print(f"  metrics        {line.addresses['metrics'].url}/metrics")


def _comments(options: Options) -> Iterable[Comment]:
    if options.replay:
        return recorded(options.replay)
    return sample() if options.once else endless()


async def _play(
    line: Line, services: LocalServices, options: Options, comments: Iterable[Comment], channels: list[Channel], console: Console
) -> int:
    tally = Tally()
    begun = time.monotonic()
    async with (
        _Simulator(line.addresses["simulator"].url) as simulator,
        _following(services.kafka.address, tally, line.settings("metrics")) as following,
    ):
        with View(tally, console) as view, _interrupts() as interrupted:
            feeding = asyncio.create_task(simulator.feed(comments, _rate(options), channels))
            stats = await _watch(line, tally, view, simulator, (feeding, following), interrupted, once=options.once)
            feeding.cancel()
        if not options.once:
            return 0
        summary = judge(tally, stats, fed=simulator.fed, wall_s=time.monotonic() - begun, rss_mb=line.peak_rss_mb())
    return _report(summary, options.directory, console)


async def _watch(
    line: Line,
    tally: Tally,
    view: View,
    simulator: "_Simulator",
    tasks: tuple[asyncio.Task[None], asyncio.Task[None]],
    interrupted: asyncio.Event,
    *,
    once: bool,
) -> dict[str, Any]:
    """Show the state until it is over: interrupted, or (with `once`) drained or stuck. Returns the simulator's last counts."""
    feeding, following = tasks
    before, moved, quiet = None, time.monotonic(), 0
    while True:
        stats = await simulator.stats()
        view.show(stats)
        _fail_early(line, feeding, following)
        drained = feeding.done() and not stats["pending"] and tally.settled() and tally.heard() >= stats["accepted_comments"]
        quiet = quiet + 1 if drained else 0
        if interrupted.is_set() or (once and quiet >= _QUIET_LOOKS):
            return stats
        state = (len(tally.decisions), sum(tally.fates().values()), tally.fates()["open"], stats["pending"])
        if state != before:
            before, moved = state, time.monotonic()
        elif once and feeding.done() and time.monotonic() - moved > _STUCK_S:
            return stats
        await asyncio.sleep(_LOOK_S)


def _fail_early(line: Line, *tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        if task.done():
            task.result()
    if dead := line.dead():
        raise SetupError(f"ended unexpectedly: {', '.join(dead)}", "see the logs under var/run/log")


def _rate(options: Options) -> float:
    return options.rate if options.rate is not None else (0.0 if options.once else DEFAULT_RATE)


class _Simulator:
    """The simulator's control API."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=60.0, trust_env=False)
        self.fed = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def stats(self) -> dict[str, Any]:
        answer = await self._client.get("/control/stats", params={"detail": False})
        stats: dict[str, Any] = answer.raise_for_status().json()
        return stats

    async def feed(self, comments: Iterable[Comment], rate: float, channels: list[Channel]) -> None:
        """Write the comments at a pace (0: as fast as the simulator takes them), one post for each group."""
        accounts = {channel.platform: channel.account for channel in channels}
        posts: dict[tuple[str, str], str] = {}
        begun = time.monotonic()
        supply = iter(comments)
        while True:
            due = _CHUNK if not rate else max(0, int((time.monotonic() - begun) * rate) + 1 - self.fed)
            chunk = list(itertools.islice(supply, min(due, _CHUNK)))
            if due and not chunk:
                return
            if chunk:
                lines = [orjson.dumps(await self._body(comment, accounts, posts)) for comment in chunk]
                headers = {"content-type": "application/x-ndjson"}
                (await self._client.post("/control/comments", content=b"\n".join(lines), headers=headers)).raise_for_status()
                self.fed += len(chunk)
            await asyncio.sleep(0.0 if not rate else min(0.1, 1 / rate))

    async def _body(self, comment: Comment, accounts: dict[str, str], posts: dict[tuple[str, str], str]) -> dict[str, Any]:
        key = comment.platform, comment.post
        if key not in posts:
            text = "What a day at the airport!" if comment.post == "sample" else f"{comment.post or 'We'} are listening."
            body = {"platform": comment.platform, "account": accounts[comment.platform], "text": text}
            posts[key] = (await self._client.post("/control/posts", json=body)).raise_for_status().json()["id"]
        return {
            "platform": comment.platform,
            "account": accounts[comment.platform],
            "post": posts[key],
            "author": {"id": comment.author, "name": comment.name},
            "text": comment.text,
        }


@contextlib.asynccontextmanager
async def _following(bootstrap: str, tally: Tally, env: Mapping[str, str]) -> AsyncIterator[asyncio.Task[None]]:
    async with opener(env) as sealer:
        task = asyncio.create_task(follow(bootstrap, tally, sealer))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def _interrupts() -> Any:
    """Yield an event that Ctrl-C or SIGTERM sets."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, event.set)
    try:
        yield event
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _report(summary: Summary, directory: Path, console: Console) -> int:
    path = directory / "summary.json"
    path.write_bytes(orjson.dumps(summary.document(), option=orjson.OPT_INDENT_2))
    console.print_json(data=summary.document())
    for complaint in summary.complaints:
        console.print(f"[bold red]not right:[/] {complaint}")
    console.print(f"summary written to {path}")
    return 1 if summary.complaints else 0
