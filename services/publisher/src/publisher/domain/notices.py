"""What people are told of a hold: one webhook message, and an e-mail for each address. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from publisher.domain.model import HOLD_NOTICE, MAILTO, Kind, Mode, Order

LIFE = 86_400.0
"""Seconds after which nobody need be told any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldNews:
    """A change of a hold. `generation` counts its changes, `changed_at` and `since` are unix seconds, `evidence` is JSON."""

    brand: str
    hold: str
    generation: int
    changed_at: float
    actor: str
    platform: str
    scope: Mapping[str, str]
    active: bool
    notice_only: bool
    reason: str
    severity: int
    since: float
    evidence: Mapping[str, Any]
    emails: Sequence[str]
    url: str
    secret_ref: str

    @property
    def event(self) -> str:
        """Return what happened, as receivers read it."""
        if not self.active:
            return "hold.resumed"
        return "hold.notice" if self.notice_only else "hold.set"


def orders(news: HoldNews) -> list[tuple[Order, str]]:
    """Return what is to be sent, each with its text. Ids are those of hold, generation and receiver: nobody is told twice."""
    receivers = [(MAILTO + address, "") for address in news.emails]
    receivers += [(news.url, news.secret_ref)] if news.url else []
    return [(_order(news, url, secret), _mail(news) if url.startswith(MAILTO) else _body(news)) for url, secret in receivers]


def _order(news: HoldNews, url: str, secret_ref: str) -> Order:
    name = sha256("|".join(("hold", news.brand, news.hold, str(news.generation), url)).encode()).hexdigest()
    return Order(
        action_id=name,
        event_id=name,
        brand=news.brand,
        platform=news.platform or "unspecified",
        account="",
        channel="",
        target=f"hold/{news.hold}",
        parent="",
        root="",
        author="",
        event_kind=HOLD_NOTICE,
        verb="create",
        rule_id="",
        rule_version=0,
        kind=Kind.NOTIFY,
        mode=Mode.AUTO,
        not_before=news.changed_at,
        expires=news.changed_at + LIFE,
        event_time=news.changed_at,
        received_time=news.changed_at,
        url=url,
        secret_ref=secret_ref,
    )


def _body(news: HoldNews) -> str:
    data = {
        "brand": news.brand,
        "hold": news.hold,
        "scope": dict(news.scope),
        "severity": news.severity,
        "reason": news.reason,
        "since": news.since,
        "by": news.actor,
        "evidence": dict(news.evidence),
    }
    return json.dumps({"type": news.event, "timestamp": news.changed_at, "data": data}, ensure_ascii=False)


_SUBJECTS = {
    "hold.set": "automation waits for your approval",
    "hold.notice": "unusually many negative mentions",
    "hold.resumed": "automation has been resumed",
}

_ADVICE = {
    "hold.set": "Nothing in this scope is posted without a person's approval now, what was queued included. Look at the "
    "outbox, decide on what waits, and resume the hold with a reason when it is over.",
    "hold.notice": "Nothing is held. Look at what people say; set a hold yourself if need be.",
    "hold.resumed": "New answers are automatic again. What waits for approval goes on waiting for it.",
}


def _mail(news: HoldNews) -> str:
    """Return the subject, an empty line, and the text."""
    scope = ", ".join(f"{what} {name}" for what, name in news.scope.items()) or "the whole brand"
    lines = [
        f"{news.brand}: {_SUBJECTS[news.event]} ({scope})",
        "",
        _ADVICE[news.event],
        "",
        f"Brand:    {news.brand}",
        f"Scope:    {scope}",
        f"Reason:   {news.reason}",
        *([f"Severity: {news.severity} of 10"] if news.severity else []),
        f"By:       {news.actor}",
        f"Hold:     {news.hold}",
    ]
    return "\n".join(lines)
