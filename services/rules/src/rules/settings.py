"""Settings of the rules service: of its API and of its engine."""

from pydantic import Field

from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings


class RulesSettings(HttpSettings, KafkaSettings, MongoSettings):
    """Own names begin with `RULES_`; durations end in their unit."""

    rules_publish_timeout_seconds: float = Field(default=2.0, gt=0, le=30)
    """How long a change waits for the topic before it is answered as saved but not yet live."""
    rules_sweep_seconds: float = Field(default=1.0, gt=0, le=60)
    """Between two looks for changes that are saved but not yet on the topic."""
