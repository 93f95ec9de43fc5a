"""Limits that cross authors, for a whole batch at once: one look and one write a limit, not one an entry."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from antiphon.errors import Transient
from publisher.domain import limits
from publisher.domain.limits import Consumed
from publisher.domain.model import Entry, Limit
from publisher.ports import Limits

_TRIES = 30
"""Lost races for one limit in a row; more means that the store cannot keep up, which is transient."""

_Asked = Sequence[tuple[Entry, Sequence[Limit]]]


class Quotas:
    """What entries consume is stored before they are sent, with the ids of their events; a redelivery consumes nothing."""

    def __init__(self, store: Limits) -> None:
        self._store = store

    async def full(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """Return action id → the limit that keeps it back; the others have consumed all of theirs. Raises Transient."""
        refused: dict[str, str] = {}
        for key, asked in _by_key(entries).items():
            await self._consume(key, [one for one in asked if one[0].order.action_id not in refused], refused)
        return refused

    async def give_back(self, entries: Sequence[Entry]) -> None:
        """Take back what entries consumed that have come to nothing; repeating it changes nothing. Raises Transient."""
        for key, asked in _by_key(entries).items():
            await self._replace(key, partial(_without, asked))

    async def _consume(self, key: str, asked: _Asked, refused: dict[str, str]) -> None:
        def with_all(consumed: Consumed) -> Consumed:
            for entry, wanted in asked:
                refused.pop(entry.order.action_id, None)
                admitted = limits.admit(consumed, wanted, entry.order, entry.position.revision)
                if isinstance(admitted, Limit):
                    refused[entry.order.action_id] = f"{admitted.at_most} per {admitted.scope}"
                else:
                    consumed = admitted
            return consumed

        await self._replace(key, with_all)

    async def _replace(self, key: str, change: Callable[[Consumed], Consumed]) -> None:
        for _ in range(_TRIES):
            before = await self._store.read(key)
            after = change(before)
            if after is before or await self._store.write(key, after):
                return
            await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 (spreads racing senders)
        raise Transient("a limit is contended")


def _without(asked: _Asked, consumed: Consumed) -> Consumed:
    for entry, _ in asked:
        consumed = limits.give_back(consumed, entry.order, entry.position.revision)
    return consumed


def _by_key(entries: Sequence[Entry]) -> Mapping[str, list[tuple[Entry, list[Limit]]]]:
    """Return what each key is asked for: entries, each with its limits over that key."""
    keys: dict[str, list[tuple[Entry, list[Limit]]]] = {}
    for entry in entries:
        wanted: dict[str, list[Limit]] = {}
        for limit in entry.order.limits:
            wanted.setdefault(limits.key_of(entry.order, limit), []).append(limit)
        for key, over in wanted.items():
            keys.setdefault(key, []).append((entry, over))
    return keys
