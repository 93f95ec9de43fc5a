"""Back-test jobs in the document store; a result is a collection of its own, so that lists stay light."""

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from antiphon.mongo import Database, Document, insert_new
from rules.adapters.history.archive import store_errors
from rules.backtests import OPEN_STATES, Backtest, BacktestOrder, JobState

JOBS: Final = "backtests"
RESULTS: Final = "backtest_results"

KEPT = timedelta(days=30)
"""How long a job and its result are kept: the rules that it compared are other ones by then."""

_OPEN: Final = [str(state) for state in sorted(OPEN_STATES)]


class MongoBacktestStore:
    """Keeps jobs. Every change of an open job is a compare-and-set on its runner and tries."""

    def __init__(self, database: Database) -> None:
        self._jobs, self._results = database[JOBS], database[RESULTS]

    async def create_indexes(self) -> None:
        """Create what jobs are searched by. Raises Transient."""
        with store_errors():
            await self._jobs.create_index([("brand", 1), ("_id", -1)])
            await self._jobs.create_index([("state", 1), ("_id", 1)])
            for collection in (self._jobs, self._results):
                await collection.create_index("expires", expireAfterSeconds=0)

    async def create(self, job: Backtest) -> None:
        """Save a new job."""
        with store_errors():
            await self._jobs.insert_one({**_document(job), "expires": job.created_time + KEPT})

    async def get(self, brand: str, job_id: str) -> Backtest | None:
        """Return a job of the brand."""
        with store_errors():
            found = await self._jobs.find_one({"_id": job_id, "brand": brand})
        return _job(found) if found else None

    async def jobs(self, brand: str, before: str, limit: int) -> Sequence[Backtest]:
        """Return jobs with ids below `before`, the newest first."""
        query: Document = {"brand": brand, **({"_id": {"$lt": before}} if before else {})}
        with store_errors():
            found = await self._jobs.find(query).sort("_id", -1).limit(limit).to_list(None)
        return [_job(document) for document in found]

    async def result(self, brand: str, job_id: str) -> bytes | None:
        """Return a finished job's result."""
        with store_errors():
            found = await self._results.find_one({"_id": job_id, "brand": brand})
        return zlib.decompress(found["result"]) if found else None

    async def count_open(self, brand: str) -> int:
        """Return how many jobs wait or run."""
        with store_errors():
            return await self._jobs.count_documents({"brand": brand, "state": {"$in": _OPEN}})

    async def end(self, job: Backtest, result: bytes = b"") -> bool:
        """Save the end of a job, if it is still open and in the same hands."""
        if result:
            expires = job.created_time + KEPT
            document = {"_id": job.job_id, "brand": job.brand, "result": zlib.compress(result), "expires": expires}
            with store_errors():
                await insert_new(self._results, [document])
        return await self._set(job, job, "state", "finished_time", "error")

    async def next(self, now: float) -> Backtest | None:
        """Return the oldest job that nobody works on."""
        free = [{"state": JobState.QUEUED}, {"state": JobState.RUNNING, "lease_until": {"$lt": now}}]
        with store_errors():
            found = await self._jobs.find_one({"$or": free}, sort=[("_id", 1)])
        return _job(found) if found else None

    async def take(self, found: Backtest, taken: Backtest) -> bool:
        """Put a job into other hands."""
        return await self._set(found, taken, "state", "runner", "tries", "lease_until", "started_time")

    async def beat(self, job: Backtest) -> bool:
        """Save progress and lease."""
        return await self._set(job, job, "done", "total", "lease_until")

    async def _set(self, found: Backtest, job: Backtest, *fields: str) -> bool:
        expected = {"_id": job.job_id, "runner": found.runner, "tries": found.tries, "state": {"$in": _OPEN}}
        with store_errors():
            done = await self._jobs.update_one(expected, {"$set": {name: getattr(job, name) for name in fields}})
        return bool(done.matched_count)


def _document(job: Backtest) -> Document:
    document: Document = asdict(job)
    document["_id"] = document.pop("job_id")
    order: dict[str, Any] = document["order"]
    order["documents"] = [list(pair) for pair in order["documents"]]
    order["remove"] = list(order["remove"])
    return document


def _job(document: Document) -> Backtest:
    fields = {name: value for name, value in document.items() if name not in {"_id", "expires", "order", "state"}}
    order = dict(document["order"])
    order["documents"] = tuple((rule_id, content) for rule_id, content in order["documents"])
    order["remove"] = tuple(order["remove"])
    return Backtest(job_id=document["_id"], order=BacktestOrder(**order), state=JobState(document["state"]), **fields)
