"""What saves are checked against is made ready before anybody saves."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from antiphon.clock import SystemClock
from rules.adapters.matching import build_matcher
from rules.domain.event import NOTHING_UNDERSTOOD
from rules.domain.matching.index import Snapshot, build_snapshot
from rules.domain.matching.vocabulary import Matchers
from rules.domain.model import BrandSettings
from rules.vetting import MANY, Vetting


@dataclass
class InForce:
    snapshot: Snapshot
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def newer(self, known: Snapshot) -> Snapshot:
        """Say that the first round is over, and that nothing changes."""
        assert known is self.snapshot
        self.asked.set()
        await asyncio.Event().wait()
        return known


@pytest.mark.parametrize("count", [MANY, MANY - 1])
async def test_it_is_ready_once_large_brands_are(rule: Any, count: int) -> None:
    rules = [rule(f"r{number}") for number in range(count)]
    go_on = threading.Event()

    def slowly(keywords: Sequence[str], expressions: Sequence[str]) -> Matchers:
        go_on.wait()
        return build_matcher(keywords, expressions)

    in_force = InForce(build_snapshot(1, [BrandSettings("acme")], rules, (), build_matcher))
    vetting = Vetting(in_force=in_force, understands=lambda *_: NOTHING_UNDERSTOOD, factory=slowly, clock=SystemClock())
    running = asyncio.create_task(vetting.run(in_force.newer))
    try:
        for _ in range(20):
            await asyncio.sleep(0)
        assert vetting.is_ready == (count < MANY), "a brand of few rules is not waited for"
        go_on.set()
        async with asyncio.timeout(60):
            await in_force.asked.wait()
        assert vetting.is_ready
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
