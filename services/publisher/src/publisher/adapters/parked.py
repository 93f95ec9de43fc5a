"""Counts what waits for people to look at it."""

import asyncio
from contextlib import suppress

from antiphon.errors import Transient
from publisher.adapters.config import ConfigPolicies
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.adapters.telemetry import PublisherMeter
from publisher.domain.model import State

_PARKED_SECONDS = 15.0
"""Between counts of parked actions."""


async def count_parked(ledger: MongoLedger, policies: ConfigPolicies, meter: PublisherMeter) -> None:
    """Keep the gauge of parked actions right."""
    while True:
        with suppress(Transient):  # the next count comes soon
            meter.parked(sum([await ledger.count(brand, State.PARKED) for brand in policies.brands]))
        await asyncio.sleep(_PARKED_SECONDS)
