"""Every setting of the publisher."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from antiphon.egress import Networks
from antiphon.persons import PersonSettings
from antiphon.settings import HttpSettings, KafkaSettings, MongoSettings, RedisSettings, Settings


class MediaSettings(Settings):
    """Where media of campaigns are kept: in a directory, unless a bucket is named."""

    publisher_media_directory: Path = Path("var/media")
    """Where fetched media are kept; the campaigns role writes there, the API serves from there what is cleared."""

    publisher_media_s3_bucket: str = ""
    """Bucket of an S3-compatible store that takes the directory's place, for replicas that share no disk."""
    publisher_media_s3_endpoint: str = ""
    """URL of a store that is not Amazon's. The operator's word: no guard for strangers' addresses stands before it."""
    publisher_media_s3_region: str = Field(default="", pattern=r"^[A-Za-z0-9\-]*$")
    """Region of the bucket; empty: as `AWS_REGION` says, else `us-east-1`."""
    publisher_media_s3_prefix: str = ""
    """What every name in the bucket begins with, as in `antiphon/media`; installations that share a bucket need one each."""
    publisher_media_s3_access_key: SecretStr = SecretStr("")
    publisher_media_s3_secret_key: SecretStr = SecretStr("")
    """Both empty: the role of the service account, the container or the machine, or what the `AWS_…` variables say."""
    publisher_media_s3_ca_file: str | None = None
    """PEM file of further authorities that the store's certificate is checked against."""

    publisher_media_max_bytes: int = Field(default=16_777_216, ge=1_024)
    """Larger files are refused: each is held in memory as a whole while it is fetched and while it is served."""

    publisher_media_timeout_seconds: float = Field(default=30.0, gt=0)
    """For one file, from its server as well as to or from the bucket."""

    publisher_media_allowed_networks: Networks = ""
    """As the notifications': networks beside the public internet that media may be fetched from; for tests and intranets."""

    @field_validator("publisher_media_s3_bucket")
    @classmethod
    def _bucket(cls, value: str) -> str:
        if value and not re.fullmatch(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]", value):
            raise ValueError(
                "a bucket's name alone, without address or prefix: 3 to 63 lower-case letters, digits, dots and hyphens"
            )
        return value

    @field_validator("publisher_media_s3_endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", value):
            raise ValueError("an address such as https://s3.example.com:9000, without user, query or bucket")
        return value.rstrip("/")

    @field_validator("publisher_media_s3_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9_\-]+(/[A-Za-z0-9_\-]+)*", value):
            raise ValueError("letters, digits, hyphens and underscores, with single slashes between them")
        return value

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        given = {name.upper() for name in self.model_fields_set if name.startswith("publisher_media_s3_") and getattr(self, name)}
        if not self.publisher_media_s3_bucket and given:
            raise ValueError(f"{', '.join(sorted(given))}: without PUBLISHER_MEDIA_S3_BUCKET media are kept in a directory")
        if self.publisher_media_s3_bucket and "publisher_media_directory" in self.model_fields_set:
            raise ValueError("PUBLISHER_MEDIA_DIRECTORY and PUBLISHER_MEDIA_S3_BUCKET name two stores: set one of them")
        if bool(self.publisher_media_s3_access_key) != bool(self.publisher_media_s3_secret_key):
            raise ValueError(
                "PUBLISHER_MEDIA_S3_ACCESS_KEY and PUBLISHER_MEDIA_S3_SECRET_KEY go together: set both, or neither for a role"
            )
        return self


class PublisherSettings(HttpSettings, KafkaSettings, MongoSettings, RedisSettings, PersonSettings, MediaSettings):
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

    publisher_notify_allowed_networks: Networks = ""
    """Networks beside the public internet whose addresses notifications may reach, on any port, separated by commas. For tests
    and for receivers inside a company; whoever may write rules can then speak to everything in them."""

    publisher_notify_ca_file: str | None = None
    """PEM file of the authorities that receivers' certificates are checked against; the system's unless set."""

    publisher_campaigns_group: str = "publisher.campaigns"
    """Consumer group of the campaigns role; another one reads everything again, which changes nothing."""

    publisher_public_url: str = Field(default="", pattern=r"^(https?://[^\s/]+(/\S*)?)?$")
    """Where people outside reach this installation: for links to consent forms and the media of posts; empty: neither."""

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
