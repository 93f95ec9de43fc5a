"""Counts of facts by aggregation in MongoDB; exact, and small whatever the period holds."""

from collections.abc import Sequence
from datetime import datetime

from antiphon.errors import Transient
from antiphon.mongo import Database, Document, PyMongoError, transient
from metrics.adapters.mongo import DECISIONS, DELIVERIES, EVENTS
from metrics.domain.counts import DecisionCounts, DeliveryCount, DeliveryCounts, EventCount, Histogram, PairCount, Scope
from metrics.domain.facts import POSTED
from metrics.domain.summary import ANSWERS

_SUM_ONE: Document = {"$sum": 1}

_EVENT_SIDE, _DECISION_SIDE = 1, 2
"""Each id occurs once on each side, so that a sum tells on which sides it is."""

_TOO_SLOW = 50
"""The server's error code for a query that used up its time."""


class MongoFactCounts:
    """Answers in the store; only distinct combinations and distinct milliseconds travel."""

    def __init__(self, database: Database, *, timeout_ms: int) -> None:
        self._database = database
        self._timeout_ms = timeout_ms

    async def events(self, scope: Scope) -> Sequence[EventCount]:
        """Return the events by sort. Raises Transient."""
        sort = {name: f"${name}" for name in ("platform", "kind", "verb", "echo")}
        rows = await self._aggregate(EVENTS, [_match(scope), {"$group": {"_id": sort, "count": _SUM_ONE}}])
        return [EventCount(**row["_id"], count=row["count"]) for row in rows]

    async def decisions(self, scope: Scope) -> DecisionCounts:
        """Return the decisions by outcome, with their rules' reasons and their actions. Raises Transient."""
        facets = {
            "outcomes": [_pairs("$outcome", "$reason")],
            "rules": [
                {"$unwind": "$rule_reasons"},
                {"$group": {"_id": "$rule_reasons.reason", "count": {"$sum": "$rule_reasons.count"}}},
            ],
            "actions": [{"$unwind": "$actions"}, _pairs("$actions.kind", "$actions.mode")],
        }
        [row] = await self._aggregate(DECISIONS, [_match(scope), {"$facet": facets}])
        return DecisionCounts(
            outcomes=[_pair(item) for item in row["outcomes"]],
            rule_reasons={item["_id"]: item["count"] for item in row["rules"]},
            actions=[_pair(item) for item in row["actions"]],
        )

    async def deliveries(self, scope: Scope) -> DeliveryCounts:
        """Return the actions by their latest delivery. Raises Transient."""
        latest = {"state": "$state", "reason": "$reason", "kind": "$kind", "event": "$event_id"}
        by_person = {"$or": [{"$eq": ["$state", "waiting_approval"]}, {"$eq": ["$mode", "approval"]}]}
        per_action: Document = {
            "_id": "$action_id",
            "latest": {"$top": {"sortBy": {"sequence": -1}, "output": latest}},
            "approved": {"$max": by_person},
        }
        key = {"state": "$latest.state", "reason": "$latest.reason", "kind": "$latest.kind", "approved": "$approved"}
        facets = {
            "latest": [{"$group": {"_id": key, "count": _SUM_ONE}}],
            "answered": [
                {"$match": {"latest.state": POSTED, "latest.kind": {"$in": sorted(ANSWERS)}}},
                {"$group": {"_id": "$latest.event"}},
                {"$count": "count"},
            ],
        }
        [row] = await self._aggregate(DELIVERIES, [_match(scope), {"$group": per_action}, {"$facet": facets}])
        return DeliveryCounts(
            latest=[DeliveryCount(**item["_id"], count=item["count"]) for item in row["latest"]],
            answered=row["answered"][0]["count"] if row["answered"] else 0,
        )

    async def posted_ms(self, scope: Scope) -> Histogram:
        """Return platform time → posted in milliseconds, once for each action. Raises Transient."""
        match = _match(scope, pipeline_ms={"$gte": 0})
        return await self._histogram(
            DELIVERIES, [match, {"$group": {"_id": "$action_id", "ms": {"$min": "$pipeline_ms"}}}], "$ms"
        )

    async def decided_ms(self, scope: Scope) -> Histogram:
        """Return received → decided in milliseconds. Raises Transient."""
        return await self._histogram(DECISIONS, [_match(scope, decide_ms={"$gte": 0})], "$decide_ms")

    async def undecided(self, scope: Scope, received_before: datetime) -> int:
        """Return the number of events received before that moment on which there is no decision. Raises Transient."""
        # Two scans of an index and one grouping: a lookup for each event would take three times as long.
        decided = [_match(scope), {"$project": {"side": {"$literal": _DECISION_SIDE}}}]
        pipeline: list[Document] = [
            _match(scope, received_time={"$lt": received_before}),
            {"$project": {"side": {"$literal": _EVENT_SIDE}}},
            {"$unionWith": {"coll": DECISIONS, "pipeline": decided}},
            {"$group": {"_id": "$_id", "sides": {"$sum": "$side"}}},
            {"$match": {"sides": _EVENT_SIDE}},
            {"$count": "count"},
        ]
        rows = await self._aggregate(EVENTS, pipeline)
        return int(rows[0]["count"]) if rows else 0

    async def _histogram(self, collection: str, pipeline: Sequence[Document], value: str) -> Histogram:
        stages = [*pipeline, {"$group": {"_id": value, "count": _SUM_ONE}}, {"$sort": {"_id": 1}}]
        histogram = Histogram()
        try:
            async for row in self._database[collection].aggregate(stages, allowDiskUse=True, maxTimeMS=self._timeout_ms):
                histogram.add(row["_id"], row["count"])
        except PyMongoError as error:
            raise _classified(error) from error
        return histogram

    async def _aggregate(self, collection: str, pipeline: Sequence[Document]) -> list[Document]:
        """Return a result that is small by construction: rows are combinations of words from closed sets."""
        try:
            cursor = self._database[collection].aggregate(pipeline, allowDiskUse=True, maxTimeMS=self._timeout_ms)
            return await cursor.to_list(None)
        except PyMongoError as error:
            raise _classified(error) from error


def _match(scope: Scope, **also: object) -> Document:
    # `> ""` is true of every brand, and lets the index on (brand, event_time) skip from brand to brand.
    brand: Document = {"$gt": ""} if scope.brands is None else {"$in": sorted(scope.brands)}
    return {"$match": {"brand": brand, "event_time": {"$gte": scope.start, "$lt": scope.end}, **also}}


def _pairs(first: str, second: str) -> Document:
    return {"$group": {"_id": {"first": first, "second": second}, "count": _SUM_ONE}}


def _pair(item: Document) -> PairCount:
    return PairCount(item["_id"]["first"], item["_id"]["second"], item["count"])


def _classified(error: PyMongoError) -> Transient:
    if getattr(error, "code", None) == _TOO_SLOW:
        return Transient("the period holds too much for one report: ask for a shorter one")
    return transient(error)
