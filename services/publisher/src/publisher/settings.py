"""Every setting of the publisher."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from antiphon.egress import parse_networks
from antiphon.persons import PersonSettings
from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings, RedisSettings


class PublisherSettings(HttpSettings, KafkaSettings, MongoSettings, RedisSettings, PersonSettings):
    """Addresses, bounds and waits; durations in the unit their name ends in."""

    publisher_group: str = "publisher"
    """Consumer group on the decisions; another one reads everything again, which posts nothing twice."""

    publisher_facebook_api_url: str = "https://graph.facebook.com/v23.0"
    publisher_instagram_api_url: str = "https://graph.instagram.com/v23.0"

    publisher_api_hosts: frozenset[str] = frozenset({"graph.facebook.com", "graph.instagram.com"})
    """Hosts that a channel's own API URL may name, beside those of the two URLs above; anything else could be inside."""

    publisher_concurrency: int = Field(default=32, ge=1, le=256)
    """Calls in flight a channel: with answers in half a second, 64 a second."""

    publisher_queue: int = Field(default=2_000, ge=1)
    """Entries a channel keeps in memory; more wait in the ledger."""

    publisher_rate_per_second: float = Field(default=100.0, gt=0)
    publisher_rate_burst: float = Field(default=200.0, ge=1)
    """Calls a channel may make when it was given no rate of its own; the platform's usage headers slow it further."""

    publisher_replicas: int = Field(default=1, ge=1)
    """How many workers share the allowance while Redis is away."""

    publisher_http_timeout_seconds: float = Field(default=10.0, gt=0)
    publisher_connect_timeout_seconds: float = Field(default=3.0, gt=0)
    publisher_lease_seconds: float = Field(default=15.0, gt=0)
    """After this another worker may take a send for lost; longer than the HTTP timeout."""

    publisher_settle_seconds: float = Field(default=120.0, gt=0)
    """From a send to the first reading back; shorter than a platform's lag parks what was posted, until a later reading."""

    publisher_sweep_seconds: float = Field(default=0.5, gt=0)
    """How often the ledger is looked through: the most that an approval or a retry waits beyond its time."""

    publisher_egress_proxy: str | None = None
    """URL of the proxy through which platforms are reached."""

    publisher_notify_allowed_networks: str = ""
    """Networks beside the public internet whose addresses notifications may reach, on any port, separated by commas. For tests
    and for receivers inside a company; whoever may write rules can then speak to everything in them."""

    publisher_notify_ca_file: str | None = None
    """PEM file of the authorities that receivers' certificates are checked against; the system's unless set."""

    publisher_campaigns_group: str = "publisher.campaigns"
    """Consumer group of the campaigns role; another one reads everything again, which changes nothing."""

    publisher_public_url: str = Field(default="", pattern=r"^(https?://[^\s/]+(/\S*)?)?$")
    """Where people outside reach this installation: for links to consent forms and the media of posts; empty: neither."""

    publisher_media_directory: Path = Path("var/media")
    """Where fetched media are kept; the campaigns role writes there, the API serves from there what is cleared."""

    publisher_media_max_bytes: int = Field(default=16_777_216, ge=1_024)
    """Larger files are refused: each is held in memory as a whole while it is fetched and while it is served."""

    publisher_media_timeout_seconds: float = Field(default=30.0, gt=0)
    publisher_media_allowed_networks: str = ""
    """As the notifications': networks beside the public internet that media may be fetched from; for tests and intranets."""

    publisher_frame_ancestors: str = Field(default="*", pattern=r"^[A-Za-z0-9:/.*' \-]{1,1000}$")
    """Who may embed a gallery's page, as the content security policy's `frame-ancestors` has it."""

    publisher_smtp_host: str = ""
    """Server that takes e-mail; empty: none is sent, and what should be is shown as failed."""
    publisher_smtp_port: int = Field(default=587, ge=1, le=65_535)
    publisher_smtp_username: str = ""
    publisher_smtp_password: SecretStr = SecretStr("")
    publisher_smtp_tls: Literal["starttls", "tls", "off"] = "starttls"
    """`starttls` refuses a server without it; `off` is for a server on the same machine: passwords and texts travel in clear."""
    publisher_smtp_ca_file: str | None = None
    """PEM file of the authorities that the server's certificate is checked against; the system's unless set."""
    publisher_smtp_from: str = "Antiphon <antiphon@localhost>"
    """Sender of e-mail; its domain is also that of the messages' ids."""

    @field_validator("publisher_notify_allowed_networks", "publisher_media_allowed_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        parse_networks(value)
        return value
