"""What follows from a change of a hold: what is queued waits for people at once, and people are told."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from antiphon.clock import Clock
from antiphon.errors import Transient
from publisher.domain.admission import first_verdict
from publisher.domain.machine import fresh
from publisher.domain.model import Entry, State
from publisher.domain.notices import LIFE, HoldNews, orders
from publisher.ports import Filter, Ledger, Policies
from publisher.service.intake import ADOPTED
from publisher.service.moves import Moves

log = logging.getLogger(__name__)

_PAGE = 500
"""Entries a look and a write: a tenth of a second, so that tens of thousands wait within the five seconds."""

_RETRY_SECONDS = 0.5
"""Before what the store refused is tried again."""


class Holding:
    """Every worker does this; compare-and-sets and the notices' ids make it happen once."""

    def __init__(
        self, *, ledger: Ledger, policies: Policies, moves: Moves, enqueue: Callable[[Iterable[Entry]], None], clock: Clock
    ) -> None:
        self._ledger, self._policies, self._moves, self._enqueue, self._clock = ledger, policies, moves, enqueue, clock
        self._news: asyncio.Queue[HoldNews] = asyncio.Queue()

    def put(self, news: Sequence[HoldNews]) -> None:
        """Take changes of holds; the policies know them already."""
        for one in news:
            self._news.put_nowait(one)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            news = await self._news.get()
            while True:
                try:
                    await self.take(news)
                    break
                except Transient as error:
                    log.warning("a hold waits for the store: %s", error, extra={"brand": news.brand})
                    await asyncio.sleep(_RETRY_SECONDS)

    async def take(self, news: HoldNews) -> None:
        """Let what is queued wait, then tell people. Raises Transient; repeating it changes nothing."""
        if news.active and not news.notice_only:
            await self._ask(news.brand)
        now = self._clock.now().timestamp()
        if now < news.changed_at + LIFE:
            await self._tell([Entry(order, fresh(order, text, now)) for order, text in orders(news)])

    async def _ask(self, brand: str) -> None:
        """Move everything new that a hold covers to those who approve."""
        after: str | None = ""
        while after is not None:
            page = await self._ledger.browse(brand, Filter(state=State.NEW), after=after, limit=_PAGE)
            policy = self._policies.policy(brand)
            waiting = [entry for entry in page.entries if not entry.position.approved]
            asked = [(entry, verdict) for entry in waiting if (verdict := first_verdict(entry.order, policy)) is not None]
            await self._moves.apply_all(list(asked))
            after = page.next

    async def _tell(self, entries: list[Entry]) -> None:
        inserted = await self._ledger.insert(entries, ADOPTED) if entries else None
        if inserted is not None:
            self._enqueue(entry for entry in (*inserted.new, *inserted.known) if entry.position.state is State.NEW)
