"""What the first release has recorded: one document for each fact. It is put into pages once, when a later one starts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from antiphon.mongo import Collection, Database, Document
from metrics.adapters.pages import PAGE_MOST, Row, key_of
from metrics.domain.facts import DecisionFact, DeliveryFact, EntryFact, EventFact, Fact

SINGLES: Final[Mapping[type[Fact], str]] = {
    EventFact: "kpi_events",
    DecisionFact: "kpi_decisions",
    DeliveryFact: "kpi_deliveries",
    EntryFact: "kpi_entries",
}

Keep = Callable[[type[Fact], Sequence[Row]], Awaitable[object]]
"""Records rows; those that are there already are passed over."""


async def take_singles(database: Database, keep: Keep) -> None:
    """Put single records into pages until none is left. Whatever ends it, it goes on where it was: what was kept is kept once."""
    for kind, name in SINGLES.items():
        while found := await _oldest(database[name]):
            await keep(kind, [_row(single) for single in found])
            await database[name].delete_many({"_id": {"$in": [single["_id"] for single in found]}})


async def _oldest(collection: Collection) -> list[Document]:
    return await collection.find({}).sort([("brand", 1), ("event_time", 1)]).limit(PAGE_MOST).to_list(None)


def _row(single: Document) -> Row:
    moment = single["event_time"]
    told: dict[str, Any] = {**orjson.loads(single["told"]), "event_time": moment.isoformat()}
    return Row(key_of(single["_id"]), single["brand"], moment, single.get("person"), orjson.dumps(told))
