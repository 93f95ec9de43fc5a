"""The use cases of people's privacy: what is held about a person, and forgetting one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from antiphon.auth import ALL_BRANDS, Principal, Role
from antiphon.config_feed import Change
from antiphon.erasures import author_owner
from antiphon.errors import Transient
from antiphon.persons import PersonIndex
from antiphon.problems import Problem
from antiphon.seal import Sealer
from rules.configuration import Changes, ConfigurationService, Match, not_found
from rules.entities import MAX_SEGMENTS, Brand, Person, Segment
from rules.ports import ConfigStore, Recorded, TakenError

log = logging.getLogger(__name__)

ANYTHING = Match(None)

_SYSTEM = Principal("antiphon", frozenset({ALL_BRANDS}), Role.ADMIN)
"""Who takes a name out: nobody in particular."""

_TIDY_SECONDS = 2.0
"""Between two looks whether everybody is done."""


class PersonKeyRing(Protocol):
    """Destroys the keys of people."""

    async def destroy(self, reference: str) -> bool:
        """Delete a person's key for good; False if there is none. Raises Transient."""
        ...


class ErasureNotes(Protocol):
    """Knows which holders are done with an asking."""

    async def done(self, reference: str, asked_time: datetime) -> Mapping[str, datetime | None]:
        """Return for each holder when it was done, None while it is not. Raises Transient."""
        ...


class PersonHistory(Protocol):
    """The archive, by person."""

    def of_person(self, brand: str, platform: str, author: str) -> AsyncIterator[Recorded]:
        """Yield every decision on an event of the person, with its event. Raises Transient."""
        ...


@dataclass(frozen=True, slots=True)
class Erasure:
    """Where the forgetting of a person stands: for each holder when it was done, None while it is not."""

    person: str
    asked_time: datetime
    done: Mapping[str, datetime | None]

    @property
    def complete(self) -> bool:
        """Whether everybody has forgotten the person."""
        return all(self.done.values())


@dataclass(frozen=True, slots=True)
class Listed:
    """Where a person is named in the configuration."""

    segments: Sequence[str]
    blocked: bool
    opted_out: bool


class PeopleService:
    """Privacy of people, each named by platform and author id within a brand."""

    def __init__(
        self,
        *,
        store: ConfigStore,
        changes: Changes,
        configuration: ConfigurationService,
        index: PersonIndex,
        sealer: Sealer,
        keys: PersonKeyRing,
        notes: ErasureNotes,
        history: PersonHistory,
    ) -> None:
        self._store, self._changes, self._configuration = store, changes, configuration
        self._index, self._sealer, self._keys, self._notes, self._history = index, sealer, keys, notes, history
        self._named: set[tuple[str, str]] = set()

    async def forget(self, by: Principal, brand: str, platform: str, author: str) -> Erasure:
        """Begin to forget a person; asking again begins anew. Raises 404.

        The key of the person's records goes first: from then on no copy of a topic can be read, whatever else fails.
        """
        await self._configuration.brand(brand)
        reference = self._index.reference(brand, platform, author)
        await self._keys.destroy(reference)
        await self._unlist(by, brand, f"{platform}:{author}")
        return await self._erasure(await self._ask(by, brand, reference, f"{platform}:{author}"))

    async def erasure(self, brand: str, platform: str, author: str) -> Erasure:
        """Return where the forgetting of a person stands. Raises 404 when nobody asked for it."""
        found = await self._store.get(Person, brand, self._index.reference(brand, platform, author))
        if found is None:
            raise not_found("erasure of", f"{platform}:{author}")
        return await self._erasure(found)

    def follow(self, changes: Iterable[Change]) -> None:
        """Note from the configuration whose name it still has to hold."""
        for change in changes:
            if change.record is None or change.record.WhichOneof("entity") != "person":
                continue
            person = change.record.person
            (self._named.add if person.sealed_author else self._named.discard)((person.brand, person.person))

    async def tidy(self) -> None:
        """Take the names of those out of the configuration whom everybody has forgotten, until cancelled."""
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            for brand, reference in list(self._named):
                try:
                    await self._tidy(brand, reference)
                except Transient as error:
                    log.warning("the name of a forgotten person is removed later: %s", error)
                except Problem as error:  # another replica was first, or the store was set back to before the person
                    self._named.discard((brand, reference))
                    log.warning("the name of a forgotten person is left to others: %s", error.detail)

    async def _tidy(self, brand: str, reference: str) -> None:
        person = await self._person(brand, reference)
        if person.sealed_author and (await self._erasure(person)).complete:
            await self._changes.change(
                lambda: self._person(brand, reference),
                Match(person.generation),
                lambda found: replace(found, sealed_author=""),
                by=_SYSTEM,
                action="person.forgotten",
                detail=lambda _: {},
            )

    async def listed(self, brand: str, platform: str, author: str) -> Listed:
        """Return where the configuration names a person. Raises 404."""
        found, person = await self._configuration.brand(brand), f"{platform}:{author}"
        segments = [one.segment for one in await self._segments(brand) if person in one.authors]
        return Listed(segments, person in found.blocked_authors, person in found.opted_out_authors)

    def recorded(self, brand: str, platform: str, author: str) -> AsyncIterator[Recorded]:
        """Yield what is in the archive about a person. Raises Transient."""
        return self._history.of_person(brand, platform, author)

    async def _ask(self, by: Principal, brand: str, reference: str, person: str) -> Person:
        sealed = self._sealer.seal(SecretStr(person), author_owner(brand))
        now = self._changes.now()
        new = Person(brand=brand, person=reference, sealed_author=sealed, asked_time=now, changed_time=now, actor=by.key_id)
        try:
            return (await self._changes.create(new, "person.forget", {})).entity
        except TakenError:
            saved = await self._changes.change(
                lambda: self._person(brand, reference),
                ANYTHING,
                lambda found: replace(found, sealed_author=sealed, asked_time=now),
                by=by,
                action="person.forget",
                detail=lambda _: {},
            )
            return saved.entity

    async def _person(self, brand: str, reference: str) -> Person:
        found = await self._store.get(Person, brand, reference)
        if found is None:
            raise not_found("person", reference)
        return found

    async def _erasure(self, person: Person) -> Erasure:
        return Erasure(person.person, person.asked_time, await self._notes.done(person.person, person.asked_time))

    async def _unlist(self, by: Principal, brand: str, person: str) -> None:
        for segment in await self._segments(brand):
            if person in segment.authors:
                await self._without(by, segment, person)
        found = await self._configuration.brand(brand)
        if person in found.blocked_authors or person in found.opted_out_authors:
            await self._changes.change(
                lambda: self._configuration.brand(brand),
                ANYTHING,
                lambda current: _unlisted(current, person),
                by=by,
                action="person.unlist",
                detail=lambda _: {},
            )

    async def _without(self, by: Principal, segment: Segment, person: str) -> None:
        async def load() -> Segment:
            return await self._store.get(Segment, segment.brand, segment.segment) or segment

        await self._changes.change(
            load,
            ANYTHING,
            lambda found: replace(found, authors=tuple(one for one in found.authors if one != person)),
            by=by,
            action="segment.remove",
            detail=lambda changed: {"size": changed.size},
        )

    async def _segments(self, brand: str) -> Sequence[Segment]:
        return await self._store.segments(brand, "", MAX_SEGMENTS)


def _unlisted(brand: Brand, person: str) -> Brand:
    return replace(
        brand,
        blocked_authors=tuple(one for one in brand.blocked_authors if one != person),
        opted_out_authors=tuple(one for one in brand.opted_out_authors if one != person),
    )
