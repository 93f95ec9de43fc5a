"""Settings that several services share; each service derives one class from the parts it needs.

Environment variables carry no prefix here (`KAFKA_…`, `MONGO_…`, `REDIS_…`, `LOG_…`, `HTTP_…`); a service's own
variables begin with its name (`INGEST_…`).
"""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Base of every settings class: environment only; unknown variables are other programs' business.

    Errors name the variable but never quote its value, which may be a secret.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    failpoint: str = ""
    """`<service>.<point>:<action>[:<hit>]`, for fault tests alone; see `antiphon.failpoints`."""
    failpoints_allowed: bool = False
    """Images are built without this; a set failpoint without it refuses to start."""


class HttpSettings(Settings):
    """Where a process serves its API, health and metrics."""

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65535)


class KafkaSettings(Settings):
    """How to reach Kafka."""

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL"] = "PLAINTEXT"
    kafka_ssl_ca_file: str | None = None
    kafka_ssl_certificate_file: str | None = None
    kafka_ssl_key_file: str | None = None
    kafka_group_instance_id: str | None = None
    """Static membership: set to the pod's name, so that a restart does not rebalance the group."""
    kafka_session_timeout_ms: int = Field(default=30_000, ge=6_000)
    """A dead member's partitions rest for this long; shorter than 6 s is refused by brokers' defaults."""


class MongoSettings(Settings):
    """How to reach the MongoDB-wire store. The URI may hold a password, so it is a secret."""

    mongo_uri: SecretStr = SecretStr("mongodb://127.0.0.1:27017/?directConnection=true")
    mongo_database: str = "antiphon"


class RedisSettings(Settings):
    """How to reach Redis. The URL may hold a password, so it is a secret."""

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
