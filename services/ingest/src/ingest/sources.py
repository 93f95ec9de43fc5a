"""Subscriptions: in memory for webhooks, and their administration."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from antiphon.clock import Clock
from antiphon.errors import Transient
from ingest.domain import Account, Secret, Source
from ingest.ports import SourceStore

log = logging.getLogger(__name__)

MAX_SECRETS = 5
"""In force at once: each one costs a signature on a stranger's request."""


class SourceTable:
    """The subscriptions in memory: webhooks never wait for the store, and go on when it is away."""

    def __init__(self, store: SourceStore, platforms: Collection[str], poll: timedelta) -> None:
        self._store, self._platforms, self._poll = store, platforms, poll
        self._known: dict[str, Source] = {}
        self.by_path: dict[str, Source] = {}
        """Active subscriptions of platforms that are served; always the same dictionary."""
        self.loaded = False

    def put(self, sources: Sequence[Source]) -> None:
        """Take newer states of subscriptions; an older one changes nothing."""
        for source in sources:
            known = self._known.get(source.id)
            if known is not None and known.generation > source.generation:
                continue
            self._known[source.id] = source
            if known is not None:
                self.by_path.pop(known.path, None)
            if source.active and source.platform in self._platforms:
                self.by_path[source.path] = source

    async def refresh(self) -> None:
        """Load what has changed. Raises Transient when the store is away."""
        generations = await self._store.generations()
        changed = [i for i, number in generations.items() if i not in self._known or self._known[i].generation < number]
        if changed:
            self.put(await self._store.load(changed))
        self.loaded = True

    async def run(self) -> None:
        """Keep the table fresh until cancelled."""
        while True:
            try:
                await self.refresh()
            except Transient as error:
                log.warning("subscriptions could not be read, trying again: %s", error)
            await asyncio.sleep(self._poll.total_seconds())


class Conflict(StrEnum):
    """Why a change was not made."""

    ABSENT = "absent"
    TAKEN = "taken"
    STALE = "stale"
    TOO_MANY_SECRETS = "too_many_secrets"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caller says about a new subscription."""

    id: str
    platform: str
    verify_token: bytes
    secret: bytes
    accounts: Sequence[Account]


Visible = Callable[[Source], bool]
"""Whether a subscription exists for the caller."""


class SourceService:
    """Creates, changes and deletes subscriptions. Every call may raise Transient.

    `expected` is the generation that the caller has seen; None: whatever it is.
    """

    def __init__(self, *, store: SourceStore, table: SourceTable, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store, self._table, self._clock, self._new_id = store, table, clock, new_id

    async def page(self, visible: Visible, after: str, limit: int) -> Sequence[Source]:
        """Return up to `limit` active subscriptions with ids past `after`."""
        found: list[Source] = []
        while len(found) < limit:
            page = await self._store.page(after, limit)
            found += [source for source in page if visible(source)]
            if len(page) < limit:
                break
            after = page[-1].id
        return found[:limit]

    async def get(self, source_id: str, visible: Visible) -> Source | None:
        """Return one active subscription."""
        found = [source for source in await self._store.load([source_id]) if source.active and visible(source)]
        return found[0] if found else None

    async def create(self, draft: Draft) -> Source | Conflict:
        """Store a new subscription; the id of a deleted one may be used again."""
        source = Source(
            draft.id or self._new_id(),
            draft.platform,
            draft.verify_token,
            (Secret(self._new_id(), draft.secret, self._clock.now()),),
            {account.account: account for account in draft.accounts},
        )
        if await self._store.insert(source):
            return self._live(source)
        for old in await self._store.load([source.id]):
            if not old.active:
                return await self._replace(old, replace(source, generation=old.generation + 1))
        return Conflict.TAKEN

    async def change(
        self,
        source_id: str,
        visible: Visible,
        expected: int | None,
        accounts: Sequence[Account],
        verify_token: bytes | None,
    ) -> Source | Conflict:
        """Replace the accounts, and the verify token when one is given."""

        def edit(old: Source) -> Source:
            by_name = {account.account: account for account in accounts}
            return replace(old, accounts=by_name, verify_token=verify_token or old.verify_token)

        return await self._edit(source_id, visible, expected, edit)

    async def add_secret(
        self, source_id: str, visible: Visible, expected: int | None, secret: bytes, old_expires: datetime
    ) -> Source | Conflict:
        """Add a secret; those in force so far end at `old_expires` unless they end earlier."""
        now = self._clock.now()
        fresh = Secret(self._new_id(), secret, now)

        def edit(old: Source) -> Source | Conflict:
            ending = [replace(one, expires=min(one.expires or old_expires, old_expires)) for one in old.secrets]
            kept = [one for one in ending if one.expires and one.expires > now]
            if len(kept) >= MAX_SECRETS:
                return Conflict.TOO_MANY_SECRETS
            return replace(old, secrets=(fresh, *kept))

        return await self._edit(source_id, visible, expected, edit)

    async def delete(self, source_id: str, visible: Visible, expected: int | None) -> Source | Conflict:
        """End a subscription and forget its secrets; the id stays known, so that every process learns of it."""

        def edit(old: Source) -> Source:
            return replace(old, active=False, secrets=(), verify_token=b"", accounts={})

        return await self._edit(source_id, visible, expected, edit)

    async def _edit(
        self, source_id: str, visible: Visible, expected: int | None, edit: Callable[[Source], Source | Conflict]
    ) -> Source | Conflict:
        old = await self.get(source_id, visible)
        if old is None:
            return Conflict.ABSENT
        if expected is not None and expected != old.generation:
            return Conflict.STALE
        new = edit(old)
        return new if isinstance(new, Conflict) else await self._replace(old, replace(new, generation=old.generation + 1))

    async def _replace(self, old: Source, new: Source) -> Source | Conflict:
        return self._live(new) if await self._store.replace(new, old.generation) else Conflict.STALE

    def _live(self, source: Source) -> Source:
        self._table.put([source])
        return source
