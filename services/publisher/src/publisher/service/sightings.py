"""The brand's own posts come back as echoes: they confirm our sends, or show a person of the brand at work."""

from collections import OrderedDict
from collections.abc import Sequence

from publisher.domain.changes import Seen
from publisher.domain.model import PRIVATE, SPEAKING, Decided, Entry, Kind, State
from publisher.ports import Ledger, Meter, Observation, Threads
from publisher.service.moves import Moves

TOLERANCE = 5.0
"""Seconds by which a platform's whole-second times may lie before our claim."""

_REMEMBERED = 50_000
"""Own posts known without asking the ledger: minutes of full load; others are looked up."""

_OPEN = (State.SENDING, State.UNKNOWN, State.PARKED)
_MOST_OPEN = 500
"""Entries of a brand in doubt that are searched for an echo that names none of our targets."""


class Sightings:
    """Takes echoes."""

    def __init__(self, *, ledger: Ledger, threads: Threads, moves: Moves, meter: Meter) -> None:
        self._ledger, self._threads, self._moves, self._meter = ledger, threads, moves, meter
        self._own: OrderedDict[tuple[str, str], None] = OrderedDict()

    def remember(self, platform: str, platform_id: str) -> None:
        """Note a post of ours, so that its echo is known at once."""
        if platform_id:
            self._own[platform, platform_id] = None
            if len(self._own) > _REMEMBERED:
                self._own.popitem(last=False)

    async def take(self, echoes: Sequence[Decided]) -> None:
        """Confirm what is in doubt, and note when a person of the brand wrote."""
        people = [echo for echo in echoes if echo.verb == "create" and not await self._is_ours(echo)]
        await self._threads.record([seen for echo in people for seen in _person_wrote(echo)])

    async def _is_ours(self, echo: Decided) -> bool:
        if (echo.platform, echo.object) in self._own:
            return True
        for entry in await self._candidates(echo):
            if entry.position.platform_id == echo.object:
                return True
            if _explains(entry, echo):
                await self._confirm(entry, echo)
                return True
        # In this order, because what is being sent now will have been posted by the time of the second look.
        return await self._is_being_sent(echo) or await self._ledger.posted_as(echo.brand, echo.platform, echo.object)

    async def _candidates(self, echo: Decided) -> Sequence[Entry]:
        if echo.kind in PRIVATE:
            people = {echo.author, echo.root, echo.parent} - {""}
            found = await self._ledger.in_states(echo.brand, _OPEN, _MOST_OPEN)
            return [entry for entry in found if entry.order.kind in SPEAKING and {entry.order.author, entry.order.root} & people]
        if echo.parent:
            found = await self._ledger.on_target(echo.brand, echo.platform, echo.parent)
            return [entry for entry in found if entry.order.kind is Kind.REPLY]
        return []

    async def _is_being_sent(self, echo: Decided) -> bool:
        """Tell whether a reply of ours is under way in this thread.

        Platforms hang an answer to an answer under the first comment, so that the echo does not name our target. It may be a
        person's all the same, so that it confirms nothing.
        """
        if not echo.parent or echo.kind in PRIVATE:
            return False
        found = await self._ledger.in_states(echo.brand, (State.SENDING,), _MOST_OPEN)
        here = [entry for entry in found if (entry.order.platform, entry.order.thread) == (echo.platform, echo.parent)]
        return any(entry.order.kind is Kind.REPLY and _explains(entry, echo) for entry in here)

    async def _confirm(self, entry: Entry, echo: Decided) -> None:
        # While a readable send is under way its own answer comes in a moment and says more than an echo.
        if entry.position.state is State.SENDING and echo.kind not in PRIVATE:
            return
        if await self._moves.apply(entry, Seen(echo.object)):
            self._meter.reconciled("echoed")


def _explains(entry: Entry, echo: Decided) -> bool:
    at = entry.position
    if at.platform_id or echo.event_time < at.sending_at - TOLERANCE:
        return False
    return at.state in {State.SENDING, State.UNKNOWN, State.PARKED, State.POSTED} or at.uncertain


def _person_wrote(echo: Decided) -> list[Observation]:
    """Note it at the object answered and, in a private conversation, at the conversation."""
    places = {echo.parent, echo.root if echo.kind in PRIVATE else ""} - {""}
    return [Observation(echo.brand, echo.platform, place, human_at=echo.event_time) for place in sorted(places)]
