"""The Graph API client: exactly one request a call, and what its answer means."""

import asyncio
import logging
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from antiphon.clock import Clock
from antiphon.errors import Invalid, Transient
from antiphon.logs import redact
from publisher.adapters.headers import http_date, retry_after
from publisher.adapters.platforms.errors import RATE_PAUSE, ErrorRow, Remedy, row_for
from publisher.domain.calls import AlreadyThere, Answer, Denied, Done, Outcome, Unclear, Untouched
from publisher.domain.machine import may_write
from publisher.domain.pace import Usage
from publisher.ports import Channel, Failpoint

log = logging.getLogger(__name__)

MAX_ANSWER = 262_144
"""Bytes of an answer that are read; a page of a hundred comments with ids and times is a tenth of it."""

_LONGEST_PAUSE = 3_600.0
"""Seconds; a platform that asks for more is asked again after an hour, because people may have lifted it."""

_DETAIL = 300
"""Characters of the platform's words that are kept."""

_IDS = re.compile(r"[A-Za-z0-9_.:=\-]{1,256}")
"""What an object's id may look like; anything else could leave its place in the path."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: method, path below the API's base, and JSON body or query."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a reading: its JSON object, and how far the platform's clock is ahead of ours, in seconds."""

    body: Mapping[str, Any]
    skew: float


class _TooLate(Exception):
    """The deadline passed before the first byte was written."""


class _TooLarge(Exception):
    """The answer is longer than any answer we know."""


def path_id(text: str) -> str:
    """Return an id fit for a path. Raises Invalid."""
    if not _IDS.fullmatch(text) or ".." in text:
        raise Invalid("bad_id", "the target's id has a form that no platform uses")
    return text


