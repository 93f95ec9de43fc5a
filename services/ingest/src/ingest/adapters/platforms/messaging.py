"""Private messages of Facebook and Instagram: items of `messaging[]` and `standby[]`."""

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.errors import Invalid
from ingest.adapters.platforms.meta import SECONDS_END, Place, sender_id
from ingest.adapters.platforms.shapes import Shape, shape
from ingest.adapters.platforms.values import (
    FEW,
    MAX_NAME,
    MAX_URL,
    Json,
    mapping,
    number,
    optional_id,
    required_id,
    revision_of,
    text,
)
from ingest.domain import Author, Event, Ignored, Kind, Media, Reason, Verb

_MEDIA = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "file": "file",
    "share": "share",
    "ig_post": "share",
    "story_mention": "story_mention",
    "reel": "reel",
    "ig_reel": "reel",
    "fallback": "link",
    "sticker": "sticker",
}
"""Attachment types that have a word in the contract; the others stay raw."""

_MAX_MEDIA = 30
"""A message carries at most ten; more are kept raw."""

IGNORED = {
    "read": "read_receipt",
    "delivery": "delivery_receipt",
    "optin": "opt_in",
    "referral": "referral",
    "account_linking": "account_linking",
    "pass_thread_control": "handover",
    "take_thread_control": "handover",
    "request_thread_control": "handover",
    "app_roles": "handover",
    "policy_enforcement": "policy",
}
"""What Messenger also reports and nobody here acts on: key of the item → reason counted."""

_SHAPE = shape("message", kept="prior_message hop_context", sender="id", recipient="id")
_ITEM = {
    "message": Shape(_SHAPE.read | {"timestamp"}, _SHAPE.kept, _SHAPE.nested),
    "message_edit": shape("message_edit timestamp", kept="hop_context", sender="id", recipient="id"),
    "reaction": shape("reaction timestamp", kept="hop_context", sender="id", recipient="id"),
    "postback": shape("postback timestamp", kept="hop_context", sender="id", recipient="id"),
}
_INNER = {
    "message": shape(
        "mid text is_echo is_deleted attachments",
        kept="app_id metadata is_unsupported is_self quick_reply nlp tags referral sticker_id seq story url commands",
        reply_to="mid",
    ),
    "message_edit": shape("mid text num_edit"),
    "reaction": shape("mid action emoji reaction"),
    "postback": shape("mid title", kept="payload referral is_self"),
}


class _Message:
    """One item, with what every type of it needs."""

    def __init__(self, place: Place, item: Json, type_: str) -> None:
        self.place, self.type = place, type_
        self.value = mapping(item.get(type_), type_)
        sender = sender_id(item, "sender")
        recipient = sender_id(item, "recipient")
        self.echo = self.value.get("is_echo") is True or sender == place.account
        self.author = Author(sender)
        self.person = recipient if self.echo else sender
        self.stamp = number(item.get("timestamp"), "timestamp")
        self.moment = "" if self.stamp is None else str(self.stamp)
        self.time, self.note = place.time_of(self.stamp, "timestamp")
        self._item = item

    def event(self, kind: Kind, verb: Verb, object_id: str, revision: str = "", **parts: Any) -> Event:
        """Return the event with its author, conversation and leftovers."""
        raw, unknown = self._leftovers()
        return self.place.event(
            kind,
            verb,
            object_id,
            self.time,
            revision,
            root=self.person,
            author=self.author,
            echo=self.echo,
            raw=raw,
            unknown_fields=unknown,
            **parts,
        )

    def _leftovers(self) -> tuple[bytes, int]:
        notes = dict(self.note or ())
        inner, shape_ = self.value, _INNER[self.type]
        rest = {name: inner[name] for name in sorted(inner.keys() - shape_.read)}
        reply = inner.get("reply_to")
        if isinstance(reply, dict) and not reply.keys() <= {"mid"}:
            rest["reply_to"] = reply
        unknown = len(rest.keys() - shape_.kept - {"reply_to"})
        if attachments := _unplaced(inner.get("attachments")):
            rest["attachments"] = attachments
        if rest:
            notes[self.type] = rest
        raw, outer = _ITEM[self.type].leftovers(self._item, notes)
        return raw, unknown + outer


