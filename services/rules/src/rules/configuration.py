"""How anything is changed: check what the caller has seen, save in one write, then publish; and the use cases of brands."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from antiphon import failpoints
from antiphon.auth import ALL_BRANDS, Principal
from antiphon.clock import Clock
from antiphon.errors import Transient
from antiphon.problems import Problem
from rules.entities import MAX_PEOPLE, Brand, Channel, Deletable, Entity
from rules.ports import ConfigStore, Outbox, TakenError
from rules.remote import audited, changed_remote
from rules.trail import AuditNote, RuleVersion, Trail

E = TypeVar("E", bound=Entity)
D = TypeVar("D", bound=Deletable)

Detail = Mapping[str, object]

PeopleList = Literal["blocked", "opted-out"]

_PEOPLE_FIELDS: Mapping[PeopleList, str] = {"blocked": "blocked_authors", "opted-out": "opted_out_authors"}

_TRIES = 20
"""Of a change that does not mind what it replaces; more losses in a row than that are a fault, not a race."""


@dataclass(frozen=True, slots=True)
class Match:
    """What the caller has seen: a generation, or (None) anything, as `If-Match: *` says."""

    generation: int | None


@dataclass(frozen=True, slots=True)
class Saved(Generic[E]):
    """A saved change. `revision` is its offset on the topic; None: it will be live later."""

    entity: E
    revision: int | None


async def existing(store: ConfigStore, kind: type[D], brand: str, name: str) -> D | None:
    """Return an entity that is there; None where there was none, or where it was deleted."""
    found = await store.get(kind, brand, name)
    return None if found is None or found.deleted else found


def unknown_names(faults: Mapping[str, str]) -> Problem:
    """Return the answer to a request that names what the brand does not have; `faults`: pointer → the words for people."""
    errors = [{"pointer": place, "detail": detail} for place, detail in faults.items()]
    return Problem(422, "invalid", "It names something that the brand does not have; see errors.", errors=errors)


def not_found(what: str, name: str) -> Problem:
    """Return the answer for what does not exist, for this caller or at all."""
    return Problem(404, "not_found", f"There is no {what} {name!r}.")


def precondition_required() -> Problem:
    """Return the answer to a change of something that exists without saying what it replaces."""
    return Problem(
        428, "precondition_required", "Send `If-Match` with the ETag you have read, or `*` to change it whatever it is."
    )


class Changes:
    """The one way by which entities are created and replaced."""

    def __init__(self, *, store: ConfigStore, outbox: Outbox, clock: Clock) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock

    def now(self) -> datetime:
        """Return the time in the store's resolution, milliseconds."""
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1_000 * 1_000)

    async def create(
        self, entity: E, action: str, detail: Detail, *, version: RuleVersion | None = None, audited: Sequence[str] = ()
    ) -> Saved[E]:
        """Save and publish a new entity. Raises TakenError."""
        await self._store.create(entity, self._trail(entity, action, detail, version, audited))
        return await self._published(entity)

    async def change(
        self,
        load: Callable[[], Awaitable[E]],
        match: Match,
        update: Callable[[E], E],
        *,
        by: Principal,
        action: str,
        detail: Callable[[E], Detail],
        version: Callable[[E], RuleVersion] | None = None,
        audited: Sequence[str] = (),
    ) -> Saved[E]:
        """Replace what `load` returns. Raises 412 for what the caller has not seen, TakenError, what `load` and `update` do."""
        for _ in range(_TRIES):
            found = await load()
            if match.generation not in {None, found.generation}:
                break
            changed = replace(update(found), generation=found.generation + 1, changed_time=self.now(), actor=by.key_id)
            made = version(changed) if version else None
            if await self._store.replace(changed, self._trail(changed, action, detail(changed), made, audited)):
                return await self._published(changed)
        else:
            raise Transient("others keep changing this at the same time")
        raise Problem(412, "changed_meanwhile", "This has changed since you read it: read it again, then repeat the change.")

    async def put(self, new: D, match: Match | None, *, by: Principal, action: str, detail: Detail) -> Saved[D]:
        """Create `new`, or put it in the place of what has its id.

        Raises 428 without `match` when that exists, 412 with it when it does not, TakenError.
        """

        async def load() -> D:
            found = await self._store.get(type(new), new.brand, new.name_in_brand)
            if found is None:
                raise Problem(412, "changed_meanwhile", "There is nothing to replace; leave `If-Match` out to create it.")
            return found

        found = await self._store.get(type(new), new.brand, new.name_in_brand)
        if found is None and match is None:
            return await self._first(new, action, detail)
        if found is not None and match is None and not found.deleted:
            raise precondition_required()
        expected = match or Match(found.generation if found else None)
        return await self.change(
            load,
            expected,
            lambda found: replace(new, generation=found.generation),
            by=by,
            action=action,
            detail=lambda _: detail,
        )

    async def _first(self, new: D, action: str, detail: Detail) -> Saved[D]:
        try:
            return await self.create(new, action, detail)
        except TakenError:
            if await self._store.get(type(new), new.brand, new.name_in_brand) is None:
                raise
            raise precondition_required() from None  # somebody else made it at the same moment

    async def _published(self, entity: E) -> Saved[E]:
        failpoints.hit("rules.api.after_write")
        return Saved(entity, await self._outbox.deliver(entity))

    @staticmethod
    def _trail(entity: Entity, action: str, detail: Detail, version: RuleVersion | None, audited: Sequence[str]) -> Trail:
        notes = tuple(
            AuditNote(
                brand=brand,
                time=entity.changed_time,
                actor=entity.actor,
                action=action,
                target=entity.key,
                generation=entity.generation,
                detail=dict(detail),
            )
            for brand in (audited or (entity.brand,))
        )
        return Trail(notes=notes, version=version)


