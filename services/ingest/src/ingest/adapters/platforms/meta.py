"""What Facebook and Instagram share: the handshake, the signature and the envelope around updates."""

import hmac
import logging
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import orjson

from antiphon import ids
from antiphon.errors import Invalid
from ingest.adapters.platforms.values import Json, moment, number, optional_id, required_id
from ingest.domain import Event, Ignored, Kind, Platform, Reason, Rejected, Result, Verb

log = logging.getLogger(__name__)

SIGNATURE = b"x-hub-signature-256"

MAX_UPDATES = 10_000
"""Meta sends up to 1,000 in a body. Past this a body is refused as a whole, before it costs memory and time."""

MAX_FRAGMENT = 500_000
"""Bytes kept of an update that is put aside; half of what a record may hold."""

_MAX_CHALLENGE = 1_024
_MAX_PARAMETERS = 20

SECONDS_END = 100_000_000_000
"""A larger unix time is in milliseconds: entries carry either, and no update is from before 1973 or after 5138."""

FROM_ENTRY = {"time_source": "entry"}
"""The note on an event whose time is that of its delivery, because the platform gave no other."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an update stood: whose entry, and when that was sent (as it came)."""

    platform: Platform
    account: str
    sent: object

    def time_of(self, milliseconds: int | None, what: str) -> tuple[datetime, Mapping[str, object] | None]:
        """Return the moment of an update, and a note when it had to be the entry's."""
        if milliseconds is not None:
            return moment(milliseconds, what), None
        sent = number(self.sent, "entry.time")
        if sent is None:
            raise Invalid(Reason.BAD_TIME, f"neither {what} nor entry.time is there")
        return moment(sent * 1000 if sent < SECONDS_END else sent, "entry.time"), FROM_ENTRY

    def identity(self, verb: Verb, object_id: str, revision: str) -> str:
        """Return the id of what happened to an object of this place."""
        return ids.event_id(self.platform, self.account, object_id, verb, revision)

    def event(self, kind: Kind, verb: Verb, object_id: str, when: datetime, revision: str = "", **parts: Any) -> Event:
        """Return an event of this place with its identity."""
        event_id = self.identity(verb, object_id, revision)
        return Event(event_id, self.platform, self.account, kind, verb, object_id, when, **parts)


Handler = Callable[[Place, Json], Event | Ignored]
"""Turns one update's value into a result. Raises Invalid with a `Reason`."""


