"""What people do on the brand's own web, as events like all others: clicks, conversions, entries by form. Pure."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from typing_extensions import override

from antiphon.ids import event_id
from ingest.domain import Account, Author, Event, Kind, Media, Platform, Referral, Source, Verb

CLICK_WINDOW_SECONDS = 10
"""The same visitor on the same link within it is one click: longer than a double click or a reload, shorter than coming back."""

_VISITOR_BYTES = 10
"""80 bits: no two of a brand's visitors of a day share an id, and nobody needs more."""

_CLICK_BYTES = 16
_V4_BYTES, _V6_BYTES = 3, 6
"""What is kept of an address: a neighbourhood, in which it cannot be told who clicked."""


class Traffic(StrEnum):
    """Who follows a link: people's clicks alone become events. `UNKNOWN`: whoever came with a code that leads nowhere."""

    PERSON = "person"
    BOT = "bot"
    PREFETCH = "prefetch"
    HEAD = "head"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Link:
    """A tracked link of a brand. `url` is https and ASCII; `{click}` and `{code}` in it are filled in."""

    brand: str
    link: str
    url: str

    def target(self, *, click: str, code: str) -> str:
        """Return where one click leads. `click`: its event's id, empty when it is nobody's."""
        return self.url.replace("{click}", click).replace("{code}", code)


@dataclass(frozen=True, slots=True)
class Campaign:
    """What decides whether a campaign's form takes an entry. `state` is a word of the contract."""

    brand: str
    campaign: str
    state: str
    form: bool
    start: datetime | None = None
    end: datetime | None = None

    def closed_because(self, moment: datetime) -> str:
        """Return why it takes no entry of that moment, empty when it does."""
        if self.state != "active":
            return f"The campaign is {self.state}; it takes entries while it is active."
        if self.start and moment < self.start:
            return f"The campaign takes entries from {self.start.isoformat()}."
        if self.end and moment >= self.end:
            return f"The campaign took entries until {self.end.isoformat()}."
        return ""


class Door(Source):
    """Where events of the brand's own web come in; `id` names it in them."""

    @property
    @override
    def path(self) -> str:
        """Return where it is."""
        return f"/{self.id}"


def door(name: str, events: Sequence[Event]) -> Door:
    """Return the door of events whose account is their brand."""
    return Door(name, Platform.WEB, b"", (), {event.account: Account(event.account, event.account, "") for event in events})


def neighbourhood(address: str) -> str:
    """Return the part of an IP address that is looked at, in hex; empty for none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        return (found.ipv4_mapped.packed[:_V4_BYTES] if found.ipv4_mapped else found.packed[:_V6_BYTES]).hex()
    return found.packed[:_V4_BYTES].hex()


def visitor(key: bytes, brand: str, day: date, address: str, agent: str) -> str:
    """Return a pseudonym for whoever came on a day from a neighbourhood with a browser: another one each day, for each brand.

    Without the key nobody can tell from whom it was made, or try guesses.
    """
    parts = ("antiphon visitor", brand, day.isoformat(), neighbourhood(address), agent)
    return "v-" + hmac.digest(key, "\0".join(parts).encode(), hashlib.sha256)[:_VISITOR_BYTES].hex()


def click_event(brand: str, link: str, action_id: str, who: str, at: datetime) -> Event:
    """Return a click; the same visitor's next one in the window is the same event."""
    window = int(at.timestamp()) // CLICK_WINDOW_SECONDS
    digest = hashlib.sha256(f"{who}\0{link}\0{action_id}\0{window}".encode()).digest()
    name = f"click/{digest[:_CLICK_BYTES].hex()}"
    return _event(brand, Kind.CLICK, name, at, author=Author(who), referral=Referral(link, action_id))


def conversion_event(brand: str, who: str, referral: Referral, at: datetime) -> Event:
    """Return a conversion; the brand's own reference tells it apart, so it can be reported again."""
    name = f"conversion/{referral.reference}"
    return _event(brand, Kind.CONVERSION, name, at, author=Author(who), referral=referral)


def submission_event(
    brand: str, campaign: str, reference: str, author: Author, at: datetime, *, text: str = "", media: Sequence[Media] = ()
) -> Event:
    """Return an entry by form; the site's own reference tells it apart within the campaign."""
    name = f"form/{campaign}/{reference}"
    return _event(brand, Kind.SUBMISSION, name, at, author=author, text=text, media=media, campaign=campaign)


def _event(
    brand: str,
    kind: Kind,
    name: str,
    at: datetime,
    *,
    author: Author,
    text: str = "",
    media: Sequence[Media] = (),
    referral: Referral | None = None,
    campaign: str = "",
) -> Event:
    return Event(
        event_id=event_id(Platform.WEB, brand, name, Verb.CREATE, ""),
        platform=Platform.WEB,
        account=brand,
        kind=kind,
        verb=Verb.CREATE,
        object=name,
        event_time=at,
        author=author,
        text=text,
        media=media,
        referral=referral,
        campaign=campaign,
    )
