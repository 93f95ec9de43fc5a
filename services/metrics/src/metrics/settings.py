"""The service's settings."""

from pydantic import Field, SecretStr

from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings


class MetricsSettings(HttpSettings, KafkaSettings, MongoSettings):
    """Shared settings and `METRICS_…`."""

    metrics_person_key: SecretStr = Field(min_length=16, max_length=64)
    """Makes people's pseudonyms. All replicas share it, and it never changes: with another one everybody would be somebody
    new.
    """
    metrics_lost_grace_s: float = Field(default=60.0, gt=0)
    """An event without a decision for this long counts as lost; shorter than the line's own retries raises false alarms."""
    metrics_report_timeout_ms: int = Field(default=30_000, ge=100)
    """The longest that one query of a report may run; without it wide periods pile up on the store."""
    metrics_settle_s: float = Field(default=30.0, gt=0)
    """An hour is built when nothing was written to it for this long. Shorter builds busy hours again and again; a write that
    takes
    longer than a third of it costs another mark."""
