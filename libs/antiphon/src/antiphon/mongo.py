"""The one place that knows the MongoDB driver.

Motor has reached its end of life; its successor has the same calls, so that replacing it is a change of this file.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern

from antiphon.errors import Transient
from antiphon.settings import MongoSettings

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]

DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)
"""Anything weaker loses acknowledged writes when the store is killed; 10 s is past any healthy election."""

DUPLICATE_KEY = 11000
"""The server's error code for a unique index's refusal."""

__all__ = [
    "DUPLICATE_KEY",
    "BulkWriteError",
    "Collection",
    "Database",
    "Document",
    "DuplicateKeyError",
    "PyMongoError",
    "classified",
    "connect",
    "insert_new",
    "is_transient",
    "ping",
    "transient",
]


def connect(settings: MongoSettings) -> tuple[AsyncIOMotorClient[Document], Database]:
    """Return a client (to be closed by the caller) and the database, with durable writes and majority reads."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        settings.mongo_uri.get_secret_value(),
        tz_aware=True,
        serverSelectionTimeoutMS=3_000,  # an API call may wait this long before it says 503
        connectTimeoutMS=3_000,
        socketTimeoutMS=20_000,
        appname="antiphon",
    )
    return client, client.get_database(settings.mongo_database, write_concern=DURABLE, read_concern=ReadConcern("majority"))


async def ping(database: Database) -> None:
    """Raise unless the store answers."""
    await database.command("ping")


_RETRY_SECONDS = 0.5
"""Between two tries at a store that is not there yet."""


def transient(error: PyMongoError) -> Transient:
    """Return the error as one to be retried, its message without addresses or credentials."""
    return Transient(f"the document store failed: {type(error).__name__}")


async def insert_new(collection: Collection, documents: list[Document]) -> set[Any]:
    """Insert those documents that are not there yet; return the `_id`s refused by a unique index.

    Idempotent however often it is repeated. Raises PyMongoError when the store fails for another reason.
    """
    if not documents:
        return set()
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failures = error.details.get("writeErrors", [])
        if error.details.get("writeConcernErrors") or any(f["code"] != DUPLICATE_KEY for f in failures):
            raise
        return {documents[f["index"]]["_id"] for f in failures}
    return set()


def is_transient(error: PyMongoError) -> bool:
    """Tell whether repeating the same call may succeed."""
    if isinstance(error, BulkWriteError):  # no document was refused: then it was the acknowledgement that is missing
        return not any(failure["code"] != DUPLICATE_KEY for failure in error.details.get("writeErrors", []))
    if isinstance(error, WriteConcernError | ExecutionTimeout):
        return True
    return isinstance(error, AutoReconnect) or not isinstance(error, OperationFailure | DuplicateKeyError)


def classified(error: PyMongoError) -> Exception:
    """Return what to raise: Transient for what may succeed later, else the error itself."""
    return transient(error) if is_transient(error) else error


async def prepare(*steps: Callable[[], Awaitable[None]]) -> None:
    """Take steps such as making indexes, one after the other, waiting for the store."""
    for step in steps:
        while True:
            try:
                await step()
                break
            except Transient:
                await asyncio.sleep(_RETRY_SECONDS)


async def prepare_and_stay(*steps: Callable[[], Awaitable[None]]) -> None:
    """Do as `prepare`, then stay, as a background task must."""
    await prepare(*steps)
    await asyncio.Event().wait()
