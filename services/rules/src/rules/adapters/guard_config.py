"""How each brand wants to be watched, from the configuration topic."""

from collections.abc import Sequence

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig
from rules.domain.guard.severity import HOLD_AT, MIN_EVENTS, NOTIFY_AT, Terms


class GuardTerms:
    """The terms in force; a brand that is not configured has none, because there is nothing of it to hold."""

    def __init__(self) -> None:
        self._terms: dict[str, Terms | None] = {}
        self._generations: dict[str, int] = {}

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns brands; a lower generation never replaces a higher one."""
        for change in changes:
            record = change.record
            if record is None:
                if change.key.startswith("brand/"):
                    self._terms.pop(change.key.split("/")[1], None)
            elif record.WhichOneof("entity") == "brand" and record.generation >= self._generations.get(change.key, 0):
                self._generations[change.key] = record.generation
                self._terms[record.brand.brand] = _terms(record.brand)

    def of(self, brand: str) -> Terms | None:
        """Return how a brand is watched; None: not at all."""
        return self._terms.get(brand)


def _terms(brand: BrandConfig) -> Terms | None:
    guard = brand.guard
    if guard.off or brand.deleted:
        return None
    hold_at, notify_at = guard.hold_at or HOLD_AT, guard.notify_at or NOTIFY_AT
    return Terms(hold_at, min(notify_at, hold_at), guard.min_events or MIN_EVENTS)
