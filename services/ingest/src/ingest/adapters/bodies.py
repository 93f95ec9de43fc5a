"""What the bodies of all routes share."""

from pydantic import BaseModel, ConfigDict

SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"


class Body(BaseModel):
    """Unknown fields are refused, and errors never quote a value, which may be a secret."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
