"""Settings of the rules service: of its API and of its engine."""

from pydantic import Field

from antiphon.egress import Networks
from antiphon.links import LinkSettings
from antiphon.persons import PersonSettings
from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings


class RulesSettings(HttpSettings, KafkaSettings, MongoSettings):
    """Own names begin with `RULES_`; durations end in their unit."""

    rules_publish_timeout_seconds: float = Field(default=2.0, gt=0, le=30)
    """How long a change waits for the topic before it is answered as saved but not yet live."""
    rules_sweep_seconds: float = Field(default=1.0, gt=0, le=60)
    """Between two looks for changes that are saved but not yet on the topic."""


class RulesApiSettings(RulesSettings, PersonSettings, LinkSettings):
    """Of the API, which seals what it must not know in clear (tokens of brands' own models, answers kept for repetition) and
    shows the addresses of tracked links.
    """


class RulesEngineSettings(RulesSettings, PersonSettings, LinkSettings):
    """Of the engine, which opens the tokens of brands' own models and signs the codes of tracked links."""

    rules_model_allowed_networks: Networks = ""
    """Networks that brands' own models may be called in beside public addresses, separated by commas; for intranets and tests."""


class RulesHistorianSettings(RulesSettings, PersonSettings, LinkSettings):
    """Of the historian, which keeps the archive and works off back-tests: answers with tracked links as they were."""

    rules_history_days: int = Field(default=90, ge=1, le=3650)
    """How long events and decisions stay in the archive: back-tests reach no further back, no word of a person stays longer."""
    rules_history_fill_seconds: float = Field(default=1.0, ge=0, le=60)
    """How long a batch may fill before it is written: shorter makes small blocks, longer makes followers of decisions wait."""
    rules_history_epoch: int = Field(default=0, ge=0)
    """Raised by one when the topics were made anew, so that offsets which begin again are not taken for redeliveries."""
    rules_backtest_lease_seconds: float = Field(default=15.0, ge=2)
    """After this without a sign of life another process takes a back-test up."""
    rules_backtest_private_replies_per_hour: int = Field(default=750, ge=0)
    """What Meta allows a channel; a back-test reports what goes beyond it."""


class RulesGuardSettings(RulesSettings, PersonSettings):
    """Of the guard, which watches for crises."""

    rules_guard_look_seconds: float = Field(default=1.0, gt=0, le=60)
    """Between two looks at what was counted; a hold is in force about so long after the event that makes it."""
    rules_guard_save_seconds: float = Field(default=5.0, gt=0, le=300)
    """Between two savings of the counts: what a crash makes read again."""
    rules_guard_lease_seconds: float = Field(default=15.0, ge=2)
    """After this without a sign of life another replica takes over; clocks of replicas must differ by less than half of it."""
