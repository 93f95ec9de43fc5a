"""What one author has consumed of the limits that are counted per author, and which variants the author was given.

Each entry names the event that made it, so that the same event, seen again after a crash or a redelivery, is admitted
again and consumes nothing. All times are event times (unix seconds), so that the order of arrival does not matter.
"""

import json
from collections.abc import Iterable, Sequence
from math import inf
from typing import NamedTuple

from antiphon.windows import fits
from rules.domain.decision import LimitScope, RuleLimit

AUTHOR_SCOPES = frozenset({LimitScope.AUTHOR, LimitScope.AUTHOR_OBJECT})
"""Scopes whose key holds the author: only these can be counted where events are kept in order by author."""

REDELIVERY_SECONDS = 48 * 3600.0
"""How much longer than its window an entry is kept: platforms redeliver for 36 hours."""

ROTATION_SECONDS = 30 * 24 * 3600.0
"""How long an author's last variant is remembered: after a month nobody notices the same words."""

MAX_USES = 256
"""Entries an author may hold; the oldest go first. 256 take about 20 kB; no person gets near, a robot must not grow it."""

MAX_VARIANTS = 32
"""Last variants an author may hold."""

_FORMAT = 2
_WITHOUT_FIRST_EVENT = 1
"""The format before the first contact was remembered."""

_EVENT_CHARACTERS = 32
"""Event ids are hashes: half of one still tells events apart and halves the state."""


class Use(NamedTuple):
    """An event made a rule act for the author; `object` is the post, or "" if no limit looks at it."""

    rule_id: str
    object: str
    event_time: float
    event_id: str
    keep_until: float


class VariantUse(NamedTuple):
    """An event was answered with a variant of the action at `position` of a rule."""

    rule_id: str
    position: int
    event_id: str
    event_time: float
    variant: int


class AuthorState(NamedTuple):
    """The state of one author, immutable. `first_event`: the first one seen since a rule asks for it, "" if none did."""

    uses: tuple[Use, ...] = ()
    variants: tuple[VariantUse, ...] = ()
    first_event: str = ""

    def to_bytes(self) -> bytes:
        """Return a compact form; b"" for an empty state."""
        if self == EMPTY:
            return b""
        uses = [[u.rule_id, u.object, u.event_time, u.event_id, None if u.keep_until == inf else u.keep_until] for u in self.uses]
        variants = [[v.rule_id, v.position, v.event_id, v.event_time, v.variant] for v in self.variants]
        return json.dumps([_FORMAT, uses, variants, self.first_event], separators=(",", ":"), ensure_ascii=False).encode()

    @staticmethod
    def from_bytes(data: bytes) -> "AuthorState":
        """Return the state in bytes of `to_bytes`. Raises ValueError for anything else."""
        if not data:
            return EMPTY
        version, uses, variants, *first = json.loads(data)
        if (version, len(first)) not in {(_FORMAT, 1), (_WITHOUT_FIRST_EVENT, 0)}:
            raise ValueError(f"author state of format {version}; this release reads up to {_FORMAT}")
        return AuthorState(
            tuple(Use(rule, post, time, event, inf if keep is None else keep) for rule, post, time, event, keep in uses),
            tuple(VariantUse(*variant) for variant in variants),
            *first,
        )

    @property
    def first_known(self) -> str:
        """Return the author's first event that this state knows of, also if no rule asked for it; "" if it knows none."""
        if self.first_event or not (self.uses or self.variants):
            return self.first_event
        known = [(use.event_time, use.event_id) for use in self.uses]
        return min(known + [(given.event_time, given.event_id) for given in self.variants])[1]

    def is_first_contact(self, event_id: str) -> bool:
        """Return whether no other event of the author came before; the first one itself is first contact again."""
        return self.first_known in {"", event_id[:_EVENT_CHARACTERS]}

    def consumed_by(self, rule_id: str, event_id: str) -> bool:
        """Return whether this very event already consumed the rule's limits."""
        event = event_id[:_EVENT_CHARACTERS]
        return any(use.event_id == event and use.rule_id == rule_id for use in self.uses)

    def variant_given(self, rule_id: str, position: int, event_id: str) -> int | None:
        """Return the variant this very event was answered with, or None."""
        event = event_id[:_EVENT_CHARACTERS]
        return next(
            (v.variant for v in self.variants if v.event_id == event and v.rule_id == rule_id and v.position == position), None
        )

    def last_variant(self, rule_id: str, position: int) -> int | None:
        """Return the variant the author was given last at this place, or None."""
        return next((v.variant for v in reversed(self.variants) if v.rule_id == rule_id and v.position == position), None)


EMPTY = AuthorState()
"""An author who has consumed nothing."""


def admit(
    state: AuthorState, limits: Iterable[RuleLimit], *, rule_id: str, post: str, event_id: str, event_time: float
) -> RuleLimit | None:
    """Return the first limit per author that keeps the rule from acting, or None when all admit the event."""
    if not state.uses or state.consumed_by(rule_id, event_id):
        return None
    for limit in limits:
        if limit.per not in AUTHOR_SCOPES:
            continue
        window = inf if limit.within_seconds is None else limit.within_seconds
        times = sorted(
            use.event_time
            for use in state.uses
            if use.rule_id == rule_id and (limit.per is LimitScope.AUTHOR or use.object == post)
        )
        if not fits(times, event_time, limit.at_most, window):
            return limit
    return None


def consume(
    state: AuthorState, limits: Sequence[RuleLimit], *, rule_id: str, post: str, event_id: str, event_time: float, now: float
) -> AuthorState:
    """Return the state after the event made the rule act; the same object when nothing is new.

    `now` is the time (unix seconds) that expired entries are measured by; never later than the clock of this system.
    """
    own = [limit for limit in limits if limit.per in AUTHOR_SCOPES]
    if not own or state.consumed_by(rule_id, event_id):
        return state
    looks_at_post = any(limit.per is LimitScope.AUTHOR_OBJECT for limit in own)
    longest = max(inf if limit.within_seconds is None else limit.within_seconds for limit in own)
    use = Use(
        rule_id,
        post if looks_at_post else "",
        event_time,
        event_id[:_EVENT_CHARACTERS],
        event_time + longest + REDELIVERY_SECONDS,
    )
    return state._replace(uses=_bounded_uses((*(u for u in state.uses if u.keep_until >= now), use)))


def _bounded_uses(uses: tuple[Use, ...]) -> tuple[Use, ...]:
    if len(uses) <= MAX_USES:
        return uses
    expendable = min(uses[:-1], key=lambda use: (use.keep_until == inf, use.event_time))
    return tuple(use for use in uses if use is not expendable)


def give_variant(
    state: AuthorState, *, rule_id: str, position: int, event_id: str, event_time: float, variant: int, now: float
) -> AuthorState:
    """Return the state after the event was answered with a variant; the same object when it already was."""
    if state.variant_given(rule_id, position, event_id) is not None:
        return state
    use = VariantUse(rule_id, position, event_id[:_EVENT_CHARACTERS], event_time, variant)
    kept = tuple(v for v in state.variants if v.event_time + ROTATION_SECONDS >= now)
    return state._replace(variants=(*kept, use)[-MAX_VARIANTS:])


def meet(state: AuthorState, event_id: str) -> AuthorState:
    """Return the state that remembers the author's first event: this one, if none is known; the same object when it does."""
    if state.first_event:
        return state
    return state._replace(first_event=state.first_known or event_id[:_EVENT_CHARACTERS])
