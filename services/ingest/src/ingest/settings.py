"""The service's settings."""

from pydantic import Field

from antiphon.links import LinkSettings
from antiphon.persons import PersonSettings
from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings


class IngestSettings(HttpSettings, KafkaSettings, MongoSettings, PersonSettings, LinkSettings):
    """`INGEST_…`, and the shared `HTTP_…`, `KAFKA_…`, `LINK_…`, `MONGO_…`, `PERSON_…`, `SEAL_…`, `LOG_…`."""

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
    ingest_click_wait_seconds: float = Field(default=0.1, ge=0, le=1)
    """The longest that a redirect waits for the log: people feel more, and a log in good health needs a tenth of it."""
    ingest_max_in_flight_clicks: int = Field(default=1_000, ge=0)
    """Clicks on their way to the log; past it they are counted as lost, so that memory stays flat."""
    ingest_forwarded_hops: int = Field(default=0, ge=0, le=10)
    """Proxies of our own in front, each adding to `X-Forwarded-For`; one too many, and visitors could choose their address."""
