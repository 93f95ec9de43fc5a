"""The archive by person: everything that is kept about one, and forgetting one."""

import zlib
from collections.abc import AsyncIterator, Sequence

from antiphon.erasures import Forgotten
from antiphon.mongo import Database
from antiphon.persons import PersonIndex
from antiphon.topics import record_key
from antiphon.v1.decision_pb2 import Decision
from rules.adapters.history.archive import COLLECTION, DECIDED, author_of, forget, store_errors
from rules.adapters.history.backtest_jobs import RESULTS
from rules.adapters.history.blocks import unpack
from rules.adapters.history.views import MongoHistory
from rules.ports import Recorded


class MongoPersonHistory:
    """Reads blocks by the people in them."""

    def __init__(self, database: Database, history: MongoHistory, index: PersonIndex) -> None:
        self._collection = database[COLLECTION]
        self._history, self._index = history, index

    async def of_person(self, brand: str, platform: str, author: str) -> AsyncIterator[Recorded]:
        """Yield every decision on an event of the person, oldest block first. Raises Transient."""
        keys = {record_key(brand, part) for part in parts(self._index, brand, platform, author)}
        query = {"brand": brand, "topic": DECIDED, "authors": {"$in": [author_of(key) for key in sorted(keys)]}}
        with store_errors():
            blocks = await self._collection.find(query, {"records": 1}).sort("until_time", 1).to_list(None)
        for block in blocks:
            messages = [Decision.FromString(raw.value) for raw in unpack(block["records"]) if raw.key in keys]
            for recorded in await self._history.whole(brand, messages):
                if recorded.decision.event.platform == platform:  # a plain key may stand for people of two platforms
                    yield recorded


class ArchiveEraser:
    """Forgets people in the archive and in what was made from it."""

    def __init__(self, database: Database) -> None:
        self._blocks, self._results = database[COLLECTION], database[RESULTS]

    async def erase(self, person: Forgotten) -> None:
        """Remove a person's records, and the results of back-tests that quote them. Raises Transient."""
        gone: set[str] = set()
        for part in sorted({person.reference, person.author}):
            gone |= await forget(self._blocks, person.brand, part)
        if gone:
            await self._drop_results(person.brand, gone)

    async def _drop_results(self, brand: str, events: set[str]) -> None:
        wanted = [event.encode() for event in events]
        with store_errors():
            async for result in self._results.find({"brand": brand}):
                content = zlib.decompress(result["result"])
                if any(event in content for event in wanted):
                    await self._results.delete_one({"_id": result["_id"]})


def parts(index: PersonIndex, brand: str, platform: str, author: str) -> Sequence[str]:
    """Return what may stand for a person in record keys: the reference, and the plain id of a time without `PERSON_KEY`."""
    return sorted({index.reference(brand, platform, author), author})
