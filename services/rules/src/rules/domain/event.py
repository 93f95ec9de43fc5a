"""What happened on a platform, and what was understood of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event in the form of all platforms.

    `platform`, `kind` and `verb` are lower-case words of the contract ("facebook", "comment", "create"); times are
    unix seconds UTC; `media` holds the types of what is attached. Empty strings mean "not given".
    """

    event_id: str
    brand: str
    platform: str
    account: str
    channel: str
    kind: str
    verb: str
    object: str
    parent: str
    root: str
    author_id: str
    author_name: str
    author_handle: str
    followers: int | None
    verified: bool | None
    text: str
    media: tuple[str, ...]
    rating: float | None
    ad: bool
    echo: bool
    event_time: float
    received_time: float

    @property
    def post(self) -> str:
        """Return the post or conversation the event belongs to; its own object when it stands alone."""
        return self.root or self.object


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was understood of the text: a language tag ("" = not determined) and a sentiment from -1 to 1."""

    language: str = ""
    sentiment: float | None = None
