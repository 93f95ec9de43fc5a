"""What the control API is told."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from simulator.model import Person, Platform

Text = Annotated[str, StringConstraints(max_length=20_000)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Author(_Strict):
    """Somebody who writes; without a name the id is shown."""

    id: Id
    name: Text = ""

    def person(self) -> Person:
        """As the world knows people."""
        return Person(self.id, self.name or self.id)


class OnAccount(_Strict):
    """Names an account."""

    platform: Platform
    account: Id


class AccountIn(OnAccount):
    """An account to make, or to change. Without `webhook_url` nobody is told of anything."""

    name: Text
    token: Id
    app_secret: Id
    webhook_url: Annotated[str, StringConstraints(pattern=r"^https?://")] | None = None
    verify_token: str = ""


class AuthoredText(OnAccount):
    """A text by somebody on an account."""

    author: Author
    text: Text


class CommentIn(AuthoredText):
    """A comment. Without `post` it stands on the account's own first post; `parent` makes it a reply.

    `created_time`: unix seconds or ISO 8601, now if absent.
    """

    post: Id | None = None
    parent: Id | None = None
    created_time: datetime | None = None
    ad: bool = False
    photo: str | None = None

    def created(self) -> float | None:
        """Unix seconds; a time without a zone is UTC."""
        moment = self.created_time
        if moment is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class PostIn(OnAccount):
    """A post; without an author the brand's own."""

    author: Author | None = None
    text: Text
    ad: bool = False


class MentionIn(AuthoredText):
    """The brand is named elsewhere, in a comment or in a post."""

    item: Literal["comment", "post"] = "comment"


class ReviewIn(AuthoredText):
    """A recommendation of a Page."""

    positive: bool = True


class ReactionIn(_Strict):
    """A reaction to a comment or a post, by its id."""

    target: Id
    author: Author
    reaction: Literal["like", "love", "care", "haha", "wow", "sad", "angry"] = "like"
    verb: Literal["add", "edit", "remove"] = "add"


class EditIn(_Strict):
    """The new text."""

    text: Text


class HideIn(_Strict):
    """Hide, or show again."""

    hidden: bool = True


class TokenIn(_Strict):
    """A new token, or the old one's end."""

    token: Id | None = None
    expired: bool = False


class LimitIn(_Strict):
    """A new budget; `code` is the error past it (80001 or 80002 by platform if absent; 4, 17, 32, 613 …)."""

    calls_per_hour: int = Field(ge=1)
    code: int | None = None


COMMENTS = TypeAdapter(list[CommentIn])
COMMENT = TypeAdapter(CommentIn)
