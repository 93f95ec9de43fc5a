"""What happened on a platform, and what was understood of it.

Both are tuples with names: they are made for every event, and a frozen dataclass of so many fields takes four times as long.
"""

from typing import NamedTuple


class Referral(NamedTuple):
    """Where a click or a conversion came from: the tracked link, the answer that carried it, the click that led there.

    `value` of a conversion is in `currency` (ISO 4217); `reference` is the reporter's own id of it.
    """

    link: str = ""
    action_id: str = ""
    click: str = ""
    reference: str = ""
    value: float = 0.0
    currency: str = ""


class Event(NamedTuple):
    """One event in the form of all platforms.

    `platform`, `kind` and `verb` are lower-case words of the contract ("facebook", "comment", "create"); times are
    unix seconds UTC; `media` holds the types of what is attached, `media_urls` their addresses in the same order (it may be
    left out). `reach`: how many saw it, None where the platform does not tell. `campaign`: whose form a submission came by.
    Empty strings mean "not given".
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
    media_urls: tuple[str, ...] = ()
    reach: int | None = None
    referral: Referral | None = None
    campaign: str = ""

    @property
    def post(self) -> str:
        """Return the post or conversation the event belongs to; its own object when it stands alone."""
        return self.root or self.object


class Understanding(NamedTuple):
    """What was understood of the text.

    `language` is a lower-case language tag ("" = not determined), `sentiment` a score from -1 to 1 (None = not
    determined), `polarity` "negative", "neutral", "positive" or ""; confidences are probabilities; `flags` are among
    complaint, praise, purchase_intent, question and spam.
    """

    language: str = ""
    language_confidence: float = 0.0
    sentiment: float | None = None
    polarity: str = ""
    sentiment_confidence: float = 0.0
    flags: frozenset[str] = frozenset()


NOTHING_UNDERSTOOD = Understanding()
