"""What the configuration's use cases need from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from rules.audit import AuditEntry
from rules.entities import ApiKey, Brand, Channel, Entity, Rule, RuleState, RuleVersion, Trail

E = TypeVar("E", bound=Entity)


class TakenError(Exception):
    """Another entity holds what must be unique: the id, or a channel's account."""


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

    async def rules(self, brand: str, state: RuleState | None, after: str, limit: int) -> Sequence[Rule]:
        """Return a brand's rules in the order of their ids."""
        ...

    async def channels(self, brand: str) -> Sequence[Channel]:
        """Return a brand's channels that are not deleted."""
        ...

    async def keys(self, after: str, limit: int, brands: Collection[str] | None) -> Sequence[ApiKey]:
        """Return keys in the order of their ids, those that reach no brand outside `brands` (None: all)."""
        ...

    async def versions(self, brand: str, rule_id: str, before: int, limit: int) -> Sequence[RuleVersion]:
        """Return versions below `before`, the newest first."""
        ...

    async def audit(self, brand: str, after: int, limit: int) -> Sequence[AuditEntry]:
        """Return entries above the sequence number `after`, in order."""
        ...


class Outbox(Protocol):
    """Takes saved changes to everyone else."""

    async def deliver(self, entity: Entity) -> int | None:
        """Publish the stored state of the entity; return its revision (the offset), or None when it will be delivered later."""
        ...
