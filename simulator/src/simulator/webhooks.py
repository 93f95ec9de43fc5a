"""Webhook bodies, their signatures and the schedule of their retries. Pure."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from simulator.model import Account, Platform

RETRY_SPAN = 36 * 3600.0
"""Platform seconds after the first attempt in which a delivery is still tried; later it is dropped for good."""

FIRST_GAP = 60.0
"""Platform seconds between the immediate retry and the next one; every further gap is twice as long."""

_dumps = json.JSONEncoder(separators=(",", ":")).encode


def encode(value: Mapping[str, object]) -> str:
    r"""ASCII JSON as the platform writes it: `\u00e4` in lower-case hex, and `\/` for a slash."""
    return _dumps(value).replace("/", "\\/")


def sign(secret: str, body: bytes) -> dict[str, str]:
    """Both signature headers over the body's exact bytes."""
    key = secret.encode()
    return {
        "X-Hub-Signature-256": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}",
        "X-Hub-Signature": f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}",
    }


def next_attempt(first: float, attempts: int, now: float) -> float | None:
    """When a delivery that failed `attempts` times is tried again; None once the span is over. All in platform seconds."""
    gap = 0.0 if attempts <= 1 else FIRST_GAP * 2 ** (attempts - 2)
    due = now + gap
    return due if due <= first + RETRY_SPAN else None


@dataclass(slots=True)
class Update:
    """One happening that an account's subscriber must hear of. `text` is the encoded JSON, braces off for a change."""

    account: Account
    messaging: bool
    text: str
    subject: str
    verb: str
    comment: bool = False
    echo: bool = False
    accepted: bool = False
    resent: bool = False


def change(account: Account, field: str, value: Mapping[str, object], *, subject: str, verb: str) -> Update:
    """An item of `changes[]`."""
    return Update(account, messaging=False, text=encode({"field": field, "value": value})[1:-1], subject=subject, verb=verb)


def messaging(account: Account, event: Mapping[str, object], *, subject: str) -> Update:
    """An item of `messaging[]`."""
    return Update(account, messaging=True, text=encode(event), subject=subject, verb="add")


def body(updates: Iterable[Update], wall: float, *, per_entry: int, flat: bool = False, wrap: bool = False) -> bytes:
    """The POST's body: several entries of several changes. `flat` and `wrap` are Instagram's other shapes.

    `wall` is the moment of sending, in unix seconds.
    """
    ordered = sorted(updates, key=lambda update: (update.account.id, update.messaging))
    platform = ordered[0].account.platform
    flat = flat and platform is Platform.INSTAGRAM
    entries = ",".join(_entries(ordered, wall, per_entry, flat=flat))
    name = "page" if platform is Platform.FACEBOOK else "instagram"
    text = f'{{"object":"{name}","entry":[{entries}]}}'
    return (f"[{text}]" if wrap and platform is Platform.INSTAGRAM else text).encode("ascii")


def _entries(ordered: list[Update], wall: float, per_entry: int, *, flat: bool) -> Iterator[str]:
    for (account, is_messaging), group in groupby(ordered, key=lambda update: (update.account.id, update.messaging)):
        texts = [update.text for update in group]
        head = f'{{"id":{_dumps(account)},"time":{int(wall * 1000) if is_messaging else int(wall)}'
        if flat and not is_messaging:
            yield from (f"{head},{text}}}" for text in texts)
            continue
        for start in range(0, len(texts), per_entry):
            part = texts[start : start + per_entry]
            if is_messaging:
                yield f'{head},"messaging":[{",".join(part)}]}}'
            else:
                yield f'{head},"changes":[{",".join(f"{{{text}}}" for text in part)}]}}'
