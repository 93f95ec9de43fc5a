"""The reading half of the Graph API: objects, their fields, and listings in pages. Pure."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from simulator.errors import GraphError
from simulator.model import Account, Comment, Message, Platform, Post

Json = dict[str, object]

MAX_PAGE = 100
"""Rows of a listing at most; the platform's own order of magnitude."""


def stamp(moment: float) -> str:
    """The platform's text form of a time; whole seconds, as there."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def split_fields(text: str) -> list[tuple[str, str]]:
    """`id,from{id,name},comments.limit(5)` → [("id",""), ("from","id,name"), ("comments","")]."""
    parts, depth, start = [], 0, 0
    for position, char in enumerate(text + ","):
        depth += (char in "({") - (char in ")}")
        if char == "," and depth <= 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [_field(part) for part in parts if part]


def _field(part: str) -> tuple[str, str]:
    name, _, inner = part.partition("{")
    return name.partition(".")[0].strip(), inner.removesuffix("}")


def _facebook_from(comment: Comment) -> Json:
    return {"name": comment.author.name, "id": comment.author.id}


def _can_reply_privately(comment: Comment) -> bool:
    return not comment.own and not comment.private_replies


FACEBOOK: Mapping[str, Callable[[Comment], object]] = {
    "id": lambda comment: comment.id,
    "from": _facebook_from,
    "message": lambda comment: comment.text,
    "created_time": lambda comment: stamp(comment.created),
    "is_hidden": lambda comment: comment.hidden,
    "can_hide": lambda comment: not comment.own,
    "can_remove": lambda _: True,
    "can_reply_privately": _can_reply_privately,
    "comment_count": lambda comment: sum(not child.removed for child in comment.children),
    "like_count": lambda comment: len(comment.likes),
    "user_likes": lambda comment: comment.account.id in comment.likes,
    "parent": lambda comment: {"id": comment.parent} if comment.parent else None,
    "object": lambda comment: {"id": comment.post.id},
    "permalink_url": lambda comment: f"https://www.facebook.com/{comment.post.id}?comment_id={comment.id}",
}

INSTAGRAM: Mapping[str, Callable[[Comment], object]] = {
    "id": lambda comment: comment.id,
    "from": lambda comment: {"id": comment.author.id, "username": comment.author.name},
    "username": lambda comment: comment.author.name,
    "text": lambda comment: comment.text,
    "timestamp": lambda comment: stamp(comment.created),
    "hidden": lambda comment: comment.hidden,
    "like_count": lambda comment: len(comment.likes),
    "parent_id": lambda comment: comment.parent,
    "media": lambda comment: {"id": comment.post.id},
    "user": lambda comment: {"id": comment.author.id} if comment.own else None,
}

DEFAULT_FIELDS = {Platform.FACEBOOK: "created_time,from,message,id", Platform.INSTAGRAM: "timestamp,text,id"}
LISTING_FIELD = {Platform.FACEBOOK: "comments", Platform.INSTAGRAM: "replies"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads for one call: what is younger than `visible_before` (unix seconds) is not listed yet."""

    visible_before: float
    url: str

    def comment(self, comment: Comment, fields: str) -> Json:
        """A comment as the asked fields; one that has no value is left out, an unknown one is an error."""
        platform = comment.account.platform
        known = FACEBOOK if platform is Platform.FACEBOOK else INSTAGRAM
        found: Json = {}
        for name, inner in split_fields(fields or DEFAULT_FIELDS[platform]):
            if name == LISTING_FIELD[platform]:
                found[name] = {"data": [self.comment(child, inner) for child in self.visible(comment.children)]}
            elif name not in known:
                raise GraphError(100, message=f"(#100) Tried accessing nonexisting field ({name}) on node type (Comment)")
            else:
                found[name] = known[name](comment)
        found.setdefault("id", comment.id)
        return {name: value for name, value in found.items() if value is not None}

    def visible(self, comments: Sequence[Comment]) -> list[Comment]:
        """What a listing shows by now."""
        return [comment for comment in comments if not comment.removed and comment.seen <= self.visible_before]

    def listing(self, comments: Sequence[Comment], params: Mapping[str, object]) -> Json:
        """One page of comments, with cursors, and `next` while more follow."""
        ordered = list(comments)
        if params.get("order") == "reverse_chronological":
            ordered.reverse()
        start = _after([row.id for row in ordered], str(params.get("after") or ""))
        limit = _limit(params.get("limit"))
        rows = self.visible(ordered[start:])
        page = rows[:limit]
        data = [self.comment(row, str(params.get("fields") or "")) for row in page]
        if not page:
            return {"data": data}
        cursors = {"before": _cursor(page[0].id), "after": _cursor(page[-1].id)}
        paging: Json = {"cursors": cursors}
        if limit < len(rows):
            paging["next"] = f"{self.url}?{urlencode({**params, 'limit': limit, 'after': cursors['after']})}"
        return {"data": data, "paging": paging}


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _after(names: Sequence[str], cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return names.index(base64.urlsafe_b64decode(cursor.encode()).decode()) + 1
    except (ValueError, binascii.Error) as error:
        raise GraphError(100, message="(#100) Invalid cursors values in query") from error


def _limit(value: object) -> int:
    try:
        return max(1, min(MAX_PAGE, int(str(value)))) if value else 25
    except ValueError as error:
        raise GraphError(100, message="(#100) param limit must be an integer") from error


def read_post(post: Post) -> Json:
    """A post or medium."""
    if post.account.platform is Platform.INSTAGRAM:
        return {"id": post.id, "caption": post.text, "timestamp": stamp(post.created)}
    author = {"id": post.author.id, "name": post.author.name}
    return {"id": post.id, "message": post.text, "created_time": stamp(post.created), "from": author}


def read_account(account: Account) -> Json:
    """A Page or an Instagram account."""
    label = "name" if account.platform is Platform.FACEBOOK else "username"
    return {"id": account.id, label: account.name}


def conversation(messages: Sequence[Message]) -> Json:
    """A dialogue with one person, newest message first."""
    last = messages[-1]
    rows = [_message(message) for message in reversed(messages)]
    people = [{"id": last.person.id, "name": last.person.name}, {"id": last.account.id, "name": last.account.name}]
    return {
        "id": f"t_{last.person.id}",
        "updated_time": stamp(last.created),
        "participants": {"data": people},
        "messages": {"data": rows},
    }


def _message(message: Message) -> Json:
    author = message.account.person if message.outgoing else message.person
    return {
        "id": message.id,
        "message": message.text,
        "created_time": stamp(message.created),
        "from": {"id": author.id, "name": author.name},
    }
