"""Facts: what happened, in words of closed sets, without texts and names. Recorded once, never changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

POSTED = "posted"

PLATFORM_EFFECTS = frozenset({"reply", "private_reply", "hide", "unhide", "delete", "like", "request_rights"})
"""Actions that reach a platform. Tags, hand-offs and the like are recorded at once: their latency would flatter ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFact:
    """An event, as ingest accepted it. All times are aware."""

    event_id: str
    brand: str
    platform: str
    channel: str
    kind: str
    verb: str
    echo: bool
    event_time: datetime
    received_time: datetime

    @property
    def fact_id(self) -> str:
        """The same however often the fact arrives."""
        return self.event_id


@dataclass(frozen=True, slots=True)
class RuleFact:
    """One rule that matched an event; the reason `acted` stands for no objection."""

    rule_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ActionFact:
    """One action that follows from a decision."""

    kind: str
    mode: str


@dataclass(frozen=True, slots=True)
class Referral:
    """Where a click or a conversion came from; `click` is the event id of the click that a conversion names.

    `value` is in millionths of `currency`, so that sums are exact.
    """

    link: str
    action_id: str
    click: str
    reference: str
    value: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was understood of an event, and whose it is.

    `person`: a pseudonym of 63 bits, None where the platform hides the author. `level`: the COBRA level, empty for what
    is no activity. `sentiment` in thousandths from -1000 to 1000 and `rating` in hundredths, so that sums are exact.
    `reach`: the platform's reported reach, else the author's followers; None where neither is known.
    """

    person: int | None = None
    level: str = ""
    polarity: str = ""
    sentiment: int | None = None
    topics: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    language: str = ""
    rating: int | None = None
    reach: int | None = None
    ad: bool = False
    object: str = ""
    parent: str = ""
    root: str = ""
    referral: Referral | None = None


NOTHING_SAID = Said()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFact:
    """What the rules made of one event. Of several decisions on one event the first recorded stays.

    Times that are None were not stated.
    """

    event_id: str
    brand: str
    platform: str
    channel: str
    kind: str
    verb: str
    echo: bool
    event_time: datetime
    received_time: datetime | None
    decided_time: datetime | None
    outcome: str
    reason: str
    rules: tuple[RuleFact, ...]
    actions: tuple[ActionFact, ...]
    said: Said = NOTHING_SAID

    @property
    def fact_id(self) -> str:
        """The event's id: one decision for every event."""
        return self.event_id

    @property
    def decide_ms(self) -> int | None:
        """Milliseconds from reception to decision; None when one of the times is unknown."""
        return milliseconds(self.received_time, self.decided_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFact:
    """One change of an action's state; `sequence` counts those of one action from 1.

    `person` is the one answered; `target` what was answered, `root` its post, `posted_object` what the platform calls the answer.
    """

    action_id: str
    sequence: int
    event_id: str
    brand: str
    platform: str
    channel: str
    rule_id: str
    kind: str
    mode: str
    state: str
    reason: str
    event_time: datetime
    received_time: datetime | None
    delivered_time: datetime | None
    person: int | None = None
    target: str = ""
    root: str = ""
    posted_object: str = ""

    @property
    def fact_id(self) -> str:
        """Unique for each change of state."""
        return f"{self.action_id}/{self.sequence}"

    @property
    def pipeline_ms(self) -> int | None:
        """Milliseconds from platform time to posted; None for other states, and where no platform is involved."""
        if self.state != POSTED or self.kind not in PLATFORM_EFFECTS:
            return None
        return milliseconds(self.event_time, self.delivered_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFact:
    """One change of an entry to a campaign; `event_time` is the entry's own, the same in all its changes."""

    entry_id: str
    sequence: int
    brand: str
    campaign: str
    platform: str
    channel: str
    state: str
    reason: str
    person: int | None
    flags: tuple[str, ...]
    terms_version: int
    event_time: datetime
    changed_time: datetime | None

    @property
    def fact_id(self) -> str:
        """Unique for each change."""
        return f"{self.entry_id}/{self.sequence}"


Fact = EventFact | DecisionFact | DeliveryFact | EntryFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One generation of a hold, from the configuration: set when `active`, else ended by `actor`."""

    brand: str
    hold: str
    generation: int
    active: bool
    mode: str
    platform: str
    campaign: str
    topic: str
    rule_id: str
    reason: str
    severity: int
    notice_only: bool
    actor: str
    since_time: datetime | None
    changed_time: datetime | None


def milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    """Return whole milliseconds from start to end; 0 where a platform's clock runs ahead of ours, None if one is unknown."""
    if start is None or end is None:
        return None
    return max(0, (end - start) // timedelta(milliseconds=1))


def by_kind(facts: Iterable[Fact]) -> list[list[Fact]]:
    """Return the facts of each type together, in their order."""
    groups: dict[type[Fact], list[Fact]] = {}
    for fact in facts:
        groups.setdefault(type(fact), []).append(fact)
    return list(groups.values())


def first_of_each(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts without later ones of the same id."""
    first: dict[str, Fact] = {}
    for fact in facts:
        first.setdefault(fact.fact_id, fact)
    return list(first.values())
