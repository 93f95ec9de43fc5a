"""Links to the consent form: which entry, which request, until when; signed, so that nobody can make one. Pure."""

import base64
import binascii
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_FORM = struct.Struct(">32sHQ")
"""Entry id, attempt, expiry in unix seconds."""

_MAC_BYTES = 32
_PURPOSE = b"antiphon consent link v1"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link says. `expires` in whole unix seconds."""

    entry_id: str
    attempt: int
    expires: int


def link_key(secret: bytes) -> bytes:
    """Return the key that signs links, derived so that it is good for nothing else."""
    return hmac.digest(secret, _PURPOSE, "sha256")


def token_of(invitation: Invitation, key: bytes) -> str:
    """Return the signed form; `entry_id` is 64 hex digits."""
    body = _FORM.pack(bytes.fromhex(invitation.entry_id), invitation.attempt, invitation.expires)
    return base64.urlsafe_b64encode(body + hmac.digest(key, body, "sha256")).decode().rstrip("=")


def invitation_of(token: str, keys: Sequence[bytes], now: float) -> Invitation | None:
    """Return what a token says; None for one that is forged, damaged or past its time."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
    right = [hmac.compare_digest(hmac.digest(key, body, "sha256"), mac) for key in keys]
    if len(body) != _FORM.size or not any(right):
        return None
    name, attempt, expires = _FORM.unpack(body)
    return Invitation(name.hex(), attempt, expires) if now < expires else None
