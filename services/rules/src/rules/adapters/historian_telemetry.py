"""The historian's metrics."""

from antiphon.telemetry import Telemetry
from rules.adapters.history.archive import DECIDED, EVENTS, INVALID_REASONS
from rules.backtests import JobState


class HistorianMetrics:
    """What the historian tells about itself."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._archived = telemetry.counter("archived_records", "Records written to the archive.", kind=(EVENTS, DECIDED))
        self._dead = telemetry.counter("dead_letters", "Records put aside, by reason.", reason=(*INVALID_REASONS, "bug"))
        self._lag = telemetry.gauge("archive_lag_records", "Records on the topics that are not yet in the archive.").labels()
        self._refused = telemetry.counter("refused_configuration", "Configuration records that could not be read.").labels()
        ended = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
        self._jobs = telemetry.counter("backtests", "Back-tests that this process worked on, by their end.", state=ended)

    def archived(self, kind: str, count: int) -> None:
        """Count records that are durable."""
        self._archived.labels(kind).inc(count)

    def dead_letter(self, reason: str) -> None:
        """Count a record that was put aside."""
        self._dead.labels(reason).inc()

    def lag(self, count: float) -> None:
        """Show how far the archive is behind; NaN: not known."""
        self._lag.set(count)

    def configuration_refused(self) -> None:
        """Count a configuration record that could not be read."""
        self._refused.inc()

    def ended(self, state: JobState) -> None:
        """Count a job that this process has done with."""
        self._jobs.labels(state).inc()
