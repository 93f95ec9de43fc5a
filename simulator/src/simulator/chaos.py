"""What may go wrong with deliveries and listings, on purpose. Replaced as a whole: an empty object is calm weather."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from simulator.settings import InstagramShape, Settings

Rate = Annotated[float, Field(ge=0, le=1)]


class Chaos(BaseModel):
    """Shares are 0..1 of the updates (or POSTs) concerned; `true` means all."""

    model_config = ConfigDict(extra="forbid")

    duplicate_rate: Rate = 0.0
    """Updates sent twice: half of them beside themselves in one POST, half in a later POST."""

    reorder: bool = False
    """Updates leave in shuffled order, within a window of a few batches."""

    redeliver_all: bool = False
    """Every update is sent once more after it was accepted."""

    wrong_secret_rate: Rate = 0.0
    """POSTs signed with another secret; a refused one is retried like any failure."""

    from_missing_rate: Rate = 0.0
    """New comments whose webhook hides the author."""

    remove_before_add: Rate = 0.0
    """New comments whose `add` is held back until their `remove` has left, or a second has passed."""

    visibility_delay: float = Field(default=0.0, ge=0)
    """Real seconds until a new comment shows in listings."""

    duplicate_check: bool = True
    """Refuse identical texts (506) and second private replies (10900). Off, a double post shows in the statistics."""


class DeliveryOptions(BaseModel):
    """Shape and pace of webhook bodies; starts from the settings."""

    model_config = ConfigDict(extra="forbid")

    batch_size: int = Field(default=50, ge=1, le=1000)
    linger_ms: float = Field(default=5.0, ge=0)
    changes_per_entry: int = Field(default=8, ge=1, le=1000)
    instagram_shape: InstagramShape = "alternate"
    array_wrap: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "DeliveryOptions":
        """The options that the settings ask for."""
        return cls.model_validate(settings.model_dump(include=set(cls.model_fields)))
