"""People: pseudonyms in place of their ids, and the names that platforms show for them."""

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from antiphon.mongo import Database, Document, PyMongoError, insert_new, transient

PEOPLE: Final = "kpi_people"
"""Pseudonym → the name that a platform shows; deleting a document here makes the pseudonym nameless for good.

Erasing a person = a random pseudonym in its place in the pages of facts, a mark on each hour concerned (its bucket is then
rebuilt with the same totals), and its documents here gone. Buckets hold nothing that is not in the pages.
"""

_KNOWN_MOST = 200_000
"""People remembered as written already, for each process: 20 MB or so; one who is forgotten is offered to the store again."""

_NAME_MOST = 200


class Pseudonyms:
    """Keyed BLAKE2b of brand, platform and author: the same person in a brand, nobody across brands, no way back without the
    key.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._new: dict[tuple[str, int], str] = {}

    def of(self, brand: str, platform: str, author: str) -> int | None:
        """Return the pseudonym, 63 bits; None without an author.

        Among a million people of a brand the chance that two share one is 5 in 100 million.
        """
        if not author:
            return None
        text = f"{brand}\0{platform}\0{author}".encode()
        return int.from_bytes(blake2b(text, digest_size=8, key=self._key).digest()) >> 1

    def saw(self, brand: str, person: int, name: str) -> None:
        """Note the name that a platform shows for a person."""
        if name and (brand, person) not in self._known:
            self._new[brand, person] = name[:_NAME_MOST]

    def forget(self, brand: str, person: int) -> None:
        """Know a person no more; the next sight is the first."""
        self._known.pop((brand, person), None)
        self._new.pop((brand, person), None)

    def new(self) -> dict[tuple[str, int], str]:
        """Return those seen that are not known to be in the store."""
        return dict(self._new)

    def written(self, people: Iterable[tuple[str, int]]) -> None:
        """Remember that these are in the store."""
        for one in people:
            self._new.pop(one, None)
            self._known[one] = None
        while len(self._known) > _KNOWN_MOST:
            self._known.popitem(last=False)


class MongoPeople:
    """The names that platforms show for pseudonyms."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms) -> None:
        self._collection = database[PEOPLE]
        self._pseudonyms = pseudonyms

    async def keep_new(self) -> None:
        """Write the names seen that are not in the store yet. Raises Transient."""
        new = self._pseudonyms.new()
        documents: list[Document] = [
            {"_id": f"{brand}/{person}", "brand": brand, "person": person, "name": name} for (brand, person), name in new.items()
        ]
        try:
            await insert_new(self._collection, documents)
        except PyMongoError as error:
            raise transient(error) from error
        self._pseudonyms.written(new)

    async def names(self, people: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Return the names of those that have one. Raises Transient."""
        wanted = [f"{brand}/{person}" for brand, person in people]
        try:
            found = await self._collection.find({"_id": {"$in": wanted}}).to_list(None) if wanted else []
        except PyMongoError as error:
            raise transient(error) from error
        return {(item["brand"], item["person"]): item["name"] for item in found}
