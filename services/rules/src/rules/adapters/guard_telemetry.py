"""The guard's metrics."""

from antiphon.telemetry import Telemetry


class GuardMetrics:
    """What the guard tells about itself."""

    def __init__(self, telemetry: Telemetry) -> None:
        result = ("new", "repeated")
        self._counted = telemetry.counter("guard_decisions", "Decisions counted, and repeats of some", result=result)
        self._alarms = telemetry.counter("guard_alarms", "Crises that people were told of", level=("notice", "hold"))
        self._dead = telemetry.counter("guard_dead_letters", "Decisions put aside", reason=("undecodable", "incomplete", "bug"))
        self._active = telemetry.gauge("guard_active", "1 where this replica is the one on duty").labels()

    def active(self, active: bool) -> None:
        """Show whether this replica is the active one."""
        self._active.set(active)

    def counted(self, new: int, repeated: int) -> None:
        """Count decisions."""
        self._counted.labels("new").inc(new)
        self._counted.labels("repeated").inc(repeated)

    def alarmed(self, level: str) -> None:
        """Count a crisis that people were told of."""
        self._alarms.labels(level).inc()

    def dead_letter(self, reason: str) -> None:
        """Count a record that was put aside."""
        self._dead.labels(reason if reason in {"undecodable", "incomplete"} else "bug").inc()
