"""Forgetting people in the ledger: what was done stays, to whom and in which words goes."""

from typing import Final

from antiphon.erasures import Forgotten
from antiphon.errors import Transient
from antiphon.mongo import Database, Document, PyMongoError, is_transient, transient
from publisher.adapters.documents import entry_of
from publisher.domain.changes import Suppress
from publisher.domain.model import Reason, State
from publisher.service.moves import Moves

_BLANK: Final[Document] = {"author": "", "text": "", "note": "", "detail": ""}
"""Fields of an entry that name a person or quote one."""

_OPEN: Final = (State.NEW, State.SENDING)
"""States in which the person is about to be addressed."""


class LedgerEraser:
    """Takes people out of `deliveries` and `threads`."""

    def __init__(self, database: Database, moves: Moves) -> None:
        self._entries, self._threads = database["deliveries"], database["threads"]
        self._moves = moves

    async def prepare(self) -> None:
        """Create what people are found by."""
        try:
            await self._entries.create_index([("brand", 1), ("platform", 1), ("author", 1)])
        except PyMongoError as error:
            raise transient(error) from error

    async def erase(self, person: Forgotten) -> None:
        """Send nothing more to a person, and blank the rest. Raises Transient, also while a send is under way."""
        theirs: Document = {"brand": person.brand, "platform": person.platform, "author": person.author}
        try:
            for document in await self._entries.find({**theirs, "state": {"$in": list(_OPEN)}}).to_list(None):
                await self._moves.apply(entry_of(document), Suppress(Reason.OPTED_OUT, "the person asked to be forgotten"))
            if await self._entries.find_one({**theirs, "state": {"$in": list(_OPEN)}}, {"_id": 1}):
                raise Transient("something is being sent to this person")
            await self._entries.update_many(theirs, {"$set": {**_BLANK, "older.$[].detail": ""}})
            # A private conversation is a thread that has the person's id.
            await self._threads.delete_one({"_id": f"{person.brand}\x1f{person.platform}\x1f{person.author}"})
        except PyMongoError as error:
            raise transient(error) if is_transient(error) else error from error
