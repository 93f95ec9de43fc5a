"""Forgetting people in the records: a random pseudonym in a person's place, so that totals keep their values."""

import secrets
from typing import Final

from antiphon.erasures import Forgotten
from antiphon.mongo import Database
from metrics.adapters.facts import MongoFactStore
from metrics.adapters.mongo import MongoHours, classified
from metrics.adapters.people import PEOPLE, Pseudonyms

_BITS: Final = 63
"""As those of pseudonyms, from which a random one cannot be told."""


class MongoForgetting:
    """Takes people out of records and hours."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, facts: MongoFactStore, hours: MongoHours) -> None:
        self._people, self._pseudonyms = database[PEOPLE], pseudonyms
        self._facts, self._hours = facts, hours

    @classified
    async def erase(self, person: Forgotten) -> None:
        """Remove a person's name and pseudonym. Raises Transient.

        The hours concerned are marked before, so that none is built on what is being changed, and after, because one may have
        been built meanwhile.
        """
        pseudonym = self._pseudonyms.of(person.brand, person.platform, person.author)
        if pseudonym is None:
            return
        hours = await self._facts.hours_about(person.brand, pseudonym)
        await self._hours.raise_marks(hours, secrets.token_hex(8))
        await self._facts.replace(person.brand, pseudonym, secrets.randbits(_BITS))
        self._pseudonyms.forget(person.brand, pseudonym)
        await self._people.delete_one({"_id": f"{person.brand}/{pseudonym}"})
        await self._hours.raise_marks(hours, secrets.token_hex(8))