class ConfigurationService:
    """Brands, their channels' identities and the people they do not answer."""

    def __init__(self, *, store: ConfigStore, changes: Changes) -> None:
        self._store = store
        self._changes = changes

    async def brand(self, brand: str) -> Brand:
        """Return a brand. Raises 404."""
        found = await self._store.get(Brand, brand)
        if found is None:
            raise not_found("brand", brand)
        return found

    async def brands(self, by: Principal, after: str, limit: int) -> Sequence[Brand]:
        """Return the brands that exist for the caller."""
        return await self._store.brands(None if ALL_BRANDS in by.brands else by.brands, after, limit)

    async def create_brand(self, by: Principal, brand: str, values: Mapping[str, Any]) -> Saved[Brand]:
        """Create a brand. Raises 404 for a brand outside the caller's reach, 409 when it exists."""
        by.check(brand)
        known = {**values, "understanding": changed_remote(None, values.get("understanding"))}
        entity = Brand(brand=brand, changed_time=self._changes.now(), actor=by.key_id, **known)
        try:
            return await self._changes.create(entity, "brand.create", audited(values))
        except TakenError as error:
            raise Problem(409, "exists", f"The brand {brand!r} exists already.") from error

    async def change_brand(self, by: Principal, brand: str, match: Match, values: Mapping[str, Any], action: str) -> Saved[Brand]:
        """Change fields of a brand. Raises 404, 412, 422 for a token that was given for another host."""

        def update(found: Brand) -> Brand:
            if "understanding" not in values:
                return replace(found, **values)
            return replace(found, **{**values, "understanding": changed_remote(found.understanding, values["understanding"])})

        return await self._changes.change(
            lambda: self.brand(brand), match, update, by=by, action=action, detail=lambda _: audited(values)
        )

    async def hold(self, by: Principal, brand: str, match: Match, reason: str) -> Saved[Brand]:
        """Stop everything that the brand would post: the kill switch."""
        return await self.change_brand(by, brand, match, {"held": True, "held_reason": reason}, "brand.hold")

    async def resume(self, by: Principal, brand: str, match: Match, reason: str) -> Saved[Brand]:
        """End a hold."""
        return await self._changes.change(
            lambda: self.brand(brand),
            match,
            lambda found: replace(found, held=False, held_reason=""),
            by=by,
            action="brand.resume",
            detail=lambda _: {"reason": reason},
        )

    async def list_person(self, by: Principal, brand: str, match: Match, people: PeopleList, person: str) -> Saved[Brand]:
        """Put a person (`platform:author id`) on one of the brand's lists. Raises 409 when it is full."""

        def added(listed: Sequence[str]) -> set[str]:
            if len(listed) >= MAX_PEOPLE and person not in listed:
                raise Problem(409, "list_full", f"The list holds {MAX_PEOPLE} people already; take some off first.")
            return {*listed, person}

        return await self._change_people(by, brand, match, people, person, "add", added)

    async def unlist_person(self, by: Principal, brand: str, match: Match, people: PeopleList, person: str) -> Saved[Brand]:
        """Take a person off a list. Raises 404 when it is not on it."""

        def removed(listed: Sequence[str]) -> set[str]:
            if person not in listed:
                raise not_found("person", person)
            return set(listed) - {person}

        return await self._change_people(by, brand, match, people, person, "remove", removed)

    async def _change_people(
        self,
        by: Principal,
        brand: str,
        match: Match,
        people: PeopleList,
        person: str,
        verb: str,
        edit: Callable[[Sequence[str]], set[str]],
    ) -> Saved[Brand]:
        name = _PEOPLE_FIELDS[people]

        def update(found: Brand) -> Brand:
            values: dict[str, Any] = {name: tuple(sorted(edit(getattr(found, name))))}
            return replace(found, **values)

        return await self._changes.change(
            lambda: self.brand(brand), match, update, by=by, action=f"{people}.{verb}", detail=lambda _: {"person": person}
        )

    async def channel(self, brand: str, channel: str) -> Channel:
        """Return a channel's identity. Raises 404."""
        found = await self._store.get(Channel, brand, channel)
        if found is None or found.deleted:
            raise not_found("channel", channel)
        return found

    async def channels(self, brand: str, after: str, limit: int) -> Sequence[Channel]:
        """Return the identities of a brand's accounts. Raises 404."""
        await self.brand(brand)
        return await self._store.channels(brand, after, limit)

    async def put_channel(self, by: Principal, brand: str, channel: str, match: Match | None, values: Detail) -> Saved[Channel]:
        """Create or replace a channel's identity.

        Raises 428 without `match` when it exists, 412 with it when it does not, 409 when another channel has the account.
        """
        await self.brand(brand)
        fields: dict[str, Any] = dict(values)
        new = Channel(brand=brand, channel=channel, changed_time=self._changes.now(), actor=by.key_id, **fields)
        try:
            return await self._changes.put(new, match, by=by, action="channel.put", detail=values)
        except TakenError as error:
            raise Problem(409, "account_taken", "Another channel of this installation has this account.") from error

    async def delete_channel(self, by: Principal, brand: str, channel: str, match: Match) -> Saved[Channel]:
        """Forget a channel's identity; its account may then be used by another channel. Raises 404."""
        return await self._changes.change(
            lambda: self.channel(brand, channel),
            match,
            lambda found: replace(found, deleted=True),
            by=by,
            action="channel.delete",
            detail=lambda _: {},
        )
