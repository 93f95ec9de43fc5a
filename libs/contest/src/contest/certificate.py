"""The certificate: one JSON document that holds all that is needed to make the draw again."""

import base64
import itertools
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contest import merkle
from contest.draw import ALGORITHM, Unusable, binding, commitment_of, drawn

FORMAT = "antiphon-draw-certificate"
VERSION = 1

ALGORITHMS: Mapping[str, str] = {"commitment": "sha-256", "tree": "rfc6962-sha-256", "draw": ALGORITHM}

ENCODING = "lines-zlib-base64"
"""How a compact list of entries is written: ids on lines of their own, compressed, in base64."""

NAME = re.compile(r"[!-~]{1,200}")
"""Ids of brands, campaigns and entries: visible ASCII, so that there is one spelling and one order."""

LINE = re.compile(r"[ -~]{1,1000}")


@dataclass(frozen=True, slots=True)
class Beacon:
    """Randomness that somebody else publishes after the close, such as a lottery's numbers: `source` says whose, and which."""

    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Contest:
    """What was fixed before anything was drawn. Moments are aware; `published` is the commitment's."""

    brand: str
    campaign: str
    published: datetime
    closed: datetime
    winners: int
    alternates: int = 0
    beacon: Beacon | None = None


def make_certificate(
    contest: Contest, seed: bytes, entries: Iterable[str], *, at: datetime, compact: bool = False
) -> dict[str, Any]:
    """Draw, and return the certificate as a JSON object.

    `entries` are opaque ids (visible ASCII, at most 200 characters; pseudonyms, never names) in any order; `at` is the
    present moment; `compact` compresses their list, which large contests want. Raises Unusable with the remedy.
    """
    ids = _in_order(entries)
    _check(contest, at)
    tree = merkle.levels(ids)
    beacon = contest.beacon
    document = _terms(contest, seed, at) | {
        "count": len(ids),
        "root": tree[-1][0].hex(),
        "wanted": {"winners": contest.winners, "alternates": contest.alternates},
    }
    key = binding(
        seed,
        brand=contest.brand,
        campaign=contest.campaign,
        closed=document["closed"],
        count=len(ids),
        root=document["root"],
        beacon=(beacon.source, beacon.value) if beacon else ("", ""),
    )
    places = [_place(ids, tree, index) for index in drawn(key, len(ids), contest.winners + contest.alternates)]
    return document | {
        "binding": key.hex(),
        "winners": places[: contest.winners],
        "alternates": places[contest.winners :],
        "entries": _packed(ids) if compact else ids,
    }


def _terms(contest: Contest, seed: bytes, at: datetime) -> dict[str, Any]:
    """Return how it was to be drawn, whoever entered."""
    beacon = contest.beacon
    return {
        "format": FORMAT,
        "version": VERSION,
        "algorithms": dict(ALGORITHMS),
        "brand": contest.brand,
        "campaign": contest.campaign,
        "commitment": {"sha256": commitment_of(seed), "published": contest.published.isoformat()},
        "closed": contest.closed.isoformat(),
        "drawn": at.isoformat(),
        "seed": seed.hex(),
        "beacon": {"source": beacon.source, "value": beacon.value} if beacon else None,
    }


def _place(ids: Sequence[str], tree: merkle.Levels, index: int) -> dict[str, Any]:
    return {"entry": ids[index], "index": index, "path": [node.hex() for node in merkle.path(tree, index)]}


def _packed(ids: Sequence[str]) -> dict[str, str]:
    return {"encoding": ENCODING, "data": base64.b64encode(zlib.compress("\n".join(ids).encode())).decode()}


def _in_order(entries: Iterable[str]) -> list[str]:
    ids = sorted(entries)
    for entry in ids:
        if not NAME.fullmatch(entry):
            raise Unusable(f"{entry!r} cannot be an entry's id: use 1 to 200 visible ASCII characters, such as a hash in hex")
    for one, other in itertools.pairwise(ids):
        if one == other:
            raise Unusable(f"the entry {one!r} is there twice: every entry goes in once")
    return ids


def _check(contest: Contest, at: datetime) -> None:
    for name in (contest.brand, contest.campaign):
        if not NAME.fullmatch(name):
            raise Unusable(f"{name!r} cannot be the id of a brand or campaign: use 1 to 200 visible ASCII characters")
    for text in (contest.beacon.source, contest.beacon.value) if contest.beacon else ():
        if not LINE.fullmatch(text):
            raise Unusable(f"{text!r} cannot be part of a beacon: use one line of ASCII")
    if contest.winners < 1 or contest.alternates < 0:
        raise Unusable("draw at least one winner, and no fewer than 0 alternates")
    if any(moment.tzinfo is None for moment in (contest.published, contest.closed, at)):
        raise Unusable("moments need their zone")
    if not contest.published < contest.closed <= at:
        raise Unusable("the commitment is published before the close, and the draw comes after it: wait, or correct the moments")
