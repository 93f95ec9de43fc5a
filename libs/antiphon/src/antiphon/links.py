"""Codes of tracked links: `/l/{code}` says whose link it is and which answer carried it, signed, and holds no address.

Form: one character of version, then base64url (no padding) of `brand NUL link NUL action` and a tag; `action` is the
action id's 32 bytes, or nothing for a link that was published by hand. Where the link leads is looked up in the brand's
configuration, so that no code, forged or genuine, can lead anywhere else.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field, SecretStr, field_validator

from antiphon.settings import Settings

PATH = "/l/"
"""Where the path of every tracked link begins."""

MAX_CODE_LENGTH = 256
"""A code of the longest ids (63 + 63 characters, an action) has 225; anything longer is nobody's and is not decoded."""

_VERSION = "1"
"""First character of a code, and the first byte that is signed; another form takes another one."""

_SEPARATOR = b"\0"
"""Ids are slugs and never hold it."""

_TAG_BYTES = 8
"""64 bits. A forger has to try codes on a server: at 10,000 a second one guess in 58 million years is right, and gains no
more than a click on that link would. Longer tags make links longer, which people see; shorter ones come within reach."""

_KEY_BYTES = 32

_LABEL = b"antiphon tracked link\0"
"""Signed as well, so that no signature made with the same key elsewhere is a link's."""


class LinkSettings(Settings):
    """`LINK_KEY` and `LINK_BASE_URL`; without them no tracked links are made, and none are followed."""

    link_key: SecretStr = Field(
        default=SecretStr(""), description="base64 of 32 bytes; older keys behind it, separated by spaces, are still read"
    )
    link_base_url: str = Field(default="", pattern=r"^(https?://[^\s/?#]+)?$")
    """What people see before `/l/{code}`, such as `https://go.acme.example`; no path, no slash at its end."""

    @field_validator("link_key")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        parse_link_keys(value)
        return value


@dataclass(frozen=True, slots=True)
class LinkCode:
    """What a genuine code says. `action_id`: all 64 hex digits of the answer that carried it, or empty."""

    brand: str
    link: str
    action_id: str = ""


def parse_link_keys(text: SecretStr) -> tuple[bytes, ...]:
    """Return the keys, the signing one first; none for an empty text. Raises ValueError with the remedy, never with the key."""
    keys = []
    for part in text.get_secret_value().split():
        try:
            key = base64.b64decode(part, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY_BYTES:
            raise ValueError("each key of LINK_KEY must be base64 of 32 bytes; make one with `openssl rand -base64 32`")
        keys.append(key)
    return tuple(keys)


def make_code(key: bytes, *, brand: str, link: str, action_id: str = "") -> str:
    """Return the code, of URL-safe characters. `brand` and `link` are slugs, `action_id` 64 lower-case hex digits or empty.

    The same arguments make the same code. Raises ValueError for an action id of another form.
    """
    action = bytes.fromhex(action_id)
    if (action_id and action_id != action.hex()) or len(action) not in {0, 32}:
        raise ValueError("an action id has 64 lower-case hex digits")
    body = _SEPARATOR.join((brand.encode(), link.encode(), action))
    return _VERSION + base64.urlsafe_b64encode(body + _tag(key, body)).rstrip(b"=").decode()


def read_code(keys: bytes | Iterable[bytes], code: str) -> LinkCode | None:
    """Return what the code says, or None unless it was made, exactly so, with one of the keys."""
    box = _unpack(code)
    if box is None:
        return None
    body, tag = box[:-_TAG_BYTES], box[-_TAG_BYTES:]
    known = (keys,) if isinstance(keys, bytes) else keys
    if not any(hmac.compare_digest(_tag(key, body), tag) for key in known):
        return None
    brand, link, action = body.split(_SEPARATOR, 2)
    return LinkCode(brand.decode(), link.decode(), action.hex())


def _unpack(code: str) -> bytes | None:
    """Return the bytes of a code of this version, in the one spelling that they have."""
    encoded = code[1:]
    if not code.startswith(_VERSION) or len(code) > MAX_CODE_LENGTH:
        return None
    try:
        box = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:  # not ASCII, or not base64
        return None
    return box if base64.urlsafe_b64encode(box).rstrip(b"=").decode() == encoded else None


def _tag(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _LABEL + _VERSION.encode() + body, hashlib.sha256)[:_TAG_BYTES]
