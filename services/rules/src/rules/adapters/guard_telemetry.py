"""The guard's metrics."""

from antiphon.telemetry import Telemetry

LEVELS = ("notice", "hold")

DELAYS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1_800.0)
"""Buckets of seconds: event times are whole seconds, the guard looks once a second, and what is half an hour old holds nobody."""


class GuardMetrics:
    """What the guard tells about itself."""

    def __init__(self, telemetry: Telemetry) -> None:
        result = ("new", "repeated")
        self._counted = telemetry.counter("guard_decisions", "Decisions counted, and repeats of some", result=result)
        self._alarms = telemetry.counter("guard_alarms", "Crises that people were told of", level=LEVELS)
        said = "From the statement that tipped the scale to the hold or notice on the topic"
        self._delay = telemetry.histogram("guard_delay_seconds", said, buckets=DELAYS, level=LEVELS)
        self._dead = telemetry.counter("guard_dead_letters", "Decisions put aside", reason=("undecodable", "incomplete", "bug"))
        self._active = telemetry.gauge("guard_active", "1 where this replica is the one on duty").labels()

    def active(self, active: bool) -> None:
        """Show whether this replica is the active one."""
        self._active.set(active)

    def counted(self, new: int, repeated: int) -> None:
        """Count decisions."""
        self._counted.labels("new").inc(new)
        self._counted.labels("repeated").inc(repeated)

    def alarmed(self, level: str, delay: float | None) -> None:
        """Count a crisis that people were told of; `delay`: seconds since the statement that tipped the scale, if known."""
        self._alarms.labels(level).inc()
        if delay is not None:
            self._delay.labels(level).observe(max(0.0, delay))

    def dead_letter(self, reason: str) -> None:
        """Count a record that was put aside."""
        self._dead.labels(reason if reason in {"undecodable", "incomplete"} else "bug").inc()
