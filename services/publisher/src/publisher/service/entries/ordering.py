"""Orders that campaigns give to the one-effect ledger: the worker carries them out, once, with all its checks."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from antiphon.clock import Clock
from publisher.domain.admission import first_verdict
from publisher.domain.changes import Approve, AskApproval, Change, Fail, Suppress, Timing
from publisher.domain.entries.model import CampaignEntry
from publisher.domain.machine import fresh, step
from publisher.domain.model import Entry, Kind, Mode, Order, Reason
from publisher.ports import Ledger, Policies

LIFE = 86_400.0
"""Seconds that an order lives; a request that nobody approved in a day is asked for anew by who still wants it."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """Places orders. `kinds`: what each platform can do."""

    ledger: Ledger
    policies: Policies
    kinds: Mapping[str, AbstractSet[Kind]]
    clock: Clock
    timing: Timing = field(default_factory=Timing)

    def order(self, entry: CampaignEntry, action_id: str, kind: Kind, target: str, version: int, mode: Mode) -> Order:
        """Return an order about an entry, decided at this moment: so earlier edits and answers do not stand against it.

        Deleting a post of ours addresses nobody: it is done, and kept, also when the person is to be forgotten.
        """
        capture, now = entry.capture, self.clock.now().timestamp()
        return Order(
            action_id=action_id,
            event_id=capture.event_id,
            brand=capture.brand,
            platform=capture.platform,
            account=capture.account,
            channel=capture.channel,
            target=target,
            parent=_parent(entry, kind, target),
            root="" if kind is Kind.DELETE else capture.root,
            author="" if kind is Kind.DELETE else capture.author,
            event_kind=capture.event_kind,
            verb="edit",
            rule_id=f"campaign:{capture.campaign}",
            rule_version=version,
            kind=kind,
            mode=mode,
            not_before=0.0,
            expires=now + LIFE,
            event_time=now,
            received_time=now,
            campaign=capture.campaign,
        )

    def can(self, platform: str, kind: Kind) -> bool:
        """Tell whether a platform can do it at all."""
        return kind in self.kinds.get(platform, frozenset())

    async def place(self, order: Order, text: str, *, approved_by: str = "") -> Entry:
        """Store the order, or return it as it stands. `approved_by`: a person's yes comes with it. Raises Transient."""
        now = self.clock.now().timestamp()
        entry = Entry(order, fresh(order, text, now))
        for change in self._first(order, approved_by):
            entry = self._after(entry, change, now)
        return await self._stored(entry, now)

    def _first(self, order: Order, approved_by: str) -> list[Change]:
        if not self.can(order.platform, order.kind):
            return [Fail(Reason.UNSUPPORTED, f"{order.platform} has no {order.kind}")]
        verdict = first_verdict(order, self.policies.policy(order.brand))
        if approved_by and (verdict is None or isinstance(verdict, AskApproval)):
            return [AskApproval(), Approve(approved_by)]
        return [] if verdict is None else [verdict]

    def _after(self, entry: Entry, change: Change, now: float) -> Entry:
        return replace(entry, position=step(entry.position, change, now, self.timing) or entry.position)

    async def _stored(self, entry: Entry, now: float) -> Entry:
        inserted = await self.ledger.insert([entry], 0.0)
        if inserted.taken:
            taken = self._after(
                Entry(entry.order, fresh(entry.order, entry.position.text, now)), Suppress(Reason.TARGET_TAKEN), now
            )
            inserted = await self.ledger.insert([taken], 0.0)
            return next(iter(inserted.known), taken)
        return next(iter(inserted.known), entry)

    async def state(self, action_id: str) -> Entry | None:
        """Return an order as it stands; None if it was never placed."""
        found = await self.ledger.get([action_id])
        return found[0] if found else None


def _parent(entry: CampaignEntry, kind: Kind, target: str) -> str:
    """A reminder belongs to the entry's thread; a post of ours that is removed belongs to none, and goes when that has gone."""
    if kind is Kind.DELETE:
        return ""
    return entry.capture.parent if target == entry.capture.object else entry.capture.object
