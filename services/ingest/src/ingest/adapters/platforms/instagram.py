"""Instagram: comments, live comments, mentions and direct messages, in both shapes of a delivery."""

from collections.abc import Mapping

from antiphon.errors import Invalid
from ingest.adapters.platforms import messaging
from ingest.adapters.platforms.meta import Handler, MetaAdapter, Place
from ingest.adapters.platforms.shapes import shape
from ingest.adapters.platforms.values import MAX_NAME, Json, mapping, number, optional_id, required_id, text
from ingest.domain import NOBODY, Author, Event, Ignored, Kind, Platform, Reason, Verb

_COMMENT = shape(
    "id text parent_id timestamp",
    kept="self_ig_scoped_id media_product_type ad_id ad_title original_media_id live",
    **{"from": "id username", "media": "id"},
)
_MENTION = shape("comment_id media_id")


def comment(place: Place, value: Json) -> Event:
    """Return a comment on one of the account's media. Instagram tells nothing of edits and deletions."""
    return _commented(place, value, {})


def live_comment(place: Place, value: Json) -> Event:
    """Return a comment on a broadcast; afterwards nobody can answer it in public."""
    return _commented(place, value, {"live": True})


def _commented(place: Place, value: Json, notes: Mapping[str, object]) -> Event:
    media = mapping(value.get("media"), "media")
    author = _author(value)
    parent = optional_id(value.get("parent_id"), "parent_id")
    stamp = number(value.get("timestamp"), "timestamp")
    when, note = place.time_of(None if stamp is None else stamp * 1000, "timestamp")
    raw, unknown = _COMMENT.leftovers(value, {**(note or {}), **notes})
    return place.event(
        Kind.REPLY if parent else Kind.COMMENT,
        Verb.CREATE,
        required_id(value.get("id"), "id"),
        when,
        parent=parent,
        root=optional_id(media.get("id"), "media.id"),
        author=author,
        text=text(value.get("text"), "text"),
        ad=media.get("media_product_type") == "AD" or "ad_id" in media or "ad_title" in media,
        echo=author.id == place.account,
        raw=raw,
        unknown_fields=unknown,
    )


def _author(value: Json) -> Author:
    given = value.get("from")
    if given is None:
        return NOBODY
    person = mapping(given, "from")
    name = text(person.get("username"), "from.username", MAX_NAME)
    return Author(optional_id(person.get("id"), "from.id"), handle=name)


def mention(place: Place, value: Json) -> Event:
    """Return a mention elsewhere; neither its text nor its author is told."""
    medium = optional_id(value.get("media_id"), "media_id")
    object_id = optional_id(value.get("comment_id"), "comment_id") or medium
    if not object_id:
        raise Invalid(Reason.BAD_ID, "neither comment_id nor media_id is there")
    when, note = place.time_of(None, "a time")
    raw, unknown = _MENTION.leftovers(value, note)
    return place.event(Kind.MENTION, Verb.CREATE, object_id, when, root=medium, raw=raw, unknown_fields=unknown)


def _insights(_place: Place, _value: Json) -> Ignored:
    return Ignored("insights")


_FIELDS: Mapping[str, Handler] = {
    "comments": comment,
    "live_comments": live_comment,
    "mentions": mention,
    "story_insights": _insights,
    "messages": messaging.in_change,
    "message_edit": messaging.in_change,
    "message_reactions": messaging.in_change,
    "messaging_postbacks": messaging.in_change,
    "messaging_referral": messaging.in_change,
    "messaging_seen": messaging.in_change,
    "messaging_handover": messaging.in_change,
    "messaging_optins": messaging.in_change,
    "standby": messaging.standby,
}


def adapter() -> MetaAdapter:
    """Return the platform's adapter."""
    return MetaAdapter(Platform.INSTAGRAM, "instagram", _FIELDS, messaging.message, messaging.standby)
