"""Facebook Pages: the fields `feed`, `mention` and `ratings`, and Messenger."""

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.errors import Invalid
from ingest.adapters.platforms import messaging
from ingest.adapters.platforms.meta import Handler, MetaAdapter, Place
from ingest.adapters.platforms.shapes import Shape, shape
from ingest.adapters.platforms.values import (
    MAX_NAME,
    MAX_URL,
    Json,
    mapping,
    number,
    optional_id,
    required_id,
    revision_of,
    text,
    word,
)
from ingest.domain import NOBODY, Author, Event, Kind, Media, Platform, Reason, Verb

_VERBS = {
    "add": Verb.CREATE,
    "edit": Verb.EDIT,
    "edited": Verb.EDIT,
    "update": Verb.EDIT,
    "remove": Verb.DELETE,
    "delete": Verb.DELETE,
    "hide": Verb.HIDE,
    "unhide": Verb.UNHIDE,
}
"""The platform's documentation uses both forms of some of them."""

_COMMON = "item verb post_id parent_id created_time message sender_id sender_name"
_KEPT = (
    "post link photo_id photo_ids photos video_id video_flag_reason published is_hidden edited_time permalink_url story "
    "event_id action can_reply open_graph_story_id recipient_id share_id album_id place target_type"
)
_COMMENT = shape(f"{_COMMON} comment_id photo video", kept=_KEPT, **{"from": "id name"})
_POST = shape(f"{_COMMON} photo video", kept=f"{_KEPT} comment_id", **{"from": "id name"})
_REACTION = shape(f"{_COMMON} comment_id reaction_type", kept=_KEPT, **{"from": "id name"})
_REVIEW = shape(
    "item verb open_graph_story_id reviewer_id reviewer_name review_text recommendation_type rating created_time "
    "comment_id parent_id sender_id sender_name message reaction_type",
    kept="post_id",
    **{"from": "id name"},
)

_POSITIVE, _NEGATIVE = 5.0, 1.0
"""Recommendations have replaced stars; the contract counts them as the ends of the scale."""


class _Value:
    """The value of one change, with what every item of it needs."""

    def __init__(self, place: Place, value: Json, shape_: Shape) -> None:
        self.place, self.value = place, value
        name = value.get("verb")
        verb = _VERBS.get(name) if isinstance(name, str) else None
        if verb is None:
            raise Invalid(Reason.UNKNOWN_VERB, f"verb {str(name)[:100]!r}")
        self.verb = verb
        self.author = _author(value)
        self.text = text(value.get("message"), "message")
        created = number(value.get("created_time"), "created_time")
        self.created = "" if created is None else str(created)
        self.time, self.note = place.time_of(None if created is None else created * 1000, "created_time")
        self._shape = shape_

    def id(self, name: str) -> str:
        """Return an id of the value; empty when it is missing."""
        return optional_id(self.value.get(name), name)

    def revision(self) -> str:
        """Tell apart what may happen to an object more than once. An edit's time may be the comment's own: add its text."""
        if self.verb is Verb.EDIT:
            return f"{self.created}:{revision_of(self.text)}"
        return self.created if self.verb in (Verb.HIDE, Verb.UNHIDE) else ""

    def event(self, kind: Kind, object_id: str, *, revision: str | None = None, **parts: Any) -> Event:
        """Return the event with its author, text and leftovers."""
        place, verb = self.place, self.verb
        raw, unknown = self._shape.leftovers(self.value, self.note)
        return Event(
            place.identity(verb, object_id, self.revision() if revision is None else revision),
            place.platform,
            place.account,
            kind,
            verb,
            object_id,
            self.time,
            author=self.author,
            echo=self.author.id == place.account,
            ad=_is_ad(self.value),
            raw=raw,
            unknown_fields=unknown,
            **parts,
        )


def _author(value: Json) -> Author:
    given = value.get("from")
    if given is not None:
        person = mapping(given, "from")
        return Author(optional_id(person.get("id"), "from.id"), text(person.get("name"), "from.name", MAX_NAME))
    for prefix in ("sender", "reviewer"):
        if f"{prefix}_id" in value:
            name = text(value.get(f"{prefix}_name"), f"{prefix}_name", MAX_NAME)
            return Author(optional_id(value[f"{prefix}_id"], f"{prefix}_id"), name)
    return NOBODY


def _is_ad(value: Json) -> bool:
    """Tell what the payload tells: promoted posts say so, and posts that exist only as an ad were never published."""
    if "ad_id" in value:
        return True
    post = value.get("post")
    return isinstance(post, dict) and (post.get("promotion_status") == "active" or post.get("is_published") is False)


def _attached(value: Json) -> tuple[Media, ...]:
    if "photo" not in value and "video" not in value:
        return ()
    return tuple([Media(type_, url) for name, type_ in _ATTACHED.items() if (url := text(value.get(name), name, MAX_URL))])


