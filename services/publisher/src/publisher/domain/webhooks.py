"""Standard Webhooks: how a notification is signed, what the receiver's answer means, when it is tried again. Pure."""

import base64
import binascii
import hmac
from collections.abc import Sequence

from publisher.domain.calls import Denied, Done, Outcome, Untouched
from publisher.domain.model import Reason

PREFIX = "whsec_"
"""How a symmetric secret begins, so that a leaked one is recognised."""

SHORTEST, LONGEST = 24, 64
"""Bytes of a secret: shorter can be guessed, longer is hashed down by HMAC anyway."""

WAITS = (5.0, 30.0, 120.0, 600.0, 1_800.0, 7_200.0, 21_600.0)
"""Seconds before each further try: a restart of the receiver costs seconds, a bad night of its people loses nothing."""


def key_of(secret: str) -> bytes:
    """Return the key inside `whsec_<base64>`. Raises ValueError when there is none of a proper length."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret begins with {PREFIX}")
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"what follows {PREFIX} is not base64") from error
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a secret has {SHORTEST} to {LONGEST} bytes")
    return key


def secret_of(key: bytes) -> str:
    """Return a key's written form."""
    return PREFIX + base64.b64encode(key).decode()


def signatures(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header's value: one signature a secret, so that a receiver may know either of two while they change."""
    content = f"{message_id}.{timestamp}.".encode() + body
    made = (hmac.digest(key_of(secret), content, "sha256") for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


def verdict(status: int, retry_after: float | None) -> Outcome:
    """Return what a status means; only 2xx is a receipt, and without one the same notification may be sent again."""
    if 200 <= status < 300:
        return Done("")
    detail = f"the receiver answered {status}"
    if status == 429 or status >= 500 or status < 200:
        return Untouched(detail, retry_after)
    if status == 410:
        return Denied(Reason.TARGET_GONE, detail)
    if status in {401, 403}:
        return Denied(Reason.PERMISSION, detail)
    if status < 400:
        detail += "; redirects are not followed"
    return Denied(Reason.INVALID, detail)


def wait(attempts: int) -> float:
    """Return the seconds until the next try after so many."""
    return WAITS[min(max(attempts, 1), len(WAITS)) - 1]
