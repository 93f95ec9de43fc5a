"""What every process shows of itself: its requests and memory, how far it is behind on its topics, which configuration it has."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPMethod
from typing import Protocol

from aiokafka.errors import KafkaError
from prometheus_client import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.telemetry import Telemetry

OTHER = "other"
"""Label of methods that nobody has defined: a stranger's words are never labels."""

_METHODS = (*(str(method) for method in HTTPMethod), OTHER)
_STATUSES = ("2xx", "3xx", "4xx", "5xx")

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by machines every few seconds: counted, they would hide what people ask for."""

_LONG_POLL = b"wait="
"""Such a request rests on purpose until there is news, up to 20 s; timed, it would look like a slow API."""

_LAG_PERIOD_S = 5.0
"""Between two looks at the lag: a look is a question to the brokers, and Prometheus asks no oftener."""

_LAG_TIMEOUT_S = 4.0
"""Without an answer for so long the lag is not known; shorter than the period, so that looks never pile up."""


class RequestMeter:
    """Counts an API's requests by method and class of answer, and how long they took."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._requests = telemetry.counter(
            "http_requests", "Requests to the API by what was answered.", method=_METHODS, status=_STATUSES
        )
        self._seconds = telemetry.histogram("http_seconds", "From a request to the end of its answer, long polls apart.").labels()

    def answered(self, method: str, status: int, seconds: float | None) -> None:
        """Count a request; `seconds` None: it is not timed."""
        self._requests.labels(method if method in _METHODS else OTHER, _STATUSES[min(max(status // 100, 2), 5) - 2]).inc()
        if seconds is not None:
            self._seconds.observe(seconds)


class ObservedRequests:
    """Middleware that tells a meter of every request but those of probes and scrapes. One that raises is answered with 500."""

    def __init__(self, app: ASGIApp, meter: RequestMeter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            timed = _LONG_POLL not in scope["query_string"]
            self._meter.answered(scope["method"], status, time.perf_counter() - begun if timed else None)


def show_process(telemetry: Telemetry) -> None:
    """Show memory, processor time, open files and the start of this process under their usual names, `process_…`."""
    ProcessCollector(registry=telemetry.registry)


class _Revised(Protocol):
    @property
    def revision(self) -> int: ...


def show_revision(telemetry: Telemetry, feed: _Revised) -> None:
    """Show which record of `rules.config.v1` was applied last: processes that stay behind the others are out of date."""
    gauge = telemetry.gauge("config_revision", "Offset of the configuration record applied last; -1 before the first.")
    gauge.labels().set_function(lambda: feed.revision)


def count_rebalances(telemetry: Telemetry) -> Callable[[], None]:
    """Declare the counter of assignments; return what counts one."""
    return telemetry.counter("rebalances", "Assignments of partitions to this process.").labels().inc


class ConsumerMeter:
    """How far a process is behind on the partitions that it has, and how often these have moved."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._lag = telemetry.gauge(
            "records_lag", "Records on this process's partitions that are not processed yet; NaN while that is not known."
        ).labels()
        self._lag.set(float("nan"))
        self.rebalanced = count_rebalances(telemetry)

    async def sample(self, lag: Callable[[], Awaitable[float]]) -> None:
        """Look once; `lag` may raise KafkaError."""
        try:
            async with asyncio.timeout(_LAG_TIMEOUT_S):
                self._lag.set(await lag())
        except (KafkaError, TimeoutError):
            self._lag.set(float("nan"))

    async def watch(self, lag: Callable[[], Awaitable[float]]) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.sample(lag)
            await asyncio.sleep(_LAG_PERIOD_S)
