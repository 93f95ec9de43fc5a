"""Fakes that more than one service's tests use."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both times on."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
