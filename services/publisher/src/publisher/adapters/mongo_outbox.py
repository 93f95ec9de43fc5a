"""Which announcements are under way, in MongoDB: collection `outbox`.

Before entries reach states that people hear of, one note with all their ids is stored; when the last of their
announcements has left, it is removed. A crash in between leaves the note, and whoever finds it announces what its
entries then say. So an announcement costs a share of two small writes, not one of its own, and none is lost; one too
many is harmless, because each carries its sequence.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from antiphon.mongo import Database, Document, PyMongoError

Name = tuple[str, int]
"""Action id and sequence of one announcement."""

BARREN_SECONDS = 120.0
"""A note whose entries have nothing to tell is kept this long: the save it was made for may still be on its way."""


@dataclass(slots=True)
class Note:
    """One note of this process; `open` are its announcements that have not left yet."""

    note_id: str
    open: set[Name] = field(default_factory=set)


def note_id(at: float) -> str:
    """Return an id that sorts by time."""
    return f"{at:020.6f}-{uuid.uuid4().hex}"


class Notes:
    """The notes of this process, and those that others left behind."""

    def __init__(self, database: Database) -> None:
        self._stored = database["outbox"]
        self._notes: dict[str, Note] = {}
        self._by_name: dict[Name, list[Note]] = {}

    async def make(self, names: Sequence[Name], at: float) -> Note:
        """Store a note before the entries are saved."""
        note = Note(note_id(at), set(names))
        self._keep(note)
        try:
            await self._stored.insert_one({"_id": note.note_id, "ids": [name for name, _ in names]})
        except BaseException:
            self.leave(note)
            raise
        return note

    def _keep(self, note: Note) -> None:
        self._notes[note.note_id] = note
        for name in note.open:
            self._by_name.setdefault(name, []).append(note)

    def leave(self, note: Note) -> None:
        """Let the note be found by a sweep: what became of its entries is not known here."""
        self._notes.pop(note.note_id, None)
        for name in note.open:
            self._unlink(name, note)

    def _unlink(self, name: Name, note: Note) -> None:
        others = [other for other in self._by_name.get(name, []) if other is not note]
        if others:
            self._by_name[name] = others
        else:
            self._by_name.pop(name, None)

    async def done(self, names: Sequence[Name]) -> None:
        """Take announcements that have left off all notes, and remove the notes that are empty by that."""
        pairs = [(name, note) for name in names for note in self._by_name.get(name, [])]
        await self.remove([note.note_id for name, note in pairs if self._taken_off(name, note)])

    async def drop(self, note: Note, names: Sequence[Name]) -> None:
        """Take off one note what it was not needed for."""
        await self.remove([note.note_id for name in names if self._taken_off(name, note)])

    def _taken_off(self, name: Name, note: Note) -> bool:
        note.open.discard(name)
        self._unlink(name, note)
        return not note.open and self._notes.pop(note.note_id, None) is not None

    async def remove(self, note_ids: Sequence[str]) -> None:
        """Remove notes; one that stays for a failure of the store is found by a sweep and announced once more."""
        if note_ids:
            with suppress(PyMongoError):
                await self._stored.delete_many({"_id": {"$in": list(note_ids)}})

    async def left_behind(self, before: float, limit: int) -> Sequence[Document]:
        """Return notes older than a moment that are not this process's own."""
        query: Document = {"_id": {"$lt": f"{before:020.6f}"}}
        found = await self._stored.find(query).sort("_id", 1).to_list(limit + len(self._notes))
        return [document for document in found if document["_id"] not in self._notes][:limit]

    def adopt(self, stored_id: str, names: Sequence[Name]) -> None:
        """Take over a note that was left behind, with what its entries have to tell."""
        self._keep(Note(stored_id, set(names)))
