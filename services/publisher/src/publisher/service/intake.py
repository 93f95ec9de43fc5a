"""Decisions in: what they tell about threads is recorded, their actions become durable entries, then work begins."""

import logging
from collections.abc import Callable, Iterable, Sequence

from antiphon.clock import Clock
from publisher.domain.admission import Edit, Handoff, first_verdict, outdated
from publisher.domain.changes import Change, Fail, Record, Suppress, Timing
from publisher.domain.machine import fresh, step
from publisher.domain.model import ACTING, RECORDED, Decided, Entry, Kind, Order, Position, Reason, State
from publisher.ports import Failpoint, Ledger, Observation, Platform, Policies, Threads
from publisher.service.moves import Moves
from publisher.service.sightings import Sightings

log = logging.getLogger(__name__)

ADOPTED = 120.0
"""Seconds for which an entry is its process's own; after that a sweep of any process may take it up. A backlog is claimed anew
so often, at a write an entry: shorter, and the claims cost more than the sends. A restarted process does not wait for it."""


class Intake:
    """Makes a polled batch durable; nothing here calls a platform."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        threads: Threads,
        policies: Policies,
        platforms: dict[str, Platform],
        moves: Moves,
        sightings: Sightings,
        enqueue: Callable[[Iterable[Entry]], None],
        clock: Clock,
        timing: Timing,
        failpoint: Failpoint,
    ) -> None:
        self._ledger, self._threads, self._policies, self._platforms = ledger, threads, policies, platforms
        self._moves, self._sightings, self._enqueue = moves, sightings, enqueue
        self._clock, self._timing, self._failpoint = clock, timing, failpoint

    async def take(self, decisions: Sequence[Decided]) -> None:
        """Return once everything in the batch is durable. Raises Transient. Repeating a batch changes nothing."""
        seen = [*_observations(decisions), *self._handed_over(decisions)]
        await self._threads.record(seen)
        await self._sightings.take([decided for decided in decisions if decided.echo])
        orders = {order.action_id: (order, text) for decided in decisions for order, text in decided.actions}
        if orders:
            await self._insert([self._first(order, text) for order, text in orders.values()])

    def _handed_over(self, decisions: Sequence[Decided]) -> Iterable[Observation]:
        """Return where people shall take over, so that automation rests there; a shadow hands over nothing."""
        orders = [order for decided in decisions for order, _ in decided.actions if order.kind is Kind.HANDOFF]
        for order in orders:
            if first_verdict(order, self._policies.policy(order.brand)) is None:
                handoff = Handoff(order.event_time, order.event_id)
                yield Observation(order.brand, order.platform, order.thread, handoff=handoff)

    def _first(self, order: Order, text: str) -> Entry:
        now = self._clock.now().timestamp()
        position = fresh(order, text, now)
        change = self._first_change(order)
        return Entry(order, position if change is None else step(position, change, now, self._timing) or position)

    def _first_change(self, order: Order) -> Change | None:
        if order.kind not in ACTING | RECORDED | {Kind.NOTIFY}:
            return Fail(Reason.UNSUPPORTED, f"{order.kind} is not supported yet")
        verdict = first_verdict(order, self._policies.policy(order.brand))
        if verdict is not None:
            return verdict
        if order.kind in RECORDED:
            return Record()
        platform = self._platforms.get(order.outlet)
        if platform is None or order.kind not in platform.kinds:
            return Fail(Reason.UNSUPPORTED, f"{order.outlet} has no {order.kind}")
        return None

    async def _insert(self, entries: list[Entry]) -> None:
        self._failpoint("publisher.before_intent")
        inserted = await self._ledger.insert(entries, ADOPTED)
        for entry in inserted.new:
            self._moves.announce(None, entry)
        self._enqueue(entry for entry in (*inserted.new, *inserted.known) if entry.position.state is State.NEW)
        if inserted.taken:
            await self._yield_slots(inserted.taken)

    async def _yield_slots(self, refused: Sequence[Entry]) -> None:
        """The slot of a target goes to the newest text's action if the older one has not begun; else it stays."""
        again = [entry for entry in refused if await self._displaces(entry)]
        second = await self._ledger.insert(again, ADOPTED) if again else None
        still = [entry for entry in refused if entry not in again] + list(second.taken if second else ())
        losers = [Entry(entry.order, self._taken(entry.position)) for entry in still]
        third = await self._ledger.insert(losers, ADOPTED) if losers else None
        fresh_ones = [*(second.new if second else ()), *(third.new if third else ())]
        for entry in fresh_ones:
            self._moves.announce(None, entry)
        self._enqueue(entry for entry in fresh_ones if entry.position.state is State.NEW)

    async def _displaces(self, entry: Entry) -> bool:
        order = entry.order
        if order.verb != "edit":
            return False
        edit = Edit(order.event_time, order.received_time, order.event_id)
        for holder in await self._ledger.on_target(order.brand, order.platform, order.target):
            waits = holder.position.state in {State.NEW, State.WAITING_APPROVAL}
            if holder.order.kind is order.kind and waits and outdated(holder, edit):
                moved = await self._moves.apply(holder, Suppress(Reason.TARGET_EDITED))
                return moved is not None and moved.position.state is State.SUPPRESSED
        return False

    def _taken(self, position: Position) -> Position:
        now = self._clock.now().timestamp()
        first = fresh_again(position)
        return step(first, Suppress(Reason.TARGET_TAKEN), now, self._timing) or first


def fresh_again(position: Position) -> Position:
    """Return the position an entry had before its first verdict."""
    return Position(State.NEW, position.text, next_at=position.next_at, changed_at=position.changed_at)


def _observations(decisions: Sequence[Decided]) -> Iterable[Observation]:
    """Return what decisions' events tell about their objects: that they are gone, or that their text changed."""
    for decided in decisions:
        if decided.verb == "delete":
            yield Observation(decided.brand, decided.platform, decided.object, deleted_at=decided.event_time)
        elif decided.verb == "edit" and not decided.echo:
            edit = Edit(decided.event_time, decided.received_time, decided.event_id)
            yield Observation(decided.brand, decided.platform, decided.object, edit=edit)
