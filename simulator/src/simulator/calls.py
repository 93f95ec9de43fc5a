"""What a call to the Graph API is, and what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.errors import GraphError
from simulator.model import Account


@dataclass(frozen=True, slots=True)
class Call:
    """One call by the owner of `account`. `kind` is what faults match: reply, private_reply, hide, delete, read, like, …"""

    kind: str
    account: Account
    target: str
    edge: str
    params: Mapping[str, object]
    url: str = ""

    @property
    def subject(self) -> str:
        """The object the call is about: for a private reply the comment, else the target."""
        return str(self.part("recipient")["comment_id"]) if self.kind == "private_reply" else self.target

    def part(self, name: str) -> Mapping[str, object]:
        """Return a parameter that has parts of its own; empty when there is none."""
        return _part(self.params, name)

    def address(self, name: str) -> str:
        """Return a parameter that is a URL. Raises GraphError."""
        address = str(self.params.get(name) or "")
        if not address.startswith(("http://", "https://")):
            raise GraphError(100, message=f"(#100) param {name} must be an address")
        return address


KINDS = {
    ("POST", "comments"): "reply",
    ("POST", "replies"): "reply",
    ("POST", "messages"): "message",
    ("POST", "likes"): "like",
    ("DELETE", "likes"): "unlike",
    ("POST", "subscribed_apps"): "subscribe",
    ("POST", "photos"): "photo",
    ("POST", "media"): "container",
    ("POST", "media_publish"): "publish",
    ("DELETE", ""): "delete",
}


def kind_of(method: str, edge: str, params: Mapping[str, object]) -> str:
    """Name a call; one that exists nowhere is an error."""
    if method == "GET":
        return "read"
    if (method, edge) == ("POST", ""):
        return "edit" if "message" in params and "is_hidden" not in params else "hide"
    if (method, edge) == ("POST", "private_replies"):
        raise GraphError(12)
    kind = KINDS.get((method, edge))
    if kind is None:
        raise GraphError(2500, target=f"/{edge}")
    if kind == "message" and "comment_id" in _part(params, "recipient"):
        return "private_reply"
    return kind


def text_of(value: object, limit: int) -> str:
    """Return a text that may be posted. Raises GraphError."""
    text = value if isinstance(value, str) else ""
    if not text.strip():
        raise GraphError(100, message="(#100) The parameter message is required")
    if len(text) > limit:
        raise GraphError(100, message=f"(#100) The message is longer than {limit} characters")
    return text


def _part(params: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = params.get(name)
    return value if isinstance(value, dict) else {}
