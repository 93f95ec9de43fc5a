"""Limits that cross authors, admitted for a whole batch at once: one look and one write a limit, not one an entry."""

import asyncio
import random
from collections.abc import Mapping, Sequence

from antiphon.errors import Transient
from publisher.domain import limits
from publisher.domain.model import Entry, Limit
from publisher.ports import Limits

_TRIES = 30
"""Lost races for one limit in a row; more means that the store cannot keep up, which is transient."""


class Quotas:
    """What entries consume is stored before they are sent, with the ids of their events; a redelivery consumes nothing."""

    def __init__(self, store: Limits) -> None:
        self._store = store

    async def full(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """Return action id → the limit that keeps it back; the others have consumed all of theirs. Raises Transient."""
        wanted: dict[str, list[tuple[Entry, Limit]]] = {}
        for entry in entries:
            for limit in entry.order.limits:
                wanted.setdefault(limits.key_of(entry.order, limit), []).append((entry, limit))
        refused: dict[str, str] = {}
        for key, asked in wanted.items():
            refused |= await self._consume(key, [one for one in asked if one[0].order.action_id not in refused])
        return refused

    async def _consume(self, key: str, asked: Sequence[tuple[Entry, Limit]]) -> Mapping[str, str]:
        for _ in range(_TRIES):
            before = await self._store.read(key)
            after, refused = before, {}
            for entry, limit in asked:
                admitted = limits.admit(after, limit, entry.order.event_id, entry.order.event_time)
                if admitted is None:
                    refused[entry.order.action_id] = f"{limit.at_most} per {limit.scope}"
                else:
                    after = admitted
            if after is before or await self._store.write(key, after):
                return refused
            await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 (spreads racing senders)
        raise Transient("a limit is contended")
