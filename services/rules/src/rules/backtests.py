"""The use cases of back-tests: jobs that replay the past under changed rules, made by people and worked off one by one."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum, auto
from typing import Protocol

from antiphon.auth import Principal
from antiphon.clock import Clock
from antiphon.errors import Invalid, Transient
from antiphon.problems import Problem
from rules.configuration import ConfigurationService, not_found

log = logging.getLogger(__name__)

MAX_OPEN = 10
"""Jobs of a brand that wait or run: they are worked off one after the other, and others wait behind them."""

MAX_TRIES = 3
"""Processes that may die on a job before it is given up: it is then the job that kills them."""

_LOOK_SECONDS = 0.5
"""Between two looks for work: people wait for a job's start."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()
    CANCELLED = auto()


OPEN_STATES = frozenset({JobState.QUEUED, JobState.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOrder:
    """What to replay: what was received from `since` up to, without, `until` (unix seconds), with these changes.

    `documents`: rule id and canonical JSON of rules that are changed or new, all of them taken as active.
    """

    since: float
    until: float
    documents: tuple[tuple[str, bytes], ...] = ()
    remove: tuple[str, ...] = ()
    sample_size: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """A job. `done` and `total` count recorded events; `runner` and `lease_until` (unix seconds) say who works on it."""

    job_id: str
    brand: str
    order: BacktestOrder
    created_time: datetime
    created_by: str
    state: JobState = JobState.QUEUED
    done: int = 0
    total: int = 0
    tries: int = 0
    runner: str = ""
    lease_until: float = 0.0
    started_time: datetime | None = None
    finished_time: datetime | None = None
    error: str = ""


class BacktestStore(Protocol):
    """Keeps jobs and their results. Raises Transient when the store is away."""

    async def create(self, job: Backtest) -> None:
        """Save a new job."""
        ...

    async def get(self, brand: str, job_id: str) -> Backtest | None:
        """Return a job of the brand."""
        ...

    async def jobs(self, brand: str, before: str, limit: int) -> Sequence[Backtest]:
        """Return jobs with ids below `before` ("": all), the newest first."""
        ...

    async def result(self, brand: str, job_id: str) -> bytes | None:
        """Return a finished job's result, JSON."""
        ...

    async def count_open(self, brand: str) -> int:
        """Return how many jobs wait or run."""
        ...

    async def end(self, job: Backtest, result: bytes = b"") -> bool:
        """Save the end of a job, if it is still open and in the same hands; False if not."""
        ...

    async def next(self, now: float) -> Backtest | None:
        """Return the oldest job that nobody works on, or whose runner's lease has ended by `now` (unix seconds)."""
        ...

    async def take(self, found: Backtest, taken: Backtest) -> bool:
        """Replace a job as it was found by the same job in other hands; False if it has changed meanwhile."""
        ...

    async def beat(self, job: Backtest) -> bool:
        """Save progress and lease; False if the job is no longer in these hands."""
        ...


class BacktestService:
    """Jobs for people."""

    def __init__(self, *, store: BacktestStore, configuration: ConfigurationService, clock: Clock) -> None:
        self._store = store
        self._configuration = configuration
        self._clock = clock

    async def start(self, by: Principal, brand: str, order: BacktestOrder) -> Backtest:
        """Queue a job. Raises 404 for an unknown brand, 409 when too many are open."""
        await self._configuration.brand(brand)
        if await self._store.count_open(brand) >= MAX_OPEN:
            raise Problem(409, "too_many", f"{MAX_OPEN} back-tests are open; wait for one or cancel one.")
        now = self._clock.now()
        identity = f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(6)}"  # ids in the order of creation
        job = Backtest(job_id=identity, brand=brand, order=order, created_time=now, created_by=by.key_id)
        await self._store.create(job)
        return job

    async def job(self, brand: str, job_id: str) -> Backtest:
        """Return a job. Raises 404."""
        found = await self._store.get(brand, job_id)
        if found is None:
            raise not_found("back-test", job_id)
        return found

    async def jobs(self, brand: str, before: str, limit: int) -> Sequence[Backtest]:
        """Return a brand's jobs, the newest first. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.jobs(brand, before, limit)

    async def result(self, brand: str, job_id: str) -> bytes | None:
        """Return a finished job's result, JSON."""
        return await self._store.result(brand, job_id)

    async def cancel(self, brand: str, job_id: str) -> Backtest:
        """Cancel a job; its runner lets go of it with its next sign of life. Raises 404, 409 when it has ended."""
        found = await self.job(brand, job_id)
        cancelled = replace(found, state=JobState.CANCELLED, finished_time=self._clock.now())
        while not await self._store.end(cancelled):
            found = await self.job(brand, job_id)
            if found.state not in OPEN_STATES:
                raise Problem(409, "not_possible", f"The back-test has ended; it is {found.state}.")
            cancelled = replace(found, state=JobState.CANCELLED, finished_time=self._clock.now())
        return cancelled


Beat = Callable[[int, int], Awaitable[bool]]
"""Takes (done, total) events every now and then; False: stop at once."""


class Replayer(Protocol):
    """Does the work of a job, elsewhere."""

    async def run(self, job: Backtest, beat: Beat) -> bytes | None:
        """Return the result, JSON; None when `beat` said stop. Raises Invalid where the job cannot be done, Transient."""
        ...


class BacktestRunner:
    """Works off jobs, one at a time; what a dead process leaves behind is taken up by another when its lease ends."""

    def __init__(
        self,
        *,
        store: BacktestStore,
        replayer: Replayer,
        clock: Clock,
        name: str,
        lease_seconds: float,
        ended: Callable[[JobState], None],
    ) -> None:
        self._store, self._replayer, self._clock = store, replayer, clock
        self._name, self._lease, self._ended = name, lease_seconds, ended

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                worked = await self.step()
            except Transient as error:
                log.warning("back-tests wait: %s", error)
                worked = False
            if not worked:
                await asyncio.sleep(_LOOK_SECONDS)

    async def step(self) -> bool:
        """Work off one job; False if there is none. Raises Transient."""
        job = await self._taken()
        if job is None:
            return False
        if job.tries > MAX_TRIES:
            await self._end(job, JobState.FAILED, error=f"given up after {MAX_TRIES} tries that did not come to an end")
            return True
        log.info("back-test begins", extra={"job": job.job_id, "brand": job.brand})
        try:
            result = await self._replayer.run(job, lambda done, total: self._beat(job, done, total))
        except Invalid as error:
            await self._end(job, JobState.FAILED, error=str(error))
        except Transient:
            raise
        except Exception:
            log.exception("a back-test failed", extra={"job": job.job_id})
            await self._end(job, JobState.FAILED, error="an internal error; it is in the log of the historian")
        else:
            if result is not None:
                await self._end(job, JobState.DONE, result)
            else:
                self._ended(JobState.CANCELLED)
        return True

    async def _taken(self) -> Backtest | None:
        now = self._clock.now()
        found = await self._store.next(now.timestamp())
        if found is None:
            return None
        taken = replace(
            found,
            state=JobState.RUNNING,
            runner=self._name,
            tries=found.tries + 1,
            lease_until=now.timestamp() + self._lease,
            started_time=found.started_time or now,
        )
        return taken if await self._store.take(found, taken) else None

    async def _beat(self, job: Backtest, done: int, total: int) -> bool:
        lease_until = self._clock.now().timestamp() + self._lease
        return await self._store.beat(replace(job, done=done, total=total, lease_until=lease_until))

    async def _end(self, job: Backtest, state: JobState, result: bytes = b"", *, error: str = "") -> None:
        if await self._store.end(replace(job, state=state, finished_time=self._clock.now(), error=error), result):
            self._ended(state)
