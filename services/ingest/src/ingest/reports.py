"""What the brand's own systems report: conversions, and entries by a campaign's form."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from antiphon.clock import Clock
from antiphon.errors import Transient
from antiphon.links import read_code
from ingest.domain import Author, Event, Media, Platform, Referral
from ingest.ports import Configuration, EventLog, Meter
from ingest.web import conversion_event, door, submission_event

CONVERSIONS, FORMS = "conversions", "forms"

_SKEW = timedelta(minutes=5)
"""How far another clock may be ahead of ours."""


class Refusal(StrEnum):
    """Why a report was not taken."""

    NO_BRAND = "no_brand"
    NO_CAMPAIGN = "no_campaign"
    NO_FORM = "no_form"
    NOT_OPEN = "not_open"
    FUTURE = "future"
    BAD_CODE = "bad_code"


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing of the request was taken. `position` is that of the report at fault; `detail` is for people."""

    refusal: Refusal
    position: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What the brand reports. `time` None: now. `visitor`, `click` and `code` say where it came from, as far as known."""

    brand: str
    reference: str
    value: float = 0.0
    currency: str = ""
    time: datetime | None = None
    click: str = ""
    code: str = ""
    visitor: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """An entry by form, as the brand's site took it."""

    brand: str
    campaign: str
    reference: str
    person: Author
    text: str = ""
    media: Sequence[Media] = ()
    time: datetime | None = None


class ReportService:
    """Checks reports against the configuration and makes them durable; a report that is repeated makes the same event."""

    def __init__(
        self,
        *,
        keys: Sequence[bytes],
        configuration: Configuration,
        event_log: EventLog,
        clock: Clock,
        meter: Meter,
        deadline: timedelta,
    ) -> None:
        self._keys, self._configuration = tuple(keys), configuration
        self._log, self._clock, self._meter = event_log, clock, meter
        self._deadline = deadline.total_seconds()

    async def convert(self, reports: Sequence[Conversion]) -> list[str] | Refused:
        """Return the events' ids once all of them are durable. Raises Transient: send all of it again."""
        now = self._clock.now()
        events = []
        for position, report in enumerate(reports):
            event = self._conversion(report, now)
            if isinstance(event, Refusal):
                return Refused(event, position)
            events.append(event)
        return await self._keep(CONVERSIONS, now, events)

    async def submit(self, entry: Submission) -> str | Refused:
        """Return the event's id once it is durable. Raises Transient: send it again."""
        now = self._clock.now()
        if refused := self._closed(entry, now):
            return refused
        event = submission_event(
            entry.brand, entry.campaign, entry.reference, entry.person, entry.time or now, text=entry.text, media=entry.media
        )
        (kept,) = await self._keep(FORMS, now, [event])
        return kept

    def _conversion(self, report: Conversion, now: datetime) -> Event | Refusal:
        if not self._knows(report.brand):
            return Refusal.NO_BRAND
        if report.time and report.time > now + _SKEW:
            return Refusal.FUTURE
        said = read_code(self._keys, report.code) if report.code else None
        if report.code and (said is None or said.brand != report.brand):
            return Refusal.BAD_CODE
        link, action = (said.link, said.action_id) if said else ("", "")
        referral = Referral(link, action, report.click, report.reference, report.value, report.currency)
        return conversion_event(report.brand, report.visitor, referral, report.time or now)

    def _closed(self, entry: Submission, now: datetime) -> Refused | None:
        campaign = self._configuration.campaign(entry.brand, entry.campaign) if self._knows(entry.brand) else None
        if campaign is None:
            return Refused(Refusal.NO_CAMPAIGN)
        if not campaign.form:
            return Refused(Refusal.NO_FORM)
        if entry.time and entry.time > now + _SKEW:
            return Refused(Refusal.FUTURE)
        for moment in (now, entry.time or now):
            if because := campaign.closed_because(moment):
                return Refused(Refusal.NOT_OPEN, detail=because)
        return None

    def _knows(self, brand: str) -> bool:
        if not self._configuration.complete():
            raise Transient("the configuration is not loaded yet")
        return self._configuration.has_brand(brand)

    async def _keep(self, name: str, received: datetime, events: Sequence[Event]) -> list[str]:
        try:
            async with asyncio.timeout(self._deadline):
                await self._log.append(door(name, events), received, events, ())
        except TimeoutError as error:
            raise Transient("the event log has not acknowledged in time") from error
        for event in events:
            self._meter.event(Platform.WEB, event.kind)
        return [event.event_id for event in events]
