"""Notifications as Standard Webhooks."""

from collections.abc import Sequence

from typing_extensions import override

from antiphon.clock import Clock
from antiphon.egress import Egress
from antiphon.errors import Invalid, Transient
from publisher.adapters.headers import http_date, retry_after
from publisher.domain import webhooks
from publisher.domain.calls import Answer, Deed, Denied, Listing, Rate, Untouched
from publisher.domain.entries.rights import Cleared
from publisher.domain.model import WEBHOOK, Kind, Order, Reason
from publisher.ports import Channel, Platform

_RATE = Rate(50.0, 100.0)
"""Calls a second and at once that a brand makes to one receiver: what one small server takes without falling over."""

_LONGEST_PAUSE = 3_600.0
"""Seconds for which a receiver can have everything held back; what it has answered itself waits as long as it asked."""

_BUSY = frozenset({429, 503})
"""Statuses that speak for the whole receiver, not for one notification."""


class Webhooks(Platform):
    """A receiver of notifications, seen as a platform: its URL is the target, the secrets that sign are the credential."""

    name = WEBHOOK
    kinds = frozenset({Kind.NOTIFY})
    repeatable = frozenset({Kind.NOTIFY})
    listable: frozenset[Kind] = frozenset()

    def __init__(self, egress: Egress, clock: Clock, *, timeout: float) -> None:
        self._egress, self._clock, self._timeout = egress, clock, timeout

    @override
    def default_rate(self) -> Rate:
        return _RATE

    @override
    async def act(self, channel: Channel, deed: Deed) -> Answer:
        now, body = self._clock.now().timestamp(), deed.text.encode()
        secrets = channel.credential.get_secret_value().split()
        headers = {
            "content-type": "application/json",
            "user-agent": "Antiphon",
            "webhook-id": deed.action_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": webhooks.signatures(secrets, deed.action_id, int(now), body),
        }
        try:
            reply = await self._egress.post(deed.target, body=body, headers=headers, seconds=self._timeout)
        except Invalid as error:
            return Answer(Denied(Reason.INVALID, str(error)))
        except Transient as error:
            return Answer(Untouched(str(error)))
        asked = retry_after(reply.headers.get("retry-after", ""), http_date(reply.headers.get("date", "")) or now)
        pause = min(asked or 0.0, _LONGEST_PAUSE) if reply.status in _BUSY else 0.0
        return Answer(webhooks.verdict(reply.status, asked), pause)

    @override
    async def feature(self, channel: Channel, deed: Deed, media: Sequence[Cleared]) -> Answer:
        return Answer(Denied(Reason.UNSUPPORTED, "a receiver of notifications shows nothing"))

    @override
    async def read_back(self, channel: Channel, order: Order) -> Listing:
        raise Transient("a receiver cannot be asked what it has received")

    @override
    async def check(self, channel: Channel) -> str:
        raise Invalid("unsupported", "a receiver has no account")
