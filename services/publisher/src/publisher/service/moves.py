"""Moving an entry through the protocol, however many others try at the same time."""

import logging
from collections.abc import Callable, Sequence

from antiphon.clock import Clock
from antiphon.errors import Transient
from publisher.domain.changes import Change, Timing
from publisher.domain.machine import step
from publisher.domain.model import Entry, came_to_nothing
from publisher.ports import Ledger, Saving
from publisher.service.quotas import Quotas

log = logging.getLogger(__name__)

_TRIES = 8
"""Lost races in a row; each means that somebody else moved this one entry, which has few moves."""


class Moves:
    """Applies changes by compare-and-set; what an entry consumed is given back when it has come to nothing."""

    def __init__(self, *, ledger: Ledger, quotas: Quotas, clock: Clock, timing: Timing, tell: Callable[[Entry], None]) -> None:
        self._ledger, self._quotas = ledger, quotas
        self._clock, self._timing, self._tell = clock, timing, tell

    def _next(self, entry: Entry, change: Change, now: float) -> Entry | None:
        moved = step(entry.position, change, now, self._timing)
        return None if moved is None else Entry(entry.order, moved)

    async def apply(self, entry: Entry, change: Change) -> Entry | None:
        """Save the change, from the stored state if the given one is old; None when it has no meaning there.

        Raises Transient when the store cannot say whether it was saved.
        """
        for _ in range(_TRIES):
            moved = self._next(entry, change, self._clock.now().timestamp())
            if moved is None:
                return None
            if (await self._ledger.save([Saving(entry, moved)]))[0]:
                self.announce(entry, moved)
                await self._give_back([moved])
                return moved
            found = await self._ledger.get([entry.order.action_id])
            if not found:
                return None
            entry = found[0]
        return None

    async def apply_all(self, changes: list[tuple[Entry, Change]]) -> list[Entry | None]:
        """Save many changes at once; None where an entry had moved meanwhile or the change has no meaning."""
        now = self._clock.now().timestamp()  # one moment for all, so that equal changes can share a write
        moved = [self._next(entry, change, now) for entry, change in changes]
        savings = [Saving(entry, after) for (entry, _), after in zip(changes, moved, strict=True) if after is not None]
        saved = iter(await self._ledger.save(savings)) if savings else iter(())
        result = [after if after is not None and next(saved) else None for after in moved]
        for (before, _), after in zip(changes, result, strict=True):
            if after is not None:
                self.announce(before, after)
        await self._give_back([after for after in result if after is not None])
        return result

    async def _give_back(self, moved: Sequence[Entry]) -> None:
        """After the save and never before: a crash in between leaves a limit consumed, and never one exceeded."""
        ended = [entry for entry in moved if entry.order.limits and came_to_nothing(entry.position)]
        if not ended:
            return
        try:
            await self._quotas.give_back(ended)
        except Transient as error:
            log.warning("limits stay consumed by what came to nothing: %s", error, extra={"count": len(ended)})

    def announce(self, before: Entry | None, after: Entry) -> None:
        """Have the new state told if it is one that people hear of."""
        if after.position.sequence > (before.position.sequence if before else 0):
            self._tell(after)
