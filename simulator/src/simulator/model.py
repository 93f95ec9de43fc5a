"""The things a social network is made of. Plain records; `world.py` changes them."""

from dataclasses import dataclass, field
from enum import StrEnum


class Platform(StrEnum):
    """The networks in the box."""

    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who writes: an id in the platform's own space, and the name (Instagram: user name) shown."""

    id: str
    name: str


@dataclass(slots=True)
class Account:
    """A Page or an Instagram account that a brand owns, with its app's secrets and subscription."""

    platform: Platform
    id: str
    name: str
    token: str
    app_secret: str
    webhook_url: str | None = None
    verify_token: str = ""
    token_expired: bool = False
    subscribed: bool = False
    fields: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[Platform, str]:
        """What names an account: ids are unique only inside a platform."""
        return (self.platform, self.id)

    @property
    def person(self) -> Person:
        """The account as an author."""
        return Person(self.id, self.name)


@dataclass(slots=True)
class Post:
    """A post, photo or medium on an account; `visitor` when somebody else wrote it there."""

    id: str
    account: Account
    author: Person
    text: str
    created: float
    visitor: bool = False
    ad: bool = False
    hidden: bool = False
    removed: bool = False
    photo: str | None = None


@dataclass(slots=True)
class Message:
    """A direct message; `comment` is set on a private reply. `created` in unix seconds."""

    id: str
    account: Account
    person: Person
    text: str
    created: float
    outgoing: bool
    comment: str | None = None


@dataclass(slots=True)
class Comment:
    """A comment or a reply. `created` is the platform's timestamp, `seen` the real moment it came to be (unix seconds)."""

    id: str
    account: Account
    post: Post
    parent: str | None
    author: Person
    text: str
    created: float
    seen: float
    own: bool = False
    ad: bool = False
    photo: str | None = None
    hidden: bool = False
    removed: bool = False
    edited: bool = False
    own_replies: int = 0
    children: list["Comment"] = field(default_factory=list)
    private_replies: list[Message] = field(default_factory=list)
    likes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Review:
    """A recommendation of a Page. `story` is the id by which a removal names it."""

    story: str
    account: Account
    reviewer: Person
    text: str
    positive: bool
    created: float
    removed: bool = False
