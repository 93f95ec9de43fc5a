"""Calls of the API: JSON in, JSON out, refusals as they were said."""

import time
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from antiphon_cli.errors import Exit, Failure
from antiphon_cli.settings import Settings

TIMEOUT_S = 30.0
"""The API answers within a second or two; a back-test's start reads more."""

_TRIES = 4
_LONGEST_PAUSE_S = 10.0
"""A person waits in front of the terminal: what takes longer is said instead of waited for."""

_PAGE = 100
_BUSY = frozenset({429, 503})


class Refused(Failure):
    """The API said no. `errors` point at fields: `pointer` and `detail` each."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
        super().__init__(detail or f"the API answered {status}", _REMEDIES.get(status, ""))
        if status == httpx.codes.PRECONDITION_FAILED:
            self.code = Exit.CONFLICT
        self.status, self.problem_code, self.detail = status, code, detail
        self.errors: list[Mapping[str, Any]] = [error for error in problem.get("errors", ()) if isinstance(error, Mapping)]

    @property
    def is_absent(self) -> bool:
        """Return whether there is no such thing, or not for this key."""
        return self.status == httpx.codes.NOT_FOUND


_REMEDIES = {
    401: "the key is wrong, expired or revoked: run `antiphon login` with another",
    403: "ask for a key with a higher role",
    404: "check the spelling; a key sees only its own brands",
    429: "wait a little",
    503: "the service is starting or a part of it is away: try again",
}


class Api:
    """One connection; `with` closes it. Every method raises Refused, or Failure when nothing answers."""

    def __init__(self, settings: Settings) -> None:
        headers = {"Authorization": f"Bearer {settings.key}", "Accept": "application/json", "User-Agent": "antiphon-cli"}
        try:
            self._http = httpx.Client(base_url=settings.url, headers=headers, timeout=TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise Failure(f"{settings.url!r} is no address", "write it as https://antiphon.example") from error
        except UnicodeEncodeError as error:
            raise Failure("the key holds characters that no key has", "copy the token again") from error
        self._url = settings.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, *, timeout_s: float = TIMEOUT_S, **params: Any) -> Any:
        """Return the answer to a GET; of the parameters None and "" are left out, and 0 is not."""
        given = {name: value for name, value in params.items() if value is not None and value != ""}
        return self._call("GET", path, params=given, timeout=timeout_s)

    def file(self, path: str) -> bytes:
        """Return the answer to a GET as it came, for what must be kept to the byte."""
        return self._answer("GET", path).content

    def items(self, path: str, **params: Any) -> Iterator[Any]:
        """Yield the items of all pages."""
        after: Any = None
        while True:
            page = self.get(path, limit=_PAGE, after=after, **params)
            yield from page["items"]
            after = page.get("next")
            if after is None:
                return

    def post(self, path: str, body: Any = None, *, match: int | None = None, **params: Any) -> Any:
        """Return the answer to a POST; a repetition of it does nothing twice."""
        return self._call("POST", path, body, match, {"Idempotency-Key": f'"{uuid.uuid4()}"'}, params=params)

    def change(self, method: str, path: str, body: Any = None, *, match: int | None = None, **params: Any) -> Any:
        """Return the answer to a PUT, PATCH or DELETE. `match`: the generation that is replaced."""
        return self._call(method, path, body, match, params=params)

    def _call(self, *arguments: Any, **options: Any) -> Any:
        answer = self._answer(*arguments, **options)
        return _json(answer) if answer.content else None

    def _answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        match: int | None = None,
        more: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        headers = dict(more or {})
        if match is not None:
            headers["If-Match"] = f'"{match}"'
        if body is not None:
            headers["Content-Type"] = "application/json"
            options["content"] = orjson.dumps(body)
        answer = self._patient(method, path, headers, options)
        if answer.is_success:
            return answer
        raise Refused(answer.status_code, _problem(answer))

    def _patient(self, method: str, path: str, headers: Mapping[str, str], options: dict[str, Any]) -> httpx.Response:
        repeatable = method == "GET" or "Idempotency-Key" in headers
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._http.request(method, path, headers=headers, **options)
            except (httpx.ConnectError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ReadError) as error:
                sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if attempt == _TRIES or (sent and not repeatable):
                    raise self._away(error, sent=sent) from error
                pause = 0.2 * attempt
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._away(error, sent=False) from error
            else:
                pause = _pause(answer)
                busy = answer.status_code in _BUSY and (repeatable or answer.status_code != httpx.codes.SERVICE_UNAVAILABLE)
                if not busy or attempt == _TRIES or pause > _LONGEST_PAUSE_S:
                    return answer
            time.sleep(pause)
        raise AssertionError("every last attempt returns or raises")

    def _away(self, error: Exception, *, sent: bool) -> Failure:
        remedy = "look whether it was carried out, then try again" if sent else "check the address and your network"
        return Failure(f"no answer from {self._url}: {str(error) or type(error).__name__}", remedy)


def _pause(answer: httpx.Response) -> float:
    told = answer.headers.get("Retry-After", "1")
    return float(told) if told.isdecimal() else 1.0


def _json(answer: httpx.Response) -> Any:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise Failure("what answers there is not Antiphon's API", "check the address") from error


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
