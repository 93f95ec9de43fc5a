"""Every setting of the simulator, from `SIMULATOR_…` variables or the command line (`--clock-scale 3600`)."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

InstagramShape = Literal["changes", "flat", "alternate"]


class Settings(BaseSettings):
    """Addresses, pace and faults-by-default of the simulated platforms."""

    model_config = SettingsConfigDict(env_prefix="SIMULATOR_", cli_kebab_case=True, cli_prog_name="simulator")

    host: str = "127.0.0.1"
    """Loopback unless said otherwise: the control API has no login, whoever reaches it owns the network."""

    port: int = Field(default=8095, ge=0, le=65535)
    """0 takes a free port; the log line says which."""

    seed: int | None = None
    """Seed of every random choice; absent: a fresh one, printed at the start so that a run can be repeated."""

    clock_scale: float = Field(default=1.0, gt=0)
    """Platform seconds a real second. 3600 squeezes the 36 h of retries into 36 s. Timestamps stay real."""

    batch_size: int = Field(default=50, ge=1, le=1000)
    """Updates a POST; the platform's own maximum is 1,000."""

    linger_ms: float = Field(default=5.0, ge=0)
    """How long an update waits for company. Longer makes fuller batches and later events."""

    changes_per_entry: int = Field(default=8, ge=1, le=1000)
    """Changes in one `entry`; small enough that an ordinary batch holds several entries of one account."""

    delivery_concurrency: int = Field(default=4, ge=1, le=64)
    """Webhook POSTs in flight at once: bounds memory here and load at the receiver."""

    delivery_timeout_seconds: float = Field(default=10.0, gt=0)
    """Real seconds a webhook POST may take before it counts as failed."""

    instagram_shape: InstagramShape = "alternate"
    """`changes[]`, the flat `field`/`value` entry, or each in turn."""

    array_wrap: bool = False
    """Wrap Instagram bodies in a JSON array, as some of the documentation's examples do."""

    calls_per_hour: int = Field(default=1_000_000, ge=1)
    """Budget of an account that was given none: large enough not to matter, so the usage headers stay near 0."""

    private_reply_days: float = Field(default=7.0, gt=0)
    """Age of a comment after which a private reply is refused."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
