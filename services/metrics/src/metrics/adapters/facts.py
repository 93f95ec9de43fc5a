"""Facts in MongoDB: in pages that are inserted once, and that change only where a person is forgotten."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from antiphon.errors import Transient
from antiphon.mongo import Collection, Database, Document, insert_new
from metrics.adapters.mongo import classified, within
from metrics.adapters.pages import COLLECTIONS, PERSONAL, Row, facts_of, pages, row_of
from metrics.domain.facts import Fact
from metrics.domain.periods import Scope, floor
from metrics.ports import HourKey

PERIOD_INDEX: Final = [("brand", 1), ("hour", 1)]
"""Every question is about a period of a brand."""


class MongoFactStore:
    """Records facts, one collection for each type."""

    def __init__(self, database: Database, *, timeout_ms: int) -> None:
        self._collections: dict[type[Fact], Collection] = {kind: database[name] for kind, name in COLLECTIONS.items()}
        self._timeout_ms = timeout_ms

    @classified
    async def prepare(self) -> None:
        """Create the indexes that are missing. Raises Transient."""
        for collection in self._collections.values():
            await collection.create_index(PERIOD_INDEX)
            await collection.create_index("keys", unique=True)  # what keeps a fact from being recorded twice, whoever writes it

    @classified
    async def add(self, facts: Sequence[Fact]) -> set[str]:
        """Record facts of one type, each with an id of its own; return the ids that were there already.

        Raises Transient when the store is away, PyMongoError when it can never take these.
        """
        if not facts:
            return set()
        rows = {fact.fact_id: row_of(fact) for fact in facts}
        known = await self._keep(type(facts[0]), list(rows.values()))
        return {fact_id for fact_id, row in rows.items() if row.key in known}

    async def _keep(self, kind: type[Fact], rows: Sequence[Row]) -> set[bytes]:
        """Record rows; return the keys of those that were there already.

        A page with a known fact is refused as a whole: what is new in it goes into another one.
        """
        known: set[bytes] = set()
        while rows:
            made = pages(kind, rows)
            ids = await insert_new(self._collections[kind], made)
            refused = [page for page in made if page["_id"] in ids]
            left = {key for page in refused for key in page["keys"]}
            found = await self._known(kind, left, {(page["brand"], page["hour"]) for page in refused})
            if left and not found:
                raise Transient("another worker is recording the same facts")  # its pages are not durable yet
            known |= found
            rows = [row for row in rows if row.key in left - found]
        return known

    async def _known(self, kind: type[Fact], keys: set[bytes], hours: set[HourKey]) -> set[bytes]:
        """Return which of the keys are there: those in their hours, or if there are none those in any other hour.

        A fact nearly always comes again as it was, and not every store finds many keys at once by an index.
        """
        found: set[bytes] = set()
        for brand, hour in hours:
            found |= keys & await self._keys(kind, {"brand": brand, "hour": hour})
        if keys and not found:
            found = keys & await self._keys(kind, {"keys": {"$in": sorted(keys)}})
        return found

    async def _keys(self, kind: type[Fact], wanted: Document) -> set[bytes]:
        return {key async for page in self._collections[kind].find(wanted, {"keys": 1}) for key in page["keys"]}

    @classified
    async def records(self, scope: Scope) -> list[Fact]:
        """Return all facts of a period. Raises Transient."""
        touched = within(Scope(scope.brands, floor(scope.start), scope.end), "hour")
        found: list[Fact] = []
        for kind, collection in self._collections.items():
            async for page in collection.find(touched, {"keys": 0}, max_time_ms=self._timeout_ms):
                found += [fact for fact in facts_of(kind, page) if scope.start <= fact.event_time < scope.end]
        return found

    async def about(self, brand: str, person: int, *, told: bool = True) -> AsyncIterator[tuple[type[Fact], Document]]:
        """Yield the pages with facts about a person, if asked without what they tell. Raises Transient, PyMongoError."""
        shown = {"keys": 0} if told else {"hour": 1}
        for kind in PERSONAL:
            async for page in self._collections[kind].find({"brand": brand, "people": person}, shown):
                yield kind, page

    @classified
    async def hours_about(self, brand: str, person: int) -> set[HourKey]:
        """Return the hours with facts about a person. Raises Transient."""
        return {(brand, page["hour"]) async for _, page in self.about(brand, person, told=False)}

    @classified
    async def replace(self, brand: str, person: int, other: int) -> None:
        """Put another pseudonym in a person's place. Raises Transient; to be repeated then."""
        for kind in PERSONAL:
            await self._collections[kind].update_many(
                {"brand": brand, "people": person},
                {"$set": {"people.$[theirs]": other}},
                array_filters=[{"theirs": person}],
            )