_ATTACHED = {"photo": "image", "video": "video"}


def _comment(place: Place, value: Json) -> Event:
    found = _Value(place, value, _COMMENT)
    post, parent = found.id("post_id"), found.id("parent_id")
    # Some deliveries name the post without the Page in front of it.
    top = parent in ("", post) or post.endswith(f"_{parent}")
    return found.event(
        Kind.COMMENT if top else Kind.REPLY,
        required_id(value.get("comment_id"), "comment_id"),
        parent="" if top else parent,
        root=post,
        text=found.text,
        media=_attached(value),
    )


def _reaction(place: Place, value: Json) -> Event:
    found = _Value(place, value, _REACTION)
    post = found.id("post_id")
    name = text(value.get("reaction_type"), "reaction_type", MAX_NAME) or "like"
    return found.event(
        Kind.REACTION,
        found.id("comment_id") or required_id(post, "post_id"),
        revision=f"{found.author.id}:{name}:{found.created}",
        root=post,
        reaction=name,
    )


def _post(place: Place, value: Json) -> Event:
    found = _Value(place, value, _POST)
    post = required_id(value.get("post_id"), "post_id")
    return found.event(Kind.POST, post, root=post, text=found.text, media=_post_media(value))


def _share(place: Place, value: Json) -> Event:
    found = _Value(place, value, _POST)
    post = found.id("post_id")
    return found.event(Kind.SHARE, found.id("share_id") or required_id(post, "post_id"), root=post, text=found.text)


def _post_media(value: Json) -> tuple[Media, ...]:
    """A post's picture or film stands in `link`."""
    link = text(value.get("link"), "link", MAX_URL)
    return _attached(value) + ((Media(_ATTACHED.get(value["item"], "link"), link),) if link else ())


def mention(place: Place, value: Json) -> Event:
    """Return a mention of the Page, in a post or in a comment."""
    found = _Value(place, value, _COMMENT)
    post = found.id("post_id")
    return found.event(
        Kind.MENTION, found.id("comment_id") or required_id(post, "post_id"), root=post, text=found.text, media=_attached(value)
    )


def rating(place: Place, value: Json) -> Event:
    """Return a review, or a comment or reaction on one."""
    found = _Value(place, value, _REVIEW)
    story = required_id(value.get("open_graph_story_id"), "open_graph_story_id")
    item = value.get("item")
    if item == "comment":
        comment = required_id(value.get("comment_id"), "comment_id")
        return found.event(Kind.COMMENT, comment, root=story, text=found.text)
    if item in ("reaction", "like"):
        name = text(value.get("reaction_type"), "reaction_type", MAX_NAME) or "like"
        revision = f"{found.author.id}:{name}:{found.created}"
        target = found.id("comment_id") or story
        return found.event(Kind.REACTION, target, revision=revision, root=story, reaction=name)
    if item != "rating":
        raise Invalid(Reason.UNKNOWN_ITEM, f"item {str(item)[:100]!r} of ratings")
    found.text = text(value.get("review_text"), "review_text")
    return found.event(Kind.REVIEW, story, root=story, text=found.text, rating=_stars(value))


def _stars(value: Json) -> float | None:
    stars = value.get("rating")
    if isinstance(stars, int | float) and _NEGATIVE <= stars <= _POSITIVE:
        return float(stars)
    kind = value.get("recommendation_type")
    return {"POSITIVE": _POSITIVE, "NEGATIVE": _NEGATIVE}.get(kind) if isinstance(kind, str) else None


_ITEMS: Mapping[str, Callable[[Place, Json], Event]] = {
    "comment": _comment,
    "reaction": _reaction,
    "like": _reaction,
    "post": _post,
    "status": _post,
    "photo": _post,
    "video": _post,
    "link": _post,
    "album": _post,
    "note": _post,
    "event": _post,
    "share": _share,
    "mention": mention,
}


def feed(place: Place, value: Json) -> Event:
    """Return what happened on the Page's timeline."""
    item = word(value.get("item"), "item")
    handler = _ITEMS.get(item)
    if handler is None:
        raise Invalid(Reason.UNKNOWN_ITEM, f"item {item[:100]!r} of feed")
    return handler(place, value)


_FIELDS: Mapping[str, Handler] = {
    "feed": feed,
    "mention": mention,
    "ratings": rating,
    "messages": messaging.in_change,
    "message_echoes": messaging.in_change,
    "message_edits": messaging.in_change,
    "message_reactions": messaging.in_change,
    "message_reads": messaging.in_change,
    "message_deliveries": messaging.in_change,
    "messaging_postbacks": messaging.in_change,
}


def adapter() -> MetaAdapter:
    """Return the platform's adapter."""
    return MetaAdapter(Platform.FACEBOOK, "page", _FIELDS, messaging.message, messaging.standby)
