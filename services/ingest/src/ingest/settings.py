"""The service's settings."""

from pydantic import Field

from antiphon.persons import PersonSettings
from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings


class IngestSettings(HttpSettings, KafkaSettings, MongoSettings, PersonSettings):
    """`INGEST_…`, and the shared `HTTP_…`, `KAFKA_…`, `MONGO_…`, `SEAL_…`, `PERSON_…`, `LOG_…`."""

    ingest_max_body_bytes: int = Field(default=4 * 2**20, ge=2**10, le=64 * 2**20)
    """A platform's batch reaches 3 MB; anything larger is not from it."""
    ingest_max_in_flight_events: int = Field(default=2_000, ge=1)
    """Events accepted and not yet acknowledged; past it bodies are refused at once, so that memory stays flat."""
    ingest_max_in_flight_bytes: int = Field(default=32 * 2**20, ge=2**20)
    """The same in bytes of bodies being read or worked on."""
    ingest_ack_deadline_seconds: float = Field(default=2.0, gt=0, le=2.4)
    """When the log has not acknowledged by then the sender is told to come back; senders hang up soon after 2.5 s."""
    ingest_sources_poll_seconds: float = Field(default=1.0, gt=0)
    """How late this process may learn of a subscription that another one changed."""
