"""How many entries count: one record a person, with the ids that count and their moments. Pure.

The record answers for both caps of a person at once, so that an entry which one of them turns away uses up nothing of
the other. A redelivered entry finds its own id and consumes nothing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from publisher.domain.entries.campaign import Campaign
from publisher.domain.entries.model import Capture
from publisher.domain.limits import Consumed


@dataclass(frozen=True, slots=True)
class Full:
    """The cap that turns an entry away, in words."""

    detail: str


def person_key(capture: Capture) -> str:
    """Return the name of a person's record in a campaign."""
    return f"{capture.brand}/campaign/{capture.campaign}/{capture.person}"


def campaign_key(capture: Capture) -> str:
    """Return the name under which a campaign's places are numbered."""
    return f"{capture.brand}/{capture.campaign}"


def day_of(moment: float, zone: ZoneInfo) -> date:
    """Return the day of a moment in a zone."""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).date()


def admit_person(consumed: Consumed, capture: Capture, campaign: Campaign) -> Consumed | Full:
    """Return the record with this entry, the same object when it is in it already, or the cap that is full."""
    caps, counted = campaign.caps, consumed.events
    if capture.entry_id in counted:
        return consumed
    if caps.per_person and len(counted) >= caps.per_person:
        return Full(f"at most {caps.per_person} a person")
    day = day_of(capture.event_time, campaign.zone)
    same_day = sum(day_of(moment, campaign.zone) == day for moment in counted.values())
    if caps.per_person_day and same_day >= caps.per_person_day:
        return Full(f"at most {caps.per_person_day} a person and day, {day.isoformat()} in {campaign.zone.key}")
    return Consumed(consumed.revision, {**counted, capture.entry_id: capture.event_time})


def release(consumed: Consumed, entry_id: str) -> Consumed:
    """Return the record without an entry, the same object when it is not in it."""
    if entry_id not in consumed.events:
        return consumed
    return Consumed(consumed.revision, {name: at for name, at in consumed.events.items() if name != entry_id})
