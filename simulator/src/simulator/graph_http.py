"""The Graph API over HTTP: reads the call, charges the budget, lets faults strike, writes the answer."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.budget import Budgets
from simulator.calls import Call, kind_of
from simulator.clock import Clock
from simulator.errors import GraphError
from simulator.faults import Action, Fault, Faults
from simulator.graph import Graph
from simulator.model import Account
from simulator.server import hang, reset
from simulator.world import World

MAX_BODY = 1024 * 1024
"""Bytes of a call; texts are limited to thousands of characters."""

Strike = Callable[[Request, Call, Fault], Awaitable[Response]]


class GraphEndpoint:
    """Answers every path that is a Graph path."""

    def __init__(self, *, world: World, graph: Graph, faults: Faults, budgets: Budgets, clock: Clock, scale: float) -> None:
        self._world = world
        self._graph = graph
        self._faults = faults
        self._budgets = budgets
        self._clock = clock
        self._scale = scale
        self._traces = itertools.count(1)
        self._late: set[asyncio.Task[None]] = set()
        self._strikes: dict[Action, Strike] = {
            "error": self._error,
            "timeout_after_apply": self._lose(hang, apply=True),
            "timeout_before_apply": self._lose(hang, apply=False),
            "reset_after_apply": self._lose(reset, apply=True),
            "reset_before_apply": self._lose(reset, apply=False),
            "late_apply": self._apply_late,
            "http_500_after_apply": self._fail_after,
            "unreadable_200": self._unreadable,
            "slow": self._slow,
        }

    @property
    def late(self) -> int:
        """Deeds that are still to be done by `late_apply`."""
        return len(self._late)

    async def stop(self) -> None:
        """Forget the late deeds."""
        late = list(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def __call__(self, request: Request) -> Response:
        """One call."""
        headers: dict[str, str] = {}
        try:
            params = await _params(request)
            account = self._account(request, params)
            headers = self._usage(account)
            self._budgets.charge(account, self._clock.now())
            headers = self._usage(account)
            call = _call(request, account, params)
            fault = self._faults.take(call)
            response = await self._strikes[fault.action](request, call, fault) if fault else self._answer(call)
        except GraphError as error:
            headers |= error.headers
            response = JSONResponse(error.body(f"A{next(self._traces):021d}"), error.http_status())
        response.headers.update(headers)
        return response

    def _usage(self, account: Account) -> dict[str, str]:
        return self._budgets.headers(account, self._clock.now(), self._scale)

    def _account(self, request: Request, params: dict[str, object]) -> Account:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = given.strip() if scheme.lower() == "bearer" else str(params.get("access_token") or "")
        if not token:
            raise GraphError(104)
        account = self._world.account_of_token(token)
        if account is None:
            raise GraphError(190)
        if account.token_expired:
            raise GraphError(190, 463)
        return account

    def _answer(self, call: Call) -> Response:
        return JSONResponse(self._graph.perform(call))

    def _quietly(self, call: Call) -> None:
        """Do it; whatever the answer would be, nobody will read it."""
        with contextlib.suppress(GraphError):
            self._graph.perform(call)

    async def _error(self, _request: Request, call: Call, fault: Fault) -> Response:
        raise GraphError(fault.code, fault.subcode, fault.message, fault.status, call.subject, dict(fault.headers))

    def _lose(self, how: Callable[[Request], Awaitable[None]], *, apply: bool) -> Strike:
        async def strike(request: Request, call: Call, _fault: Fault) -> Response:
            if apply:
                self._quietly(call)
            await how(request)
            return Response()

        return strike

    async def _apply_late(self, request: Request, call: Call, fault: Fault) -> Response:
        async def later() -> None:
            await asyncio.sleep(fault.seconds)
            self._quietly(call)

        task = asyncio.create_task(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        await (hang if fault.respond == "hang" else reset)(request)
        return Response()

    async def _fail_after(self, _request: Request, call: Call, _fault: Fault) -> Response:
        self._quietly(call)
        raise GraphError(1)

    async def _unreadable(self, _request: Request, call: Call, _fault: Fault) -> Response:
        self._quietly(call)
        return Response(b'{"id":"1784', media_type="application/json")

    async def _slow(self, _request: Request, call: Call, fault: Fault) -> Response:
        await asyncio.sleep(fault.seconds)
        return self._answer(call)


def _call(request: Request, account: Account, params: dict[str, object]) -> Call:
    parts = [part for part in request.url.path.split("/") if part]
    if parts and parts[0][0] == "v" and parts[0][1:].replace(".", "").isdigit():
        parts = parts[1:]
    if not parts or len(parts) > 2:
        raise GraphError(2500, target="/" + "/".join(parts))
    edge = parts[1] if len(parts) == 2 else ""
    kind = kind_of(request.method, edge, params)
    return Call(kind, account, parts[0], edge, params, str(request.url.replace(query="")))


async def _params(request: Request) -> dict[str, object]:
    """Query, form and JSON parameters as one map; a form value that is a JSON object is read as one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise GraphError(1, message="The request body is too large", status=413)
    params: dict[str, object] = {name: _value(text) for name, text in parse_qsl(request.url.query)}
    if not body:
        return params
    if "json" in request.headers.get("content-type", ""):
        return params | _json(bytes(body))
    text = bytes(body).decode("utf-8", "replace")
    return params | {name: _value(value) for name, value in parse_qsl(text)}


def _json(body: bytes) -> dict[str, object]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise GraphError(100, message="(#100) The request body is not valid JSON") from error
    if not isinstance(value, dict):
        raise GraphError(100, message="(#100) The request body must be a JSON object")
    return cast("dict[str, object]", value)


def _value(text: str) -> object:
    if not text.startswith("{"):
        return text
    try:
        return cast("object", orjson.loads(text))
    except orjson.JSONDecodeError:
        return text
