"""What makes an entry suspicious, each with what was compared. A flag turns nobody away; people and contests decide. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from publisher.domain.entries.model import CampaignEntry, Capture, Flag, Flagged
from publisher.domain.entries.texts import normalised, shingles, similarity

SIMILAR = 0.8
"""Share of shingles from which two texts are one text with a word changed; below, people who praise alike are flagged."""

FARM_FRIENDS, FARM_ENTRIES = 2, 4
"""So many entries that name the same friends, at least two: couples name each other, and fans enter daily with one friend."""

RING_ENTRIES = 3
"""Entries that each of two people must have made for the other: twice is courtesy."""

BURST_ENTRIES, BURST_SECONDS = 5, 10.0
"""More entries in less time than a person can type and send."""


@dataclass(slots=True)
class Crowd:
    """What was entered in one campaign, as far as flags look at it."""

    known: set[str] = field(default_factory=set)
    by_person: dict[str, list[float]] = field(default_factory=dict)
    by_friends: dict[frozenset[str], list[str]] = field(default_factory=dict)
    named: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, capture: Capture) -> None:
        """Take an entry in; a known one changes nothing."""
        if capture.entry_id in self.known:
            return
        self.known.add(capture.entry_id)
        self.by_person.setdefault(capture.person, []).append(capture.event_time)
        friends = _friends(capture)
        if len(friends) >= FARM_FRIENDS:
            self.by_friends.setdefault(friends, []).append(capture.entry_id)
        for friend in friends if capture.handle else ():
            pair = (capture.handle.casefold(), friend)
            self.named[pair] = self.named.get(pair, 0) + 1


def _friends(capture: Capture) -> frozenset[str]:
    return frozenset(friend.casefold() for friend in capture.friends)


def crowd_flags(capture: Capture, crowd: Crowd) -> Sequence[Flagged]:
    """Return what stands out against the campaign's other entries; the entry itself is in the crowd."""
    return [one for one in (_farm(capture, crowd) or _ring(capture, crowd), _burst(capture, crowd)) if one]


def _farm(capture: Capture, crowd: Crowd) -> Flagged | None:
    same = crowd.by_friends.get(_friends(capture), ())
    if len(same) < FARM_ENTRIES:
        return None
    others = next(name for name in same if name != capture.entry_id)
    return Flagged(
        Flag.TAG_FARM, f"the same {len(_friends(capture))} friends are named in {len(same)} entries, first in {others}"
    )


def _ring(capture: Capture, crowd: Crowd) -> Flagged | None:
    me = capture.handle.casefold()
    for friend in sorted(_friends(capture)) if me else ():
        there, back = crowd.named.get((me, friend), 0), crowd.named.get((friend, me), 0)
        if there >= RING_ENTRIES and back >= RING_ENTRIES:
            return Flagged(Flag.TAG_FARM, f"{me} and {friend} name each other in {there} and {back} entries")
    return None


def _burst(capture: Capture, crowd: Crowd) -> Flagged | None:
    moments = crowd.by_person.get(capture.person, ())
    near = sum(abs(moment - capture.event_time) < BURST_SECONDS for moment in moments)
    if near < BURST_ENTRIES:
        return None
    return Flagged(Flag.BOT, f"{near} entries of one person within {BURST_SECONDS:.0f} seconds")


def near_duplicate(capture: Capture, candidates: Iterable[Capture]) -> Flagged | None:
    """Return the flag of a text that resembles an entry made before; the nearest one is named."""
    own = shingles(normalised(capture.text))
    rated = [
        (similarity(own, shingles(normalised(other.text))), other.entry_id)
        for other in candidates
        if other.entry_id != capture.entry_id and _before(other, capture)
    ]
    share, name = max(rated, default=(0.0, ""))
    if not own or share < SIMILAR:
        return None
    return Flagged(Flag.NEAR_DUPLICATE, f"{share:.0%} like entry {name}")


def copied_media(entry: CampaignEntry, sha256: str, others: Iterable[CampaignEntry]) -> Flagged | None:
    """Return the flag of a medium that another entry brought before, byte for byte."""
    first = next((one for one in others if one.entry_id != entry.entry_id and _before(one.capture, entry.capture)), None)
    return Flagged(Flag.COPIED_MEDIA, f"the same file ({sha256[:12]}…) as entry {first.entry_id}") if first else None


def _before(one: Capture, other: Capture) -> bool:
    return (one.event_time, one.entry_id) < (other.event_time, other.entry_id)
