"""Answers kept for requests that come again: see `antiphon.idempotency`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import orjson
from pydantic import SecretStr

from antiphon.clock import Clock
from antiphon.mongo import Database, Document, DuplicateKeyError, PyMongoError, classified, transient
from antiphon.problems import Problem
from antiphon.seal import Sealer, SealError

KEPT = timedelta(hours=24)
"""A client that has not tried again within a day does not try again; longer fills the store."""

RUNNING = timedelta(seconds=60)
"""A first request without an answer for this long died with its process: the next one takes its place."""

_MOST_BYTES = 2**20
"""A larger answer is not kept: its request counts as done, and is answered 409 when it comes again."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request by its `name` (caller and key) and what it asks for; `attempt` tells one try from another."""

    name: str
    fingerprint: str
    attempt: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer: status, headers, body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answers(Protocol):
    """Keeps answers. Every method raises Transient when the store is away."""

    async def begin(self, ticket: Ticket) -> Answer | None:
        """Take the place of the first one, or return its answer. Raises Problem (422 other request, 409 running or lost)."""
        ...

    async def finish(self, ticket: Ticket, answer: Answer) -> None:
        """Keep the answer."""
        ...

    async def forget(self, ticket: Ticket) -> None:
        """Give the place back: nothing was done."""
        ...


class MongoAnswers:
    """Answers in a collection of the service's own."""

    def __init__(self, database: Database, service: str, sealer: Sealer, clock: Clock) -> None:
        self._collection = database[f"{service}_answers"]
        self._sealer = sealer
        self._clock = clock

    async def prepare(self) -> None:
        """Create the index by which the store forgets. Raises Transient."""
        try:
            await self._collection.create_index([("expires", 1)], expireAfterSeconds=0)
        except PyMongoError as error:
            raise transient(error) from error

    async def begin(self, ticket: Ticket) -> Answer | None:
        """Take the place of the first one, or return its answer."""
        now = self._clock.now()
        place = {
            "fingerprint": ticket.fingerprint,
            "attempt": ticket.attempt,
            "sealed": None,
            "done": False,
            "expires": now + RUNNING,
        }
        try:
            await self._collection.insert_one({"_id": ticket.name, **place})
        except DuplicateKeyError:
            return await self._known(ticket, place, now)
        except PyMongoError as error:
            raise classified(error) from error
        return None

    async def _known(self, ticket: Ticket, place: Document, now: datetime) -> Answer | None:
        try:
            taken = await self._collection.find_one_and_update(
                {"_id": ticket.name, "expires": {"$lte": now}}, {"$set": place}, projection={"_id": 1}
            )
            found = None if taken else await self._collection.find_one({"_id": ticket.name})
        except PyMongoError as error:
            raise classified(error) from error
        if taken:
            return None
        if found is None:  # given back, or forgotten, between the two looks
            raise _running()
        return self._answer(ticket, found)

    def _answer(self, ticket: Ticket, found: Document) -> Answer:
        if found["fingerprint"] != ticket.fingerprint:
            raise Problem(
                422, "idempotency_key_reused", "This Idempotency-Key belongs to another request; take a new one for each request."
            )
        if not found["done"]:
            raise _running()
        try:
            status, headers, body = orjson.loads(self._sealer.open(found["sealed"] or "", ticket.name).get_secret_value())
        except SealError as error:
            raise Problem(
                409, "answer_lost", "This request was done, but its answer is not kept; read what it changed instead."
            ) from error
        return Answer(status, [(name.encode(), value.encode("latin-1")) for name, value in headers], body.encode())

    async def finish(self, ticket: Ticket, answer: Answer) -> None:
        """Keep the answer, sealed."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
        sealed = None
        if len(answer.body) <= _MOST_BYTES:
            plain = orjson.dumps([answer.status, headers, answer.body.decode()])
            sealed = self._sealer.seal(SecretStr(plain.decode()), ticket.name)
        done = {"sealed": sealed, "done": True, "expires": self._clock.now() + KEPT}
        try:
            await self._collection.update_one(_mine(ticket), {"$set": done})
        except PyMongoError as error:
            raise classified(error) from error

    async def forget(self, ticket: Ticket) -> None:
        """Give the place back."""
        try:
            await self._collection.delete_one(_mine(ticket))
        except PyMongoError as error:
            raise classified(error) from error


def _mine(ticket: Ticket) -> Document:
    return {"_id": ticket.name, "attempt": ticket.attempt, "done": False}


def _running() -> Problem:
    return Problem(
        409,
        "still_running",
        "A request with this Idempotency-Key is still running; repeat it in a moment.",
        headers={"Retry-After": "1"},
    )