def message(place: Place, item: Json) -> Event | Ignored:
    """Return what an item of `messaging[]` means. Raises Invalid."""
    for name, handler in _HANDLERS.items():
        if name in item:
            return handler(_Message(place, item, name))
    for name, reason in IGNORED.items():
        if name in item:
            return Ignored(reason)
    raise Invalid(Reason.UNKNOWN_FIELD, f"a messaging item with {', '.join(sorted(item))[:200]}")


def standby(place: Place, item: Json) -> Event | Ignored:
    """Return what an item of `standby[]` means: the same, while another app holds the conversation."""
    return message(place, {**item, "hop_context": item.get("hop_context", "standby")})


def in_change(place: Place, value: Json) -> Event | Ignored:
    """Return what a message delivered as a change means; its time may be in seconds, and in a string."""
    stamp = number(value.get("timestamp"), "timestamp")
    if stamp is not None and 0 <= stamp < SECONDS_END:
        stamp *= 1000
    return message(place, {**value, "timestamp": stamp})


def _message(item: _Message) -> Event:
    value = item.value
    mid = required_id(value.get("mid"), "message.mid")
    if value.get("is_deleted") is True:
        return item.event(Kind.MESSAGE, Verb.DELETE, mid)
    media = _media(value.get("attachments"))
    mentioned = any(part.type == "story_mention" for part in media)
    return item.event(
        Kind.STORY_MENTION if mentioned else Kind.MESSAGE,
        Verb.CREATE,
        mid,
        parent=_answered(value),
        text=text(value.get("text"), "message.text"),
        media=media,
    )


def _answered(value: Json) -> str:
    reply = mapping(value.get("reply_to"), "message.reply_to")
    story = mapping(reply.get("story"), "message.reply_to.story")
    return optional_id(reply.get("mid"), "reply_to.mid") or optional_id(story.get("id"), "reply_to.story.id")


def _message_edit(item: _Message) -> Event:
    value = item.value
    mid, content = required_id(value.get("mid"), "message_edit.mid"), text(value.get("text"), "message_edit.text")
    count = number(value.get("num_edit"), "message_edit.num_edit")
    return item.event(Kind.MESSAGE, Verb.EDIT, mid, f"{'' if count is None else count}:{revision_of(content)}", text=content)


def _reaction(item: _Message) -> Event:
    value = item.value
    mid = required_id(value.get("mid"), "reaction.mid")
    verb = _REACTIONS.get(value.get("action") if isinstance(value.get("action"), str) else None)
    if verb is None:
        raise Invalid(Reason.UNKNOWN_VERB, "reaction.action is neither react nor unreact")
    name = text(value.get("reaction"), "reaction", MAX_NAME) or text(value.get("emoji"), "emoji", MAX_NAME)
    return item.event(Kind.REACTION, verb, mid, f"{item.author.id}:{name}:{item.moment}", reaction=name)


def _postback(item: _Message) -> Event:
    """A button that a person pressed: what it says is what the person says."""
    value = item.value
    mid = optional_id(value.get("mid"), "postback.mid") or f"postback:{item.author.id}:{item.moment}"
    return item.event(Kind.MESSAGE, Verb.CREATE, mid, text=text(value.get("title"), "postback.title"))


_REACTIONS: Mapping[str | None, Verb] = {"react": Verb.CREATE, "unreact": Verb.DELETE}

_HANDLERS: Mapping[str, Callable[[_Message], Event]] = {
    "message": _message,
    "message_edit": _message_edit,
    "reaction": _reaction,
    "postback": _postback,
}


def _media(value: object) -> tuple[Media, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Invalid(Reason.BAD_SHAPE, "message.attachments is not an array")
    return tuple(_medium(part) for part in value[:_MAX_MEDIA] if _placed(part))


def _medium(part: Json) -> Media:
    payload = part.get("payload")
    url = text((payload if isinstance(payload, dict) else FEW).get("url"), "attachment.url", MAX_URL)
    return Media(_MEDIA[part["type"]], url)


def _placed(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("type"), str) and part["type"] in _MEDIA


def _unplaced(value: object) -> list[object]:
    """Return the attachments that have no word in the contract, or say more than their address."""
    if not isinstance(value, list):
        return []
    return [part for part in value[:_MAX_MEDIA] if not _plain(part)] + value[_MAX_MEDIA:]


def _plain(part: Any) -> bool:
    if not _placed(part) or not part.keys() <= {"type", "payload"}:
        return False
    payload = part.get("payload")
    return payload is None or (isinstance(payload, dict) and payload.keys() <= {"url"})
