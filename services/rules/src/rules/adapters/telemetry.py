"""Metrics of the rules service: `antiphon_rules_…`."""

from antiphon.telemetry import Telemetry
from rules.entities import KINDS, Kind


class ApiMetrics:
    """What the configuration API tells about itself."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._changes = telemetry.counter("changes", "Configuration records acknowledged by the topic.", kind=KINDS)
        self._pending = telemetry.gauge(
            "outbox_pending", "Changes that are saved and not yet on the topic, as last counted."
        ).labels()
        self._repairs = telemetry.counter(
            "outbox_repairs", "Entities sent again because the topic's last record was not theirs."
        ).labels()

    def published(self, kind: Kind) -> None:
        """Count a record that the topic has acknowledged."""
        self._changes.labels(kind).inc()

    def pending(self, count: int) -> None:
        """Show how many changes wait for the topic."""
        self._pending.set(count)

    def repaired(self) -> None:
        """Count an entity that the topic had wrong."""
        self._repairs.inc()
