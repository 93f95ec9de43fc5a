"""Brands' pauses after a person wrote, as a back-test needs them."""

from collections.abc import Sequence

from antiphon.config_feed import Change


class HumanPauses:
    """For how long automation rests in a thread after a person of the brand wrote there; the publisher heeds it."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns brands."""
        for change in changes:
            if change.record is not None and change.record.WhichOneof("entity") == "brand":
                self._seconds[change.record.brand.brand] = float(change.record.brand.human_pause_seconds)

    def of(self, brand: str) -> float:
        """Return the pause in seconds, 0: none."""
        return self._seconds.get(brand, 0.0)
