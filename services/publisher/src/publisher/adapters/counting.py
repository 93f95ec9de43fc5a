"""Counts what waits for people to look at it."""

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from antiphon.errors import Transient
from publisher.adapters.config import ConfigPolicies
from publisher.adapters.telemetry import PublisherMeter
from publisher.domain.model import State
from publisher.ports import Ledger

_COUNT_SECONDS = 15.0
"""Between counts of what waits for people: two looks into an index for each brand, and nobody reads the numbers sooner."""


async def keep_counting(ledger: Ledger, policies: ConfigPolicies, meter: PublisherMeter) -> None:
    """Keep the gauges of what waits for people right."""
    while True:
        with suppress(Transient):  # the next count comes soon
            await count(ledger, policies.brands, meter)
        await asyncio.sleep(_COUNT_SECONDS)


async def count(ledger: Ledger, brands: Collection[str], meter: PublisherMeter) -> None:
    """Count what waits for people. Raises Transient."""
    meter.parked(sum((await _counted(ledger, brands, State.PARKED)).values()))
    meter.waiting(await _counted(ledger, brands, State.WAITING_APPROVAL))


async def _counted(ledger: Ledger, brands: Collection[str], state: State) -> Counter[str]:
    """Return how many actions of all brands are in a state, by platform."""
    found: Counter[str] = Counter()
    for brand in brands:
        found.update(await ledger.count(brand, state))
    return found
