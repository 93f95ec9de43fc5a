"""Forgetting people in the records: a random pseudonym in a person's place, so that totals keep their values."""

import secrets
from typing import Final

from antiphon.erasures import Forgotten
from antiphon.mongo import Database
from metrics.adapters.mongo import MongoHours, classified
from metrics.adapters.people import PEOPLE, PERSON_FIELDS, Pseudonyms
from metrics.domain.periods import floor
from metrics.ports import HourKey

_BITS: Final = 63
"""As those of pseudonyms, from which a random one cannot be told."""


class MongoForgetting:
    """Takes people out of records and hours."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, hours: MongoHours) -> None:
        self._database, self._pseudonyms, self._hours = database, pseudonyms, hours

    @classified
    async def erase(self, person: Forgotten) -> None:
        """Remove a person's name and pseudonym. Raises Transient.

        The hours concerned are marked before, so that none is built on what is being changed, and after, because one may have
        been built meanwhile.
        """
        pseudonym = self._pseudonyms.of(person.brand, person.platform, person.author)
        if pseudonym is None:
            return
        hours = await self._hours_of(person.brand, pseudonym)
        await self._hours.raise_marks(hours, secrets.token_hex(8))
        nobody = secrets.randbits(_BITS)
        for name, field in PERSON_FIELDS.items():
            await self._database[name].update_many({"brand": person.brand, field: pseudonym}, {"$set": {field: nobody}})
        self._pseudonyms.forget(person.brand, pseudonym)
        await self._database[PEOPLE].delete_one({"_id": f"{person.brand}/{pseudonym}"})
        await self._hours.raise_marks(hours, secrets.token_hex(8))

    async def _hours_of(self, brand: str, pseudonym: int) -> set[HourKey]:
        found: set[HourKey] = set()
        for name, field in PERSON_FIELDS.items():
            async for kept in self._database[name].find({"brand": brand, field: pseudonym}, {"event_time": 1}):
                found.add((brand, floor(kept["event_time"])))
        return found
