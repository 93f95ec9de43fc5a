"""Which entries count: the caps of a campaign, exactly, whoever asks at the same time and however often."""

import asyncio
import random
from collections.abc import Callable
from functools import partial

from antiphon.errors import Transient
from publisher.domain.entries import caps
from publisher.domain.entries.campaign import Campaign
from publisher.domain.entries.caps import Full
from publisher.domain.entries.model import Capture
from publisher.domain.limits import Consumed
from publisher.entry_ports import Places
from publisher.ports import Limits

_TRIES = 30
"""Lost races for one person's record in a row; more means that the store cannot keep up, which is transient."""


class Admitting:
    """A person's record first, then the campaign's places; a place that is not to be had gives the record back."""

    def __init__(self, limits: Limits, places: Places) -> None:
        self._limits, self._places = limits, places

    async def full(self, capture: Capture, campaign: Campaign) -> str:
        """Return the cap that turns the entry away; empty when it counts. Repeating it changes nothing. Raises Transient."""
        wanted = campaign.caps
        key = caps.person_key(capture)
        if wanted.per_person or wanted.per_person_day:
            refused = await self._replace(key, partial(caps.admit_person, capture=capture, campaign=campaign))
            if refused is not None:
                return refused.detail
        if wanted.total and not await self._places.take(caps.campaign_key(capture), capture.entry_id, wanted.total):
            await self._replace(key, partial(caps.release, entry_id=capture.entry_id))
            return f"at most {wanted.total} in the campaign"
        return ""

    async def _replace(self, key: str, change: Callable[[Consumed], Consumed | Full]) -> Full | None:
        for _ in range(_TRIES):
            before = await self._limits.read(key)
            after = change(before)
            if isinstance(after, Full):
                return after
            if after is before or await self._limits.write(key, after):
                return None
            await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 (spreads racing workers)
        raise Transient("a cap is contended")
