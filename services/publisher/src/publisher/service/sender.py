"""The way from a queued entry to exactly one call: checks, allowance, claim, call, outcome."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from functools import partial

from pydantic import SecretStr

from antiphon.clock import Clock
from antiphon.errors import Transient
from publisher.domain import webhooks
from publisher.domain.admission import Hold, Surroundings, expiry, held, objection
from publisher.domain.calls import AlreadyThere, Answer, Deed, Denied, Done, Outcome, Unclear, Untouched
from publisher.domain.changes import Accepted, Change, Claim, Duplicate, Fail, Lost, NotSent, Refused, Suppress, Timing
from publisher.domain.entries.rights import NotCleared
from publisher.domain.machine import may_write
from publisher.domain.model import EMAIL, Entry, Kind, Order, Reason, State
from publisher.domain.pace import pace
from publisher.ports import Channel, Channels, Failpoint, Ledger, Meter, Platform, Policies, Rights, Secrets, Threads, Tokens
from publisher.service.lanes import Prepared, Ready, lane_of
from publisher.service.moves import Moves
from publisher.service.quotas import Quotas

log = logging.getLogger(__name__)

HELD_PAUSE = 0.5
"""Seconds until a held entry is looked at again; far below the five within which a hold or its end must be live."""

CREDENTIAL_REST = 600.0
"""Seconds for which a refused credential is not tried again: a revoked one is then asked for a few times an hour."""


class Sender:
    """Everything between a lane and a platform."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        threads: Threads,
        quotas: Quotas,
        channels: Channels,
        secrets: Secrets,
        tokens: Tokens,
        policies: Policies,
        platforms: dict[str, Platform],
        rights: Rights,
        moves: Moves,
        meter: Meter,
        remember: Callable[[str, str], None],
        clock: Clock,
        timing: Timing,
        http_timeout: float,
        failpoint: Failpoint,
    ) -> None:
        self._ledger, self._threads, self._quotas, self._channels, self._secrets = ledger, threads, quotas, channels, secrets
        self._tokens, self._policies, self._platforms, self._moves = tokens, policies, platforms, moves
        self._meter, self._remember, self._clock, self._timing = meter, remember, clock, timing
        self._rights, self._http_timeout, self._failpoint = rights, http_timeout, failpoint

    async def prepare(self, batch: Sequence[Entry]) -> Prepared:
        """Check a batch of one lane and claim what may be sent now. Raises Transient before anything was claimed."""
        now = self._clock.now().timestamp()
        later, batch = self._waiting(batch, now)
        if not batch:
            return Prepared(later=later)
        objections, free = await self._judge(batch, now, later)
        channel, refusal = await self._channel(batch[0].order, now)
        if channel is None:
            objections += [(entry, refusal) for entry in free]
            free = []
        objections, free = await self._within_limits(objections, free)
        await self._moves.apply_all(objections)
        if channel is None or not free:
            return Prepared(later=later)
        return await self._claim(free, channel, later)

    def _waiting(self, batch: Sequence[Entry], now: float) -> tuple[list[tuple[Entry, float]], list[Entry]]:
        policy = self._policies.policy(batch[0].order.brand)
        later = [(e, HELD_PAUSE) for e in batch if held(policy, e.order) and now < expiry(e)]
        kept = {entry.order.action_id for entry, _ in later}
        return later, [entry for entry in batch if entry.order.action_id not in kept]

    async def _judge(
        self, batch: Sequence[Entry], now: float, later: list[tuple[Entry, float]]
    ) -> tuple[list[tuple[Entry, Change]], list[Entry]]:
        first = batch[0].order
        names = {n for e in batch for n in (e.order.target, e.order.parent, e.order.root, e.order.thread) if n}
        facts = await self._threads.facts(first.brand, first.platform, sorted(names))
        around = Surroundings(self._policies.policy(first.brand), facts)
        objections: list[tuple[Entry, Change]] = []
        free: list[Entry] = []
        for entry in batch:
            against = objection(entry, around, now) or await self._without_rights(entry.order)
            if against is None:
                free.append(entry)
            elif isinstance(against, Hold):
                later.append((entry, HELD_PAUSE))
            else:
                objections.append((entry, against))
        return objections, free

    async def _without_rights(self, order: Order) -> Suppress | None:
        cleared = await self._rights.cleared(order) if order.kind is Kind.FEATURE else None
        return Suppress(Reason.NO_RIGHTS, cleared.detail) if isinstance(cleared, NotCleared) else None

    async def _channel(self, order: Order, now: float) -> tuple[Channel | None, Suppress | Fail]:
        if order.kind is Kind.NOTIFY:
            return await self._receiver(order)
        channel = await self._channels.find(order.brand, order.channel, order.platform, order.account)
        if channel is None:
            return None, Suppress(Reason.NO_CHANNEL)
        if channel.refused_at is not None and now - channel.refused_at < CREDENTIAL_REST:
            return None, Suppress(Reason.CREDENTIAL, "the platform refuses the channel's credential")
        return channel, Suppress(Reason.NO_CHANNEL)

    async def _receiver(self, order: Order) -> tuple[Channel | None, Fail]:
        """A receiver of notifications as a channel of its own: the secrets that sign are its credential."""
        brand, _, receiver, _ = lane_of(order)
        if order.outlet == EMAIL:
            return Channel(brand, receiver, EMAIL, receiver, SecretStr("")), Fail(Reason.NO_SECRET)
        secrets = await self._secrets.valid(order.brand, order.secret_ref)
        missing = Fail(Reason.NO_SECRET, f"the brand has no secret {order.secret_ref!r}; store it and send again")
        if not secrets:
            return None, missing
        credential = SecretStr(" ".join(secret.get_secret_value() for secret in secrets))
        return Channel(brand, receiver, order.outlet, receiver, credential), missing

    async def _within_limits(
        self, objections: list[tuple[Entry, Change]], free: list[Entry]
    ) -> tuple[list[tuple[Entry, Change]], list[Entry]]:
        full = await self._quotas.full(free)
        objections += [(e, Suppress(Reason.LIMIT, full[e.order.action_id])) for e in free if e.order.action_id in full]
        return objections, [entry for entry in free if entry.order.action_id not in full]

    async def _claim(self, free: list[Entry], channel: Channel, later: list[tuple[Entry, float]]) -> Prepared:
        platform = self._platforms[channel.platform]
        grant = await self._tokens.take(channel.key, len(free), channel.rate or platform.default_rate())
        later += [(entry, grant.wait) for entry in free[grant.granted :]]
        chosen, rest = free[: grant.granted], grant.wait if grant.granted < len(free) else 0.0
        if not chosen:
            return Prepared(later=later, rest=rest)
        claimant = uuid.uuid4().hex
        deadline = self._clock.monotonic() + self._timing.lease
        try:
            claimed = await self._moves.apply_all([(entry, Claim(claimant)) for entry in chosen])
        except Transient:
            return Prepared(ready=[Ready(e, partial(self._unclaim, e, claimant)) for e in chosen], later=later, rest=rest)
        self._failpoint("publisher.after_sending")
        sending = [entry for entry in claimed if entry is not None]
        return Prepared([Ready(e, partial(self._send, e, channel, platform, deadline)) for e in sending], later, rest)

    async def _unclaim(self, entry: Entry, claimant: str) -> Entry | None:
        """A claim that may or may not be saved, and surely was not followed by a send: take it back."""
        while True:
            try:
                found = await self._ledger.get([entry.order.action_id])
                if not found or found[0].position.claimant != claimant:
                    return found[0] if found else None
                free = NotSent(found[0].position.epoch, "the store did not confirm the claim", 0.0, counts=False)
                return await self._moves.apply(found[0], free)
            except Transient:
                await asyncio.sleep(0.5)

    async def _send(self, entry: Entry, channel: Channel, platform: Platform, deadline: float) -> Entry | None:
        began = self._clock.monotonic()
        if not may_write(deadline, began, self._http_timeout):
            late = NotSent(entry.position.epoch, "too late to send", self._timing.retry_first, counts=False)
            return await self._save(entry, late)
        answer = await self._act(entry, channel, platform, deadline)
        self._meter.called(platform.name, self._clock.monotonic() - began)
        self._failpoint("publisher.after_response")
        if isinstance(answer.outcome, Done):
            self._remember(platform.name, answer.outcome.platform_id)
        moved = await self._save(entry, self._change(entry, answer.outcome, platform))
        await self._heed(channel, answer)
        return moved

    async def _act(self, entry: Entry, channel: Channel, platform: Platform, deadline: float) -> Answer:
        deed = _deed(entry, deadline)
        if entry.order.kind is not Kind.FEATURE:
            return await platform.act(channel, deed)
        try:
            cleared = await self._rights.cleared(entry.order)
        except Transient as error:
            return Answer(Untouched(f"the rights could not be read: {error}"))
        if isinstance(cleared, NotCleared):
            return Answer(Denied(Reason.NO_RIGHTS, cleared.detail))
        return await platform.feature(channel, deed, cleared)

    async def _save(self, entry: Entry, change: Change) -> Entry | None:
        """The outcome is known here and nowhere else: keep trying until the store has it."""
        while True:
            try:
                moved = await self._moves.apply(entry, change)
            except Transient as error:
                log.warning("an outcome waits for the store: %s", error, extra={"action_id": entry.order.action_id})
                await asyncio.sleep(0.5)
            else:
                if moved is not None and moved.position.state is State.UNKNOWN:
                    self._meter.unknown(entry.order.platform)
                return moved

    def _change(self, entry: Entry, outcome: Outcome, platform: Platform) -> Change:
        epoch, kind = entry.position.epoch, entry.order.kind
        match outcome:
            case Done(platform_id):
                return Accepted(epoch, platform_id)
            case Denied(Reason.TARGET_GONE, _) if kind is Kind.DELETE and entry.position.uncertain:
                return Accepted(epoch, entry.order.target)  # what an earlier call left behind
            case Denied(reason, detail):
                return Refused(epoch, reason, detail)
            case Untouched(detail, None, counts) if kind is Kind.NOTIFY:
                return NotSent(epoch, detail, webhooks.wait(entry.position.attempts), counts)
            case Untouched(detail, after, counts):
                return NotSent(epoch, detail, after, counts)
            case AlreadyThere(detail):
                return Duplicate(epoch, detail)
            case Unclear(detail):
                return Lost(epoch, detail, kind in platform.repeatable)

    async def _heed(self, channel: Channel, answer: Answer) -> None:
        if answer.credential_refused:
            await self._channels.credential_refused(channel, self._clock.now().timestamp())
        elif channel.refused_at is not None and isinstance(answer.outcome, Done):
            await self._channels.credential_refused(channel, None)
        asked = pace(answer.usage) if answer.usage else None
        pause = max(answer.pause, asked.pause if asked else 0.0)
        if pause:
            await self._tokens.pause(channel.key, pause)
        if asked:
            await self._tokens.slow(channel.key, asked.factor)


def _deed(entry: Entry, deadline: float) -> Deed:
    order = entry.order
    target = order.url if order.kind is Kind.NOTIFY else order.target
    return Deed(order.action_id, order.kind, order.event_kind, target, order.author, entry.position.text, deadline)
