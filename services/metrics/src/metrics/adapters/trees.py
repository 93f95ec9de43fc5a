"""Cascades in MongoDB: one document for each root, with the hours that its nodes lie in and the shape of its tree."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from pymongo import UpdateOne

from antiphon.mongo import Database
from metrics.adapters.mongo import classified, within
from metrics.domain.periods import Scope
from metrics.ports import Tree, TreeState

_HOUR: Final = "%Y-%m-%dT%H"


class MongoTrees:
    """`_id`: brand and root."""

    def __init__(self, database: Database) -> None:
        self._trees = database["kpi_trees"]

    @classified
    async def prepare(self) -> None:
        """Create the indexes that are missing. Raises Transient."""
        await self._trees.create_index([("brand", 1), ("last", 1)])

    @classified
    async def touch(self, brand: str, roots: Sequence[str], hour: datetime, token: str) -> list[TreeState]:
        """Note that these roots have nodes in an hour; return what is known of each afterwards."""
        ids = {f"{brand}/{root}": root for root in roots}
        if not ids:
            return []
        change = {f"hours.{hour.astimezone(UTC):{_HOUR}}": token}
        await self._trees.bulk_write(
            [UpdateOne({"_id": one}, {"$set": {"brand": brand, **change}, "$inc": {"revision": 1}}, upsert=True) for one in ids],
            ordered=False,
        )
        cursor = self._trees.find({"_id": {"$in": list(ids)}}, {"hours": 1, "revision": 1})
        return [
            TreeState(
                ids[kept["_id"]],
                kept["revision"],
                {datetime.strptime(name, _HOUR).replace(tzinfo=UTC): token for name, token in kept["hours"].items()},
            )
            async for kept in cursor
        ]

    @classified
    async def put_trees(self, trees: Sequence[tuple[Tree, int]]) -> None:
        """Keep trees, each unless its revision is another by now."""
        changes = [
            UpdateOne(
                {"_id": f"{tree.brand}/{tree.root}", "revision": revision},
                {"$set": {"tree": asdict(tree), "last": datetime.fromtimestamp(tree.last_ms / 1000, UTC)}},
            )
            for tree, revision in trees
        ]
        if changes:
            await self._trees.bulk_write(changes, ordered=False)

    @classified
    async def largest(self, scope: Scope, count: int) -> list[Tree]:
        """Return the largest trees with a node in the period, largest first."""
        cursor = self._trees.find(within(scope, "last"), {"tree": 1}).sort([("tree.size", -1), ("_id", 1)]).limit(count)
        return [Tree(**kept["tree"]) async for kept in cursor]