@dataclass(frozen=True, slots=True)
class MetaAdapter:
    """One of Meta's platforms: its name in bodies, what each field of `changes[]` means, and its messages."""

    platform: Platform
    object_name: str
    fields: Mapping[str, Handler]
    message: Handler
    standby: Handler

    def verify(self, keys: Sequence[bytes], headers: Mapping[bytes, bytes], body: bytes) -> bool:
        """Tell whether the raw body was signed with one of the keys."""
        given = headers.get(SIGNATURE, b"")
        for key in keys:  # noqa: SIM110 (a generator would cost more than the comparison)
            if hmac.compare_digest(given, b"sha256=" + hmac.digest(key, body, "sha256").hex().encode()):
                return True
        return False

    def handshake(self, verify_token: bytes, query: bytes) -> bytes | None:
        """Return the bare challenge of a subscription request that knows the token."""
        try:
            asked = parse_qs(query, max_num_fields=_MAX_PARAMETERS)
        except ValueError:
            return None
        token = asked.get(b"hub.verify_token", [b""])[0]
        challenge = asked.get(b"hub.challenge", [b""])[0]
        known = hmac.compare_digest(token, verify_token)
        if not known or asked.get(b"hub.mode") != [b"subscribe"] or not 0 < len(challenge) <= _MAX_CHALLENGE:
            return None
        return challenge

    def decode(self, body: bytes) -> object:
        """Return the parsed body. Raises Invalid `bad_json`."""
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Invalid("bad_json", f"The body is not JSON: {error.msg} at character {error.pos}.") from None

    def normalise(self, document: object, accounts: Container[str]) -> Sequence[Result]:
        """Return one result for each update. Raises Invalid when the body is no object, or holds too many updates."""
        bodies = document if isinstance(document, list) else (document,)
        results: list[Result] = []
        for body in bodies:
            if not isinstance(body, dict):
                raise Invalid("not_an_object", "The body is neither an object nor an array of objects.")
            results += self._body(body, accounts, MAX_UPDATES - len(results))
        return results

    def _body(self, body: Json, accounts: Container[str], room: int) -> list[Result]:
        entries = body.get("entry")
        if body.get("object") != self.object_name:
            return [rejected(Reason.UNKNOWN_OBJECT, f"object is not {self.object_name!r}", "", body)]
        if not isinstance(entries, list):
            return [rejected(Reason.BAD_SHAPE, "entry is not an array", "", body)]
        results: list[Result] = []
        for entry in entries:
            results += self._entry(entry, accounts, room - len(results))
        return results

    def _entry(self, entry: object, accounts: Container[str], room: int) -> list[Result]:
        account = ""
        try:
            if not isinstance(entry, dict):
                raise Invalid(Reason.BAD_SHAPE, "an entry is not an object")
            account = required_id(entry.get("id"), "entry.id")
            updates = list(_updates(entry))
        except Invalid as error:
            _check_room(room, 1)
            return [self._put_aside(error, account, entry)]
        _check_room(room, len(updates))
        place = Place(self.platform, account, entry.get("time"))
        known = account in accounts
        return [self._update(place, slot, update, known=known) for slot, update in updates]

    def _update(self, place: Place, slot: str, update: object, *, known: bool) -> Result:
        try:
            if not known:
                raise Invalid(Reason.UNKNOWN_ACCOUNT, f"no brand has the account {place.account}")
            if not isinstance(update, dict):
                raise Invalid(Reason.BAD_SHAPE, f"an item of {slot} is not an object")
            return self._handle(place, slot, update)
        except Invalid as error:
            return self._put_aside(error, place.account, {"id": place.account, "time": place.sent, slot: [update]})
        except Exception as error:  # one update that we mishandle must not hold up the rest of the body
            log.exception("an update could not be normalised", extra={"platform": self.platform, "reason": Reason.BUG})
            bug = Invalid(Reason.BUG, type(error).__name__)
            return self._put_aside(bug, place.account, {"id": place.account, "time": place.sent, slot: [update]})

    def _handle(self, place: Place, slot: str, update: Json) -> Event | Ignored:
        if slot == "messaging":
            return self.message(place, update)
        if slot == "standby":
            return self.standby(place, update)
        name, value = update.get("field"), update.get("value")
        handler = self.fields.get(name) if isinstance(name, str) else None
        if handler is None:
            raise Invalid(Reason.UNKNOWN_FIELD, f"field {str(name)[:100]!r}")
        if not isinstance(value, dict):
            raise Invalid(Reason.BAD_SHAPE, "value is not an object")
        return handler(place, value)

    def _put_aside(self, error: Invalid, account: str, entry: object) -> Rejected:
        return rejected(Reason(error.reason), str(error), account, {"object": self.object_name, "entry": [entry]})


def _updates(entry: Json) -> Iterator[tuple[str, object]]:
    """Yield (slot, update) in the order given; Instagram may have one change directly in the entry."""
    found = False
    for slot in ("changes", "messaging", "standby"):
        items = entry.get(slot)
        if items is None:
            continue
        if not isinstance(items, list):
            raise Invalid(Reason.BAD_SHAPE, f"{slot} is not an array")
        found = True
        for item in items:
            yield slot, item
    if "field" in entry:
        yield "changes", {"field": entry["field"], "value": entry.get("value")}
    elif not found:
        raise Invalid(Reason.UNKNOWN_FIELD, "an entry without changes, messaging or standby")


def _check_room(room: int, wanted: int) -> None:
    if wanted > room:
        raise Invalid("too_many_updates", f"The body holds more than {MAX_UPDATES} updates.")


def rejected(reason: Reason, detail: str, account: str, body: Mapping[str, object]) -> Rejected:
    """Return an update put aside as a body of its own, cut where it is too large and empty where it is too deep."""
    try:
        raw = orjson.dumps(body)
    except orjson.JSONEncodeError:
        raw = b""
    return Rejected(reason, detail, account, raw[:MAX_FRAGMENT])


def sender_id(value: Json, name: str) -> str:
    """Return the id within an object such as `sender`; empty when it is missing."""
    part = value.get(name)
    if part is None:
        return ""
    if not isinstance(part, dict):
        raise Invalid(Reason.BAD_SHAPE, f"{name} is not an object")
    return optional_id(part.get("id"), f"{name}.id")
