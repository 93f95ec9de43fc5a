"""What the configuration's use cases need from outside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from rules.audit import AuditEntry
from rules.domain.decision import Decision
from rules.domain.matching.index import Snapshot
from rules.entities import ApiKey, Brand, Channel, Deletable, Entity, Hold, Rule, RuleState, Segment
from rules.trail import RuleVersion, Trail

E = TypeVar("E", bound=Entity)
D = TypeVar("D", bound=Deletable)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFilter:
    """Which rules are wanted: in a state, with `text` somewhere in their id or name (whatever its case), changed after a time."""

    state: RuleState | None = None
    text: str = ""
    changed_after: datetime | None = None


class TakenError(Exception):
    """Another entity holds what must be unique: the id, or a channel's account."""


class Configuration(Protocol):
    """What is in force now."""

    @property
    def snapshot(self) -> Snapshot:
        """Return the newest complete configuration."""
        ...


class ConfigStore(Protocol):
    """Keeps entities, durable when a call returns. Every method raises Transient when the store is away."""

    async def get(self, kind: type[E], brand: str, name: str = "") -> E | None:
        """Return the entity, if it exists."""
        ...

    async def create(self, entity: Entity, trail: Trail) -> None:
        """Save a new entity as not yet published. Raises TakenError."""
        ...

    async def replace(self, entity: Entity, trail: Trail) -> bool:
        """Save `entity` over its predecessor (one generation lower) as not yet published; False if that is not the stored one.

        Raises TakenError.
        """
        ...

    async def brands(self, visible: Collection[str] | None, after: str, limit: int) -> Sequence[Brand]:
        """Return brands in the order of their ids, those in `visible` (None: all)."""
        ...

    async def rules(self, brand: str, wanted: RuleFilter, after: str, limit: int) -> Sequence[Rule]:
        """Return a brand's rules in the order of their ids."""
        ...

    async def channels(self, brand: str, after: str, limit: int) -> Sequence[Channel]:
        """Return a brand's channels that are not deleted, in the order of their ids."""
        ...

    async def segments(self, brand: str, after: str, limit: int) -> Sequence[Segment]:
        """Return a brand's segments that are not deleted, in the order of their ids."""
        ...

    async def listed(self, kind: type[D], brand: str, after: str, limit: int) -> Sequence[D]:
        """Return a brand's topics, links or campaigns that are not deleted, in the order of their ids."""
        ...

    async def holds(self, brand: str, active: bool | None, after: str, limit: int) -> Sequence[Hold]:
        """Return a brand's holds in the order of their ids; `active` None: all."""
        ...

    async def keys(self, after: str, limit: int, brands: Collection[str] | None) -> Sequence[ApiKey]:
        """Return keys in the order of their ids, those that reach no brand outside `brands` (None: all)."""
        ...

    async def versions(self, brand: str, rule_id: str, before: int, limit: int) -> Sequence[RuleVersion]:
        """Return versions below `before`, the newest first."""
        ...

    async def newest_versions(self, rules: Sequence[Rule]) -> Sequence[RuleVersion]:
        """Return the newest version of each rule, in any order; one whose rule was saved just now may be missing."""
        ...

    async def audit(self, brand: str, after: int, limit: int) -> Sequence[AuditEntry]:
        """Return entries above the sequence number `after`, in order."""
        ...


class Outbox(Protocol):
    """Takes saved changes to everyone else."""

    async def deliver(self, entity: Entity) -> int | None:
        """Publish the stored state of the entity; return its revision (the offset), or None when it will be delivered later."""
        ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision from the archive, with its event, and when it was made (unix seconds).

    `whole`: the event is as it came; else it has only the fields that a decision repeats (no text, no media).
    """

    decision: Decision
    decided_time: float
    whole: bool


class History(Protocol):
    """Events and decisions of the past. Raises Transient when the archive is away."""

    async def find(self, brand: str, event_id: str) -> Recorded | None:
        """Return the newest decision on one event of the brand, None where the archive has none (any more)."""
        ...
