"""Requests of the routes that try rules and explain them."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from rules.adapters.http.bodies import In, Platform, Slug
from rules.adapters.schema.conditions import EventKind
from rules.domain.event import Event
from rules.entities import MAX_CAMPAIGNS, MAX_LINKS
from rules.trials import Author, Sample

MOST_TEXTS = 100
"""Texts in one call: an answer people read, and not long enough in the making to be cut off."""

_EXAMPLE_RULE: JsonDict = {
    "id": "price-question",
    "where": {"kinds": ["comment"]},
    "when": {"text": {"any": ["price"], "none": ["giveaway"]}},
    "then": [{"reply": {"text": "Hi {{author.first_name|there}}, it is 49 €."}}],
}

Text = Annotated[str, StringConstraints(max_length=8_000)]
Language = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")]
Word = Annotated[str, StringConstraints(max_length=256)]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Rating = Annotated[float, Field(ge=1, le=5)]


class AuthorIn(In):
    """Who wrote it; what is left out is not known of the author."""

    id: Word = "example-author"
    name: Word = "Alex Example"
    handle: Word = "alex.example"
    followers: Annotated[int, Field(ge=0, le=2**31)] | None = None
    verified: bool | None = None

    def author(self) -> Author:
        """Return it as the use case takes it."""
        return Author(**self.model_dump())


class TextIn(In):
    """A text to try where the rule looks. Conditions on what is not told here are taken as fitting."""

    text: Text
    language: Language = ""
    platform: Platform | None = None
    kind: EventKind | None = None
    author: AuthorIn | None = None
    rating: Rating | None = None

    def sample(self) -> Sample:
        """Return it as the use case takes it."""
        author = self.author.author() if self.author else None
        return Sample(self.text, self.language, self.platform or "", self.kind or "", author, self.rating)


class EventIn(In):
    """An event as it could come from a platform; ids are the platform's."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"platform": "instagram", "kind": "comment", "text": "What is the price?", "root": "1789"}}
    )

    platform: Platform
    kind: EventKind
    verb: Literal["create", "edit"] = "create"
    text: Text
    account: Word = ""
    channel: Word = ""
    object: Annotated[Word, StringConstraints(min_length=1)] = "example-object"
    parent: Word = ""
    root: Word = ""
    author: AuthorIn = AuthorIn()
    media: Annotated[list[Word], Field(max_length=20)] = []
    rating: Rating | None = None
    ad: bool = False
    echo: bool = False
    event_time: Annotated[AwareDatetime, Field(strict=False)] | None = None
    received_time: Annotated[AwareDatetime, Field(strict=False)] | None = None

    def event(self, brand: str, now: float) -> Event:
        """Return the event; left out, its times are now (unix seconds) and that of the event."""
        moment = self.event_time.timestamp() if self.event_time else now
        return Event(
            event_id="example-event",
            brand=brand,
            platform=self.platform,
            account=self.account,
            channel=self.channel,
            kind=self.kind,
            verb=self.verb,
            object=self.object,
            parent=self.parent,
            root=self.root,
            author_id=self.author.id,
            author_name=self.author.name,
            author_handle=self.author.handle,
            followers=self.author.followers,
            verified=self.author.verified,
            text=self.text,
            media=tuple(self.media),
            rating=self.rating,
            ad=self.ad,
            echo=self.echo,
            event_time=moment,
            received_time=self.received_time.timestamp() if self.received_time else moment,
        )


class TestIn(In):
    """A rule (its document, or the id of a saved one, of which the newest version is taken) and what to try it on."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"rule": _EXAMPLE_RULE, "texts": [{"text": "What is the price?", "language": "en"}]}}
    )

    rule: Any = None
    rule_id: Slug | None = None
    texts: Annotated[list[TextIn], Field(max_length=MOST_TEXTS)] = []
    event: EventIn | None = None
    event_id: EventId | None = None


class LintIn(In):
    """Rule documents, checked as if all that are `active` were saved together.

    `campaigns`, `links`: ids that are to be saved before them, so that the rules may name them already.
    """

    model_config = ConfigDict(json_schema_extra={"example": {"rules": [_EXAMPLE_RULE]}})

    rules: Annotated[list[Any], Field(min_length=1, max_length=500)]
    campaigns: Annotated[list[Slug], Field(max_length=MAX_CAMPAIGNS)] = []
    links: Annotated[list[Slug], Field(max_length=MAX_LINKS)] = []


class ExplainIn(In):
    """A recorded event by its id, or an event; `rule_id`: the one rule to explain."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "event": {"platform": "instagram", "kind": "comment", "text": "What is the price?"},
                "rule_id": "price-question",
            }
        }
    )

    event_id: EventId | None = None
    event: EventIn | None = None
    rule_id: Slug | None = None
