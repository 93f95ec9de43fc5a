"""What happened on a platform, in one form for all platforms, and whose accounts a subscription speaks of. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

WEBHOOKS = "/webhooks/"
"""Where every subscription's path begins."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LAST_MILLISECOND = 253_402_300_799_999
"""The end of the year 9999: the contract's timestamps, and Python's, go no further."""


class Platform(StrEnum):
    """The platforms of the contract; `adapters/platforms` says which of them are served."""

    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    WHATSAPP = "whatsapp"
    X = "x"
    YOUTUBE = "youtube"
    LINKEDIN = "linkedin"
    REDDIT = "reddit"
    PINTEREST = "pinterest"
    SNAPCHAT = "snapchat"
    TIKTOK = "tiktok"
    TELEGRAM = "telegram"
    MASTODON = "mastodon"
    BLUESKY = "bluesky"
    GOOGLE_BUSINESS = "google_business"
    TRUSTPILOT = "trustpilot"
    XING = "xing"
    FLICKR = "flickr"
    WEB = "web"
    """The brand's own: tracked links, forms, conversions."""


class Kind(StrEnum):
    """What sort of thing an event is about."""

    COMMENT = "comment"
    REPLY = "reply"
    MENTION = "mention"
    MESSAGE = "message"
    REVIEW = "review"
    POST = "post"
    REACTION = "reaction"
    SHARE = "share"
    FOLLOW = "follow"
    STORY_MENTION = "story_mention"
    CLICK = "click"
    CONVERSION = "conversion"
    SUBMISSION = "submission"
    VIEW = "view"
    SAVE = "save"
    VOTE = "vote"


class Verb(StrEnum):
    """What happened to it."""

    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    HIDE = "hide"
    UNHIDE = "unhide"


class Reason(StrEnum):
    """Why one update of a body was put aside; a closed set, because it is a metric's label."""

    UNKNOWN_OBJECT = "unknown_object"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_VERB = "unknown_verb"
    UNKNOWN_ACCOUNT = "unknown_account"
    BAD_SHAPE = "bad_shape"
    BAD_ID = "bad_id"
    BAD_TIME = "bad_time"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Author:
    """Who did it, in the account's own id space; an empty id: the platform hides it."""

    id: str = ""
    name: str = ""
    handle: str = ""


NOBODY = Author()


@dataclass(frozen=True, slots=True)
class Media:
    """Something attached. `type` is one of the contract's words: image, video, audio, file, link, share, …"""

    type: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Referral:
    """Where a click or a conversion came from. `click` is an event's id; `value` is in `currency`, ISO 4217."""

    link: str = ""
    action_id: str = ""
    click: str = ""
    reference: str = ""
    value: float = 0.0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One happening. `raw` is JSON of the platform's fields that have no place here; `unknown_fields` counts the unexpected."""

    event_id: str
    platform: Platform
    account: str
    kind: Kind
    verb: Verb
    object: str
    event_time: datetime
    parent: str = ""
    root: str = ""
    author: Author = NOBODY
    text: str = ""
    media: Sequence[Media] = ()
    rating: float | None = None
    reaction: str = ""
    ad: bool = False
    echo: bool = False
    raw: bytes = b""
    unknown_fields: int = 0
    referral: Referral | None = None
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An update that cannot be understood. `raw` is a body that holds this update alone, so that it can be sent again."""

    reason: Reason
    detail: str
    account: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Ignored:
    """An update that is understood and means nothing here, such as a read receipt. `reason` is from a closed set."""

    reason: str


Result = Event | Rejected | Ignored


@dataclass(frozen=True, slots=True)
class Account:
    """One of a brand's own accounts. `channel` is the brand's name for it."""

    account: str
    brand: str
    channel: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret of a subscription; `expires` None: until another one replaces it."""

    id: str
    value: bytes = field(repr=False)
    created: datetime
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A subscription: what a platform delivers to one address, and whose accounts it speaks of.

    Secrets stand newest first. `generation` counts the changes; `active` is False once it is deleted.
    """

    id: str
    platform: str
    verify_token: bytes = field(repr=False)
    secrets: Sequence[Secret]
    accounts: Mapping[str, Account]
    generation: int = 1
    active: bool = True

    @property
    def path(self) -> str:
        """Return the path of the address that the platform delivers to."""
        return f"{WEBHOOKS}{self.platform}/{self.id}"

    def keys(self, now: datetime) -> list[bytes]:
        """Return the secrets in force at a moment, the newest first."""
        return [secret.value for secret in self.secrets if secret.expires is None or now < secret.expires]

    def brands(self) -> set[str]:
        """Return every brand the subscription speaks of."""
        return {account.brand for account in self.accounts.values()}


def instant(milliseconds: int) -> datetime | None:
    """Return the moment of a unix time, or None where no calendar has it (negative, or past the year 9999)."""
    if not 0 <= milliseconds <= _LAST_MILLISECOND:
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)
