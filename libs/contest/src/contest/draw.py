"""Who is drawn: fixed by the seed, which was committed to before the close, and the entries, which were fixed at it.

`docs/contests.md` states the algorithm so that others can write it; whatever changes here needs another `ALGORITHM`.
"""

import hashlib
import hmac
from collections.abc import Iterator

ALGORITHM = "antiphon-draw-1"
"""First line of what the seed signs: no other algorithm can be given the same key."""

SEED_BYTES = 32
"""As many as the hash gives: nobody can find the seed from its commitment, nor another one with the same."""

_COUNTER_BYTES = 8
_RANGE = 2**256
"""Numbers that a block can be."""


class Unusable(ValueError):
    """The draw cannot be made with these entries or terms; the message says what to do."""


def commitment_of(seed: bytes) -> str:
    """Return what is published before the close: the seed's SHA-256, in hex. Raises Unusable for a seed of another length."""
    if len(seed) != SEED_BYTES:
        raise Unusable(f"a seed has {SEED_BYTES} bytes: make one with secrets.token_bytes({SEED_BYTES})")
    return hashlib.sha256(seed).hexdigest()


def binding(seed: bytes, *, brand: str, campaign: str, closed: str, count: int, root: str, beacon: tuple[str, str]) -> bytes:
    """Return the key of the draw: the seed bound to the contest, its close and its entries.

    `closed` is the moment as the certificate writes it, `root` hex, `beacon` source and value, both empty for none. Nothing is
    among these that could still be chosen once the entries are fixed: no moment of the draw, and not how many win.
    """
    lines = (ALGORITHM, brand, campaign, closed, str(count), root, *beacon)
    return hmac.digest(seed, "\n".join(lines).encode(), hashlib.sha256)


def drawn(key: bytes, count: int, wanted: int) -> list[int]:
    """Return the places, in the sorted entries, of those drawn, first drawn first: all of them where fewer than `wanted` exist.

    Whoever is drawn again is passed over, so asking for more changes nobody's place.
    """
    found: dict[int, None] = {}
    numbers = _numbers(key, count)
    while len(found) < min(wanted, count):
        found[next(numbers)] = None
    return list(found)


def _numbers(key: bytes, count: int) -> Iterator[int]:
    """Yield numbers from 0 to count - 1, each equally likely: blocks beyond the last whole multiple of `count` are dropped."""
    limit = _RANGE - _RANGE % count
    counter = 0
    while True:
        block = hmac.digest(key, counter.to_bytes(_COUNTER_BYTES, "big"), hashlib.sha256)
        counter += 1
        if (number := int.from_bytes(block, "big")) < limit:
            yield number % count