class GraphClient:
    """Shared by all platforms that speak this API."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock, *, timeout: float, failpoint: Failpoint) -> None:
        self._http, self._clock, self._timeout, self._failpoint = http, clock, timeout, failpoint

    async def write(self, base: str, channel: Channel, call: Call, deadline: float) -> Answer:
        """Make the call once, unless `may_write` says that it is too late. Never raises for what comes back."""
        written = False

        async def watch(event: str, _info: object) -> None:
            nonlocal written
            if event.endswith("send_request_headers.started"):
                if not may_write(deadline, self._clock.monotonic(), self._timeout):
                    raise _TooLate
                written = True
            elif event.endswith("send_request_body.complete"):
                self._failpoint("publisher.after_write")

        try:
            async with asyncio.timeout(self._timeout):
                response, body = await self._exchange(base, channel, call, watch)
        except _TooLate:
            return Answer(Untouched("too late to send", 0.0, counts=False))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, _TooLarge) as error:
            detail = f"no readable answer: {type(error).__name__}"
            return Answer(Unclear(detail) if written else Untouched(detail))
        return interpret(response, body, channel.account)

    async def _exchange(self, base: str, channel: Channel, call: Call, watch: object) -> tuple[httpx.Response, Any]:
        request = self._http.build_request(
            call.method,
            f"{base}/{call.path}",
            content=orjson.dumps(call.body) if call.body is not None else None,
            params=call.query,
            headers={
                "Authorization": f"Bearer {channel.credential.get_secret_value()}",
                "Accept-Encoding": "identity",
                **({"Content-Type": "application/json"} if call.body is not None else {}),
            },
            extensions={"trace": watch} if watch else None,
        )
        response = await self._http.send(request, stream=True)
        try:
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > MAX_ANSWER:
                    raise _TooLarge
        finally:
            await response.aclose()
        try:
            return response, orjson.loads(content)
        except orjson.JSONDecodeError:
            return response, None

    async def read(self, base: str, channel: Channel, call: Call) -> Page:
        """Read once. Raises Invalid (gone, credential, permission) or Transient."""
        asked = self._clock.now()
        try:
            async with asyncio.timeout(self._timeout):
                response, body = await self._exchange(base, channel, call, None)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, _TooLarge) as error:
            raise Transient(f"the platform could not be read: {type(error).__name__}") from error
        if response.status_code == httpx.codes.OK and isinstance(body, dict) and "error" not in body:
            return Page(body, _skew(response, asked.timestamp()))
        row, detail = _error(response, body)
        if row is not None and row.remedy in {Remedy.REFUSE, Remedy.CREDENTIAL}:
            raise Invalid(row.reason, detail)
        raise Transient(f"the platform answered {response.status_code}: {detail}")


def interpret(response: httpx.Response, body: Any, account: str) -> Answer:
    """Return what the answer to a writing call means."""
    usage = usage_of(response.headers, account)
    if response.is_success:
        return Answer(_success(body), usage=usage)
    row, detail = _error(response, body)
    if row is None:
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            asked = retry_after(response.headers.get("Retry-After", ""), _date(response)) or RATE_PAUSE
            pause = min(asked, _LONGEST_PAUSE)
            return Answer(Untouched("too many requests", pause, counts=False), pause, usage)
        return Answer(Unclear(f"status {response.status_code} without the platform's error"), usage=usage)
    return _judged(row, detail, usage)


def _judged(row: ErrorRow, detail: str, usage: Usage | None) -> Answer:
    pause = usage.regain_seconds if usage and usage.regain_seconds and row.pause else row.pause
    outcomes: dict[Remedy, Outcome] = {
        Remedy.REFUSE: Denied(row.reason, detail),
        Remedy.WAIT: Untouched(detail, pause, counts=False),
        Remedy.CREDENTIAL: Denied(row.reason, detail),
        Remedy.DUPLICATE: AlreadyThere(detail),
        Remedy.UNCLEAR: Unclear(detail),
    }
    return Answer(outcomes[row.remedy], pause, usage, credential_refused=row.remedy is Remedy.CREDENTIAL)


def _success(body: Any) -> Outcome:
    if not isinstance(body, dict) or "error" in body:
        return Unclear("a success that cannot be read")
    for name in ("id", "message_id"):
        if isinstance(body.get(name), str | int) and not isinstance(body[name], bool):
            return Done(str(body[name])[:256])
    return Done("") if body.get("success") is True else Unclear("a success without an id")


def _error(response: httpx.Response, body: Any) -> tuple[ErrorRow | None, str]:
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(code, int):
        return None, ""
    subcode = error.get("error_subcode")
    detail = clean(f"{code}: {error.get('message', '')}")
    return row_for(code, subcode if isinstance(subcode, int) else None, response.status_code), detail


def clean(text: str) -> str:
    """Return the platform's words without control and direction characters and without credentials, cut."""
    kept = "".join(c for c in text[: 4 * _DETAIL] if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"})
    return redact(kept)[:_DETAIL]


def _date(response: httpx.Response) -> float | None:
    return http_date(response.headers.get("Date", ""))


def _skew(response: httpx.Response, asked: float) -> float:
    date = _date(response)
    ahead = date - asked if date is not None else 0.0
    # The header has whole seconds and the way takes time; less than this is not told apart from none.
    return ahead if abs(ahead) > 2.0 else 0.0


def usage_of(headers: Mapping[str, str], account: str) -> Usage | None:
    """Return the highest share that the platform's usage headers show for this account; None without such headers."""
    shares: list[float] = []
    regain = 0.0
    app = _json(headers.get("X-App-Usage"))
    if isinstance(app, dict):
        shares += _percents(app)
    cases = _json(headers.get("X-Business-Use-Case-Usage"))
    for one in _cases(cases, account):
        shares += _percents(one)
        minutes = one.get("estimated_time_to_regain_access", 0)
        if isinstance(minutes, int | float) and not isinstance(minutes, bool):
            regain = max(regain, min(float(minutes) * 60, 86_400.0))
    return Usage(max(shares, default=0.0), regain) if shares or regain else None


def _cases(cases: Any, account: str) -> list[dict[str, Any]]:
    """The account's own entries; a business's when the account is not named."""
    if not isinstance(cases, dict):
        return []
    lists = [cases[account]] if account in cases else list(cases.values())
    return [one for entries in lists if isinstance(entries, list) for one in entries if isinstance(one, dict)]


def _percents(values: Mapping[str, Any]) -> list[float]:
    found = [values.get(name) for name in ("call_count", "total_time", "total_cputime")]
    return [float(value) for value in found if isinstance(value, int | float) and not isinstance(value, bool)]


def _json(text: str | None) -> Any:
    if not text or len(text) > 16_384:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
