"""The guard's state in the document store, its lease, and what people may see of it.

Each scope's document holds its counts together with the offsets up to which they were counted, so that one write saves both. The
head says from where to read on, and is written last: what a scope has beyond it is skipped, record by record, when read again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon import mongo
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError
from rules.adapters.guard_codec import pack, pack_repeats, unpack, unpack_repeats
from rules.domain.guard.counts import Scope
from rules.domain.guard.repeats import Repeats
from rules.domain.guard.watch import HOLD, Watch, Watched
from rules.guarding import LostError

SCOPES, PARTITIONS, HEAD = "guard_scopes", "guard_partitions", "guard_head"

_LEASE, _OFFSETS = "lease", "offsets"


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        if mongo.is_transient(error):
            raise mongo.transient(error) from error
        raise


async def create_indexes(database: Database) -> None:
    """Create what the queries need. Raises Transient."""
    with _errors():
        await database[SCOPES].create_index([("brand", 1)])


class MongoLease:
    """At most one guard at a time is active. Clocks of replicas may differ by less than half of the lease."""

    def __init__(self, database: Database, name: str, seconds: float) -> None:
        self._head, self._name, self._seconds = database[HEAD], name, seconds

    async def take(self, now: datetime) -> bool:
        """Take or prolong the lease; False when another has it. Raises Transient."""
        mine: Document = {"_id": _LEASE, "$or": [{"holder": self._name}, {"until": {"$lte": now}}]}
        until = {"$set": {"holder": self._name, "until": now + timedelta(seconds=self._seconds)}}
        with _errors():
            try:
                return bool((await self._head.update_one(mine, until, upsert=True)).acknowledged)
            except DuplicateKeyError:
                return False

    async def give_back(self) -> None:
        """Let another take it at once. Raises Transient."""
        with _errors():
            await self._head.delete_one({"_id": _LEASE, "holder": self._name})


class MongoGuardStore:
    """Loads and saves a watch. Every write compares versions, so that a guard that was taken for dead overwrites nothing."""

    def __init__(self, database: Database) -> None:
        self._scopes, self._partitions, self._head = database[SCOPES], database[PARTITIONS], database[HEAD]

    async def load(self) -> tuple[Watch, dict[int, int]]:
        """Return the watch, and for each partition the next offset to read. Raises Transient."""
        with _errors():
            head = await self._head.find_one({"_id": _OFFSETS}) or {}
            scopes = await self._scopes.find({}).to_list(None)
            partitions = await self._partitions.find({}).to_list(None)
        watched = [unpack(one["_id"], one["state"], one["offsets"], one["version"]) for one in scopes]
        repeats = {one["_id"]: unpack_repeats(one["events"]) for one in partitions}
        return Watch(watched, repeats), {int(number): offset for number, offset in head.get("next", {}).items()}

    async def save(self, watched: Watched, as_of: float) -> None:
        """Save one scope. Raises LostError, Transient."""
        scope, version = watched.scope, watched.version
        document = {
            **_visible(watched, as_of),
            "brand": scope.brand,
            "state": pack(watched),
            "offsets": {str(partition): offset for partition, offset in watched.offsets.items()},
            "version": version + 1,
        }
        with _errors():
            try:
                await self._scopes.replace_one({"_id": scope.key, "version": version}, document, upsert=True)
            except DuplicateKeyError as error:
                if not await self._is_ours(scope, document):
                    raise LostError from error
        watched.version, watched.changed = version + 1, False

    async def _is_ours(self, scope: Scope, document: Document) -> bool:
        """Tell whether an earlier try of this very write took place and its answer was lost."""
        found = await self._scopes.find_one({"_id": scope.key}) or {}
        return all(found.get(name) == document[name] for name in ("version", "state", "offsets"))

    async def save_repeats(self, partition: int, repeats: Repeats) -> None:
        """Save which events a partition has told. Raises Transient."""
        with _errors():
            await self._partitions.replace_one({"_id": partition}, {"events": pack_repeats(repeats)}, upsert=True)

    async def save_head(self, next_offsets: Mapping[int, int]) -> None:
        """Save from where to read on; everything before is saved already. Never backwards. Raises Transient."""
        ahead = {f"next.{partition}": offset for partition, offset in next_offsets.items()}
        if ahead:
            with _errors():
                await self._head.update_one({"_id": _OFFSETS}, {"$max": ahead}, upsert=True)


def _visible(watched: Watched, as_of: float) -> Document:
    scope, look, incident = watched.scope, watched.look, watched.incident
    return {
        "as_of": datetime.fromtimestamp(as_of, UTC),
        "platform": scope.platform,
        "campaign": scope.campaign,
        "topic": scope.topic,
        "severity": look.severity if look is not None else 1,
        "seen": dict(look.document()) if look is not None else {},
        "crisis_since": datetime.fromtimestamp(incident.start, UTC) if incident is not None else None,
        "level": "" if incident is None else "hold" if incident.level >= HOLD else "notice",
    }


class MongoSights:
    """What people may see of the guard's state."""

    def __init__(self, database: Database) -> None:
        self._scopes = database[SCOPES]

    async def seen(self, brand: str) -> tuple[datetime | None, list[dict[str, Any]]]:
        """Return up to when it has looked, and each scope. Raises Transient."""
        hidden = {"state": 0, "offsets": 0, "version": 0, "_id": 0}
        with _errors():
            found = await self._scopes.find({"brand": brand}, hidden).to_list(None)
        return max((one["as_of"] for one in found), default=None), found
