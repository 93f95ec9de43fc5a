"""Hours and their marks in MongoDB, and what all stores here share: errors by their remedy, conditions for periods."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from pymongo import UpdateOne

from antiphon.errors import Transient
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError, is_transient, transient
from metrics.adapters.documents import SHAPE, pack, unpack
from metrics.domain.hour import PARTS, Hour
from metrics.domain.periods import Scope, floor
from metrics.ports import HourKey, Mark

_TOO_SLOW = 50
"""The server's error code for a query that used up its time."""

P = ParamSpec("P")
R = TypeVar("R")


def classified(call: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make a method raise Transient for what may succeed later."""

    @wraps(call)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except PyMongoError as error:
            if getattr(error, "code", None) == _TOO_SLOW:
                raise Transient("the period holds too much for one report: ask for a shorter one") from error
            if is_transient(error):
                raise transient(error) from error
            raise

    return wrapped


def one_of(brands: frozenset[str] | None) -> Document | str:
    """Return the condition for a document's brand; None: every brand."""
    if brands is None:
        return {"$gt": ""}  # true of every brand, and lets an index on (brand, …) skip from brand to brand
    if len(brands) == 1:
        return next(iter(brands))  # not every store reads an index for `$in` in front of a range
    return {"$in": sorted(brands)}


def within(scope: Scope, moment: str) -> Document:
    """Return the condition for a period of brands; `moment` names the field."""
    return {"brand": one_of(scope.brands), moment: {"$gte": scope.start, "$lt": scope.end}}


class MongoHours:
    """Hours and their marks. `_id` of both: brand and hour."""

    def __init__(self, database: Database, *, timeout_ms: int) -> None:
        self._buckets = database["kpi_hours"]
        self._marks = database["kpi_marks"]
        self._timeout_ms = timeout_ms

    @classified
    async def prepare(self) -> None:
        """Create the indexes that are missing. Raises Transient."""
        for collection in (self._buckets, self._marks):
            await collection.create_index([("brand", 1), ("hour", 1)])

    @classified
    async def raise_marks(self, hours: Iterable[HourKey], token: str) -> None:
        """Mark hours with a token; durable when it returns."""
        changes = [
            UpdateOne({"_id": _id(brand, hour)}, {"$set": {"brand": brand, "hour": hour, "token": token}}, upsert=True)
            for brand, hour in sorted(hours)
        ]
        if changes:
            await self._marks.bulk_write(changes, ordered=False)

    @classified
    async def marks(self) -> list[Mark]:
        """Return all marks."""
        return [Mark(kept["brand"], kept["hour"], kept["token"]) async for kept in self._marks.find({})]

    @classified
    async def clear(self, mark: Mark) -> None:
        """Remove a mark unless it was raised again meanwhile."""
        await self._marks.delete_one({"_id": _id(mark.brand, mark.hour), "token": mark.token})

    @classified
    async def dirty(self, scope: Scope) -> set[HourKey]:
        """Return the marked hours that a period touches."""
        touched = Scope(scope.brands, floor(scope.start), scope.end)
        return {(kept["brand"], kept["hour"]) async for kept in self._marks.find(within(touched, "hour"))}

    @classified
    async def basis(self, brand: str, hour: datetime) -> str | None:
        """Return the token that an hour's bucket was built with; None: there is no bucket."""
        kept = await self._buckets.find_one({"_id": _id(brand, hour)}, {"token": 1})
        return kept["token"] if kept else None

    @classified
    async def put(self, mark: Mark, hour: Hour, basis: str | None) -> bool:
        """Keep an hour if its bucket is still what `basis` says; tell whether it was."""
        bucket = {"_id": _id(mark.brand, mark.hour), "brand": mark.brand, "hour": mark.hour, "token": mark.token, **pack(hour)}
        if basis is not None:
            done = await self._buckets.replace_one({"_id": bucket["_id"], "token": basis}, bucket)
            return done.matched_count == 1
        try:
            await self._buckets.insert_one(bucket)
        except DuplicateKeyError:
            return False
        return True

    @classified
    async def hours(self, scope: Scope, parts: Sequence[str]) -> list[tuple[str, datetime, Hour]]:
        """Return the buckets that begin in a period, with these parts. Raises Transient also for those of another release."""
        shown: Any = {"brand": 1, "hour": 1, "shape": 1, **dict.fromkeys(parts, 1)} if len(parts) < len(PARTS) else None
        cursor = self._buckets.find(within(scope, "hour"), shown, max_time_ms=self._timeout_ms, batch_size=1_000)
        found = [kept async for kept in cursor]
        if foreign := [(kept["brand"], kept["hour"]) for kept in found if kept.get("shape") != SHAPE]:
            await self.raise_marks(foreign, uuid4().hex)  # first: an hour without bucket and mark would read as nothing
            await self._buckets.delete_many({"_id": {"$in": [_id(*one) for one in foreign]}, "shape": {"$ne": SHAPE}})
            raise Transient(f"hours that another release has built are built again ({len(foreign)}): ask once more")
        return [(kept["brand"], kept["hour"], unpack(kept, parts)) for kept in found]


def _id(brand: str, hour: datetime) -> str:
    return f"{brand}/{hour.astimezone(UTC):%Y-%m-%dT%H}"
