"""Looks at an entry beside the others of its campaign."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from publisher.domain.entries.flags import Crowd, crowd_flags, near_duplicate
from publisher.domain.entries.model import Capture, Flagged
from publisher.entry_ports import Entries, Lookalikes

OVERLAP_SECONDS = 30.0
"""How far back each look goes past what is known: clocks of other processes differ, and their writes take a moment."""


@dataclass(slots=True)
class _Known:
    crowd: Crowd = field(default_factory=Crowd)
    until: float = 0.0


@dataclass(slots=True)
class Flagging:
    """Keeps a campaign's texts and people in memory, and catches up with the store before each look.

    So a restart rebuilds everything, and several processes see each other's entries.
    """

    entries: Entries
    lookalikes: Lookalikes
    _known: dict[tuple[str, str], _Known] = field(default_factory=dict)

    async def flags(self, capture: Capture) -> Sequence[Flagged]:
        """Return the flags of an entry that is stored already. Raises Transient."""
        known = await self._caught_up(capture.brand, capture.campaign)
        alike = near_duplicate(capture, self.lookalikes.candidates(capture))
        return [*([alike] if alike else []), *crowd_flags(capture, known.crowd)]

    async def _caught_up(self, brand: str, campaign: str) -> _Known:
        known = self._known.setdefault((brand, campaign), _Known())
        for entry in await self.entries.captured_since(brand, campaign, known.until - OVERLAP_SECONDS):
            known.until = max(known.until, entry.standing.captured_at)
            if entry.entry_id not in known.crowd.known:
                known.crowd.add(entry.capture)
                self.lookalikes.add(entry.capture)
        return known
