"""The use cases of API keys: made, shown once, kept as a hash, rotated with overlap, revoked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from antiphon.auth import ALL_BRANDS, NewKey, Principal, Role, new_key
from antiphon.problems import Problem
from rules.configuration import Changes, Match, Saved, not_found
from rules.entities import ApiKey
from rules.ports import ConfigStore

DEFAULT_DAYS = 365
"""A key that nobody renews for a year is a key that nobody watches."""

_COMMAND = "command"
"""The actor of what was done by a command, next to the store; no key has this id, which is shorter."""


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A fresh key with the token, which exists nowhere else."""

    saved: Saved[ApiKey]
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a key is to allow. `days` None: as long as the creator's own key, at most the default."""

    name: str
    brands: tuple[str, ...]
    role: Role
    days: int | None = None


class KeyService:
    """Keys. None can grant more than its creator has: brands, role, time."""

    def __init__(self, *, store: ConfigStore, changes: Changes) -> None:
        self._store = store
        self._changes = changes

    async def first(self, grant: Grant) -> MadeKey:
        """Make a key without a creator, for whoever may run commands next to the store."""
        fresh = new_key()
        return await self._make(fresh, self._entity(fresh, grant, _COMMAND))

    async def create(self, by: Principal, grant: Grant) -> MadeKey:
        """Make a key. Raises 404 for brands outside the caller's reach, 403 for more than the caller has."""
        for brand in grant.brands:
            _reach(by, brand)
        if grant.role > by.role:
            raise Problem(403, "forbidden", f"A key of role {by.role.name.lower()} cannot grant {grant.role.name.lower()}.")
        fresh = new_key()
        return await self._make(fresh, await self._within_creators_time(by, self._entity(fresh, grant, by.key_id), grant))

    async def key(self, by: Principal, key_id: str) -> ApiKey:
        """Return a key that reaches no brand that the caller's does not. Raises 404."""
        found = await self._store.get(ApiKey, "", key_id)
        if found is None or not all(by.may_see(brand) for brand in found.brands):
            raise not_found("key", key_id)
        return found

    async def keys(self, by: Principal, after: str, limit: int) -> Sequence[ApiKey]:
        """Return keys that reach no brand that the caller's does not."""
        return await self._store.keys(after, limit, None if ALL_BRANDS in by.brands else by.brands)

    async def revoke(self, by: Principal, key_id: str, match: Match) -> Saved[ApiKey]:
        """End a key now. Raises 404."""
        found = await self.key(by, key_id)
        return await self._changes.change(
            lambda: self.key(by, key_id),
            match,
            lambda key: replace(key, revoked=True),
            by=by,
            action="key.revoke",
            detail=lambda _: {},
            audited=found.brands,
        )

    async def rotate(self, by: Principal, key_id: str, match: Match, overlap: timedelta) -> tuple[MadeKey, Saved[ApiKey]]:
        """Make a successor with the same reach and let the old key end after `overlap`. Raises 404, 409 if it has ended, 412."""
        old = await self.key(by, key_id)
        if match.generation not in {None, old.generation}:
            raise Problem(412, "changed_meanwhile", "This key has changed since you read it: read it again.")
        now = self._changes.now()
        if old.revoked or old.expires_time <= now:
            raise Problem(409, "ended", "This key has ended; create a new one instead.")
        # The new one first: should this stop halfway, the old key still works and nobody is locked out.
        made = await self.create(by, Grant(name=old.name, brands=old.brands, role=Role[old.role.upper()]))
        ending = await self._changes.change(
            lambda: self.key(by, key_id),
            Match(None),  # shortening a life goes with any other change
            lambda key: replace(key, expires_time=min(key.expires_time, now + overlap)),
            by=by,
            action="key.rotate",
            detail=lambda _: {"successor": made.saved.entity.key_id},
            audited=old.brands,
        )
        return made, ending

    async def _within_creators_time(self, by: Principal, entity: ApiKey, grant: Grant) -> ApiKey:
        creator = await self._store.get(ApiKey, "", by.key_id)
        if creator is None:
            raise Problem(403, "forbidden", "The store does not know the key that makes this call, so it can grant nothing.")
        if entity.expires_time <= creator.expires_time:
            return entity
        if grant.days is not None:
            raise Problem(403, "forbidden", f"A key cannot outlive its creator, which ends {creator.expires_time.isoformat()}.")
        return replace(entity, expires_time=creator.expires_time)

    async def _make(self, fresh: NewKey, entity: ApiKey) -> MadeKey:
        detail = {
            "name": entity.name,
            "brands": list(entity.brands),
            "role": entity.role,
            "expires": entity.expires_time.isoformat(),
        }
        return MadeKey(await self._changes.create(entity, "key.create", detail, audited=entity.brands), fresh.token)

    def _entity(self, fresh: NewKey, grant: Grant, actor: str) -> ApiKey:
        now = self._changes.now()
        return ApiKey(
            key_id=fresh.key_id,
            name=grant.name,
            secret_sha256=fresh.secret_sha256,
            brands=tuple(sorted(set(grant.brands))),
            role=grant.role.name.lower(),
            expires_time=now + timedelta(days=DEFAULT_DAYS if grant.days is None else grant.days),
            changed_time=now,
            actor=actor,
        )


def _reach(by: Principal, brand: str) -> None:
    if brand == ALL_BRANDS and ALL_BRANDS not in by.brands:
        raise Problem(403, "forbidden", "Only a key for all brands can grant all brands.")
    by.check(brand)
