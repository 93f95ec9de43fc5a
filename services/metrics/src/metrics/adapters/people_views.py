"""What an export shows of the reports' records: all that is kept about a person, without words and names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from antiphon.mongo import Document
from metrics.adapters.pages import told_of
from metrics.domain.facts import ActionFact, DecisionFact, DeliveryFact, EntryFact, Fact, Referral, RuleFact


class _Kept(BaseModel):
    """What another release keeps is shown too: an export leaves nothing out. What says nothing is not kept."""

    model_config = ConfigDict(extra="allow")


class SaidMeasure(_Kept):
    """What was understood of an event. `sentiment` is in thousandths, `rating` in hundredths, `referral.value` in millionths."""

    level: str = ""
    polarity: str = ""
    sentiment: int | None = None
    topics: list[str] = []
    campaigns: list[str] = []
    flags: list[str] = []
    language: str = ""
    rating: int | None = None
    reach: int | None = None
    ad: bool = False
    object: str = ""
    parent: str = ""
    root: str = ""
    referral: Referral | None = None


class DecisionMeasure(_Kept):
    """What the rules made of something that the person did."""

    record: Literal["decision"]
    id: str
    event_id: str
    brand: str
    platform: str = ""
    channel: str = ""
    kind: str = ""
    verb: str = ""
    echo: bool = False
    event_time: datetime
    received_time: datetime | None = None
    decided_time: datetime | None = None
    outcome: str = ""
    reason: str = ""
    rules: list[RuleFact] = []
    actions: list[ActionFact] = []
    said: SaidMeasure


class DeliveryMeasure(_Kept):
    """One change of state of an action that answered the person."""

    record: Literal["delivery"]
    id: str
    action_id: str
    sequence: int
    event_id: str = ""
    brand: str
    platform: str = ""
    channel: str = ""
    rule_id: str = ""
    kind: str = ""
    mode: str = ""
    state: str = ""
    reason: str = ""
    event_time: datetime
    received_time: datetime | None = None
    delivered_time: datetime | None = None
    target: str = ""
    root: str = ""
    posted_object: str = ""


class EntryMeasure(_Kept):
    """One change of state of an entry that the person made to a campaign."""

    record: Literal["entry"]
    id: str
    entry_id: str
    sequence: int
    brand: str
    campaign: str = ""
    platform: str = ""
    channel: str = ""
    state: str = ""
    reason: str = ""
    flags: list[str] = []
    terms_version: int = 0
    event_time: datetime
    changed_time: datetime | None = None


Measure = Annotated[DecisionMeasure | DeliveryMeasure | EntryMeasure, Field(discriminator="record")]

_RECORDS: Final[Mapping[type[Fact], tuple[str, tuple[str, ...]]]] = {
    DecisionFact: ("decision", ("event_id",)),
    DeliveryFact: ("delivery", ("action_id", "sequence")),
    EntryFact: ("entry", ("entry_id", "sequence")),
}
"""What a record is called, and the fields that make its id."""


def measures_of(kind: type[Fact], page: Document, person: int) -> list[dict[str, Any]]:
    """Return a person's records in a page as `Measure` reads them; the pseudonym is left out."""
    record, named_by = _RECORDS[kind]
    return [
        {**told, "brand": page["brand"], "record": record, "id": "/".join(str(told[name]) for name in named_by)}
        for told, whose in told_of(page)
        if whose == person
    ]
