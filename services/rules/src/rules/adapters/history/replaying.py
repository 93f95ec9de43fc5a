"""A back-test's work, in a process of its own: it can be ended at any moment, and never holds up the archive."""

import asyncio
import gc
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

import orjson

from antiphon import mongo
from antiphon.errors import Transient
from antiphon.settings import MongoSettings
from rules.adapters.history.archive import COLLECTION
from rules.adapters.history.lanes import Stretch
from rules.adapters.history.past import open_past
from rules.adapters.history.plans import Plan
from rules.adapters.matching import build_matcher
from rules.adapters.understanding import understand
from rules.backtests import Backtest, Beat
from rules.domain.event import Event, Understanding
from rules.domain.matching.index import build_snapshot
from rules.domain.programme import build_programme
from rules.domain.replaying.comparison import Comparison
from rules.domain.replaying.report import Report

_SIGN_SECONDS: Final = 0.25
"""Between two signs of life: a cancelled job ends within this and one write."""

_NICENESS: Final = 10
"""Somebody waits for a back-test, but not before the archive and whatever else runs here."""

_COLLECTED_AFTER: Final = 200_000
"""New objects between two looks of the collector: some chunks of events. Its own 700 cost a third of the time."""

_PROGRESS, _REPORT, _TRANSIENT = "progress", "report", "transient"

_Tell = Callable[[str, Any], None]


class ChildReplayer:
    """Runs each job in a new process; `plan` says what it means under the configuration in force."""

    def __init__(self, settings: MongoSettings, plan: Callable[[Backtest], Plan]) -> None:
        # Only what the process needs: other settings hold other secrets.
        self._settings = MongoSettings(mongo_uri=settings.mongo_uri, mongo_database=settings.mongo_database)
        self._plan = plan

    async def run(self, job: Backtest, beat: Beat) -> bytes | None:
        """Return the report, JSON; None when `beat` said stop. Raises Invalid, Transient, RuntimeError when the process dies."""
        plan = self._plan(job)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(plan, self._settings, theirs), daemon=True, name="backtest")
        try:
            await asyncio.to_thread(process.start)
            theirs.close()
            return await _follow(process, ours, beat)
        finally:
            if process.pid is not None:
                process.kill()
                await asyncio.to_thread(process.join)
            process.close()
            ours.close()


async def _follow(process: BaseProcess, pipe: Connection, beat: Beat) -> bytes | None:
    done = total = 0
    while True:
        await asyncio.sleep(_SIGN_SECONDS)
        alive = process.is_alive()
        for kind, value in _received(pipe):
            if kind == _REPORT:
                await beat(total, total)
                return bytes(value)
            if kind == _TRANSIENT:
                raise Transient(str(value))
            done, total = value
        if not alive:
            raise RuntimeError(f"the process of a back-test ended with {process.exitcode}")
        if not await beat(done, total):
            return None


def _received(pipe: Connection) -> list[tuple[str, Any]]:
    received = []
    with suppress(EOFError):  # it has ended; what it said before is all there is
        while pipe.poll():
            received.append(pipe.recv())
    return received


def work(plan: Plan, settings: MongoSettings, pipe: Connection) -> None:
    """Do a job and tell what comes of it, in the process made for it."""
    os.nice(_NICENESS)

    def tell(kind: str, value: Any) -> None:
        pipe.send((kind, value))

    with suppress(BrokenPipeError):  # whoever asked is gone, and so is the use of going on
        try:
            report = asyncio.run(replay(plan, settings, tell))
        except Transient as error:
            tell(_TRANSIENT, str(error))
        else:
            tell(_REPORT, report)


async def replay(plan: Plan, settings: MongoSettings, tell: _Tell) -> bytes:
    """Return the report, JSON. Raises Transient."""
    client, database = mongo.connect(settings)
    try:
        stretch = Stretch(plan.brand.brand, plan.warm_up_from, plan.until)
        reader = await open_past(database[COLLECTION], stretch, _understand_for(plan))
        comparison = _comparison(plan)
        done, told = 0, time.monotonic()
        async for chunk in reader.chunks():
            for past in chunk:
                comparison.take(past, counted=past.event.received_time >= plan.since)
            done += len(chunk)
            if time.monotonic() - told >= _SIGN_SECONDS:
                tell(_PROGRESS, (done, max(done, reader.total)))
                told = time.monotonic()
        tell(_PROGRESS, (done, done))
        return orjson.dumps(_shown(plan, comparison.report(), reader.understood_anew))
    finally:
        client.close()


def _comparison(plan: Plan) -> Comparison:
    programme = build_programme(plan.programme, build_matcher, tracked=plan.tracked)
    beside = {plan.brand.brand: programme}
    old, new = (
        build_snapshot(plan.revision, [plan.brand], rules, plan.own_accounts, build_matcher, programmes=beside)
        for rules in (plan.old, plan.new)
    )
    calm_collector()
    return Comparison(old, new, plan.terms)


def calm_collector() -> None:
    """Keep the collector from walking through rules and events again and again: neither has cycles that it could free."""
    gc.collect()
    gc.freeze()
    gc.enable()  # a process that was spawned has loaded its modules without
    gc.set_threshold(_COLLECTED_AFTER)


def _understand_for(plan: Plan) -> Callable[[Event], Understanding]:
    brand = plan.brand

    def understood(event: Event) -> Understanding:
        return understand(event.text, languages=brand.languages, flag_terms=brand.flag_terms)

    return understood


def _shown(plan: Plan, report: Report, understood_anew: int) -> dict[str, Any]:
    """Return the report as the API shows it: times as people write them, and what it rests on."""
    shown: dict[str, Any] = orjson.loads(orjson.dumps(report))
    for sample in shown["samples"]:
        sample["event_time"] = _moment(sample["event_time"])
    for usage in shown["quotas"]:
        for name in ("old_peak_time", "new_peak_time"):
            usage[name] = _moment(usage[name]) if usage[name] else None
    return {
        "period": {
            "from": _moment(plan.since),
            "until": _moment(plan.until),
            "warm_up_from": _moment(plan.warm_up_from),
        },
        "revision": plan.revision,
        "warnings": plan.warnings,
        "understood_anew": understood_anew,
        **shown,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
