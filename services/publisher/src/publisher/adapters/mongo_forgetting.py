"""Forgetting people in the ledger: what was done stays, to whom and in which words goes."""

from collections.abc import Sequence
from typing import Final

from antiphon.erasures import Forgotten
from antiphon.errors import Transient
from antiphon.mongo import Database, Document, PyMongoError, classified, transient
from publisher.adapters.documents import entry_of
from publisher.adapters.entry_documents import entry_of as read_entry
from publisher.domain.changes import Suppress
from publisher.domain.entries.caps import person_key
from publisher.domain.entries.changes import Gone
from publisher.domain.entries.model import CampaignEntry, Why
from publisher.domain.model import Reason, State
from publisher.entry_ports import MediaStore
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.removing import Removals
from publisher.service.moves import Moves

_BLANK: Final[Document] = {"author": "", "text": "", "note": "", "detail": ""}
"""Fields of an entry that name a person or quote one."""

_OPEN: Final = (State.NEW, State.SENDING, State.WAITING_APPROVAL)
"""States in which the person is about to be addressed."""

_BLANK_ENTRY: Final[Document] = {
    "author": "",
    "handle": "",
    "text": "",
    "detail": "",
    "hashtags": [],
    "friends": [],
    "refs": [],
    "media": [],
    "flags.$[].detail": "",
    "evidence.$[].detail": "",
}
"""The same of an entry to a campaign."""


class EntryEraser:
    """Takes people out of `entries`: nothing of theirs is shown any more, and media that only they entered are removed."""

    def __init__(self, database: Database, moves: EntryMoves, removals: Removals, media: MediaStore) -> None:
        self._entries, self._limits = database["entries"], database["limits"]
        self._moves, self._removals, self._media = moves, removals, media

    async def erase(self, person: Forgotten) -> None:
        """End rights and uses, then blank. Raises Transient.

        Blanking comes last, for it takes away what the rest is found by; a new revision, so that no older copy is saved over it.
        """
        theirs: Document = {"brand": person.brand, "platform": person.platform, "author": person.author}
        try:
            ended = [await self._end(read_entry(document)) for document in await self._entries.find(theirs).to_list(None)]
            await self._remove_media(ended)
            await self._limits.delete_many({"_id": {"$in": sorted({person_key(entry.capture) for entry in ended})}})
            await self._entries.update_many(theirs, {"$set": _BLANK_ENTRY, "$inc": {"revision": 1}})
        except PyMongoError as error:
            raise classified(error) from error

    async def _end(self, entry: CampaignEntry) -> CampaignEntry:
        return await self._removals.after(await self._moves.apply(entry, Gone(Why.FORGOTTEN)) or entry)

    async def _remove_media(self, entries: Sequence[CampaignEntry]) -> None:
        ids = [entry.entry_id for entry in entries]
        for sha256 in sorted({medium.sha256 for entry in entries for medium in entry.standing.media if medium.sha256}):
            if await self._entries.find_one({"media.sha256": sha256, "_id": {"$nin": ids}}, {"_id": 1}) is None:
                await self._media.remove(sha256)


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
            raise classified(error) from error
