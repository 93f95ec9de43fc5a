"""Who takes part in a draw. Pure."""

from collections.abc import Iterable, Sequence

from publisher.domain.entries.campaign import Contest
from publisher.domain.entries.model import CampaignEntry, EntryState

TAKING_PART = frozenset(
    {
        EntryState.ELIGIBLE,
        EntryState.RIGHTS_REQUESTED,
        EntryState.GRANTED,
        EntryState.REFUSED,
        EntryState.EXPIRED,
        EntryState.FEATURED,
    }
)
"""Whoever counted takes part, whether the brand may show the picture or not; what was deleted or revoked does not."""


def participants(entries: Iterable[CampaignEntry], contest: Contest, close: float) -> Sequence[CampaignEntry]:
    """Return what fits in the order of the ids: one entry a person, the earliest, or every one where the contest says so."""
    fitting = [entry for entry in entries if fits(entry, contest, close)]
    if not contest.every_entry:
        latest_first = sorted(fitting, key=lambda one: (one.capture.event_time, one.entry_id), reverse=True)
        fitting = list({entry.capture.person: entry for entry in latest_first}.values())
    return sorted(fitting, key=lambda one: one.entry_id)


def fits(entry: CampaignEntry, contest: Contest, close: float) -> bool:
    """Tell whether an entry may be drawn: in time, counting, with enough friends, and without flags where those bar."""
    capture, standing = entry.capture, entry.standing
    if standing.state not in TAKING_PART or capture.event_time >= close:
        return False
    if contest.exclude_flagged and standing.flags:
        return False
    friends = {friend.casefold() for friend in capture.friends} - {capture.handle.casefold()}
    return len(friends) >= contest.unique_friends
