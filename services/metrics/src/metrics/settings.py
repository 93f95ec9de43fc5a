"""The service's settings."""

from pydantic import Field

from antiphon.persons import PersonSettings
from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings


class MetricsSettings(HttpSettings, KafkaSettings, MongoSettings, PersonSettings):
    """Shared settings and `METRICS_…`."""

    metrics_lost_grace_s: float = Field(default=60.0, gt=0)
    """An event without a decision for this long counts as lost; shorter than the line's own retries raises false alarms."""
    metrics_report_timeout_ms: int = Field(default=30_000, ge=100)
    """The longest that one query of a report may run; without it wide periods pile up on the store."""
