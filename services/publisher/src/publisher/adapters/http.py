"""`/v1/deliveries`: the outbox and its approvals."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request

from antiphon.auth import Approver, Principal, Viewer
from antiphon.problems import Problem
from publisher.adapters.views import SLUG, ApproveIn, DeliveriesOut, DeliveryOut, ResolveIn, delivery_out
from publisher.domain.model import Entry, Kind, State
from publisher.ports import Filter, Policies
from publisher.service.approvals import Approvals, NotPossible

ActionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,128}$")]


async def known_entry(request: Request, action_id: ActionId) -> Entry:
    """Return the action, of whichever brand; the route checks that its caller may see it."""
    approvals: Approvals = request.app.state.approvals
    entry = await approvals.get(action_id)
    if entry is None:
        raise _missing(action_id)
    return entry


def _missing(action_id: str) -> Problem:
    return Problem(404, "not_found", f"There is no delivery {action_id!r} for this key.")


def _mine(principal: Principal, entry: Entry) -> Entry:
    if not principal.may_see(entry.order.brand):
        raise _missing(entry.order.action_id)
    return entry


Known = Annotated[Entry, Depends(known_entry)]
Brand = Annotated[str, Query(pattern=SLUG)]

_Shown = Callable[[Entry], DeliveryOut]


def deliveries(approvals: Approvals, policies: Policies) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"])

    def shown(entry: Entry) -> DeliveryOut:
        return delivery_out(entry, policies.policy(entry.order.brand))

    _reads(router, approvals, policies, shown)
    _decisions(router, approvals, shown)
    return router


def _reads(router: APIRouter, approvals: Approvals, policies: Policies, shown: _Shown) -> None:
    @router.get("")
    async def browse(
        principal: Viewer,
        brand: Brand,
        state: State | None = None,
        rule_id: Annotated[str, Query(max_length=128)] = "",
        kind: Kind | None = None,
        platform: Annotated[str, Query(pattern=r"^[a-z_]{0,32}$")] = "",
        after: Annotated[str, Query(pattern=r"^[A-Za-z0-9_\-]{0,128}$")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> DeliveriesOut:
        wanted = Filter(state, rule_id, kind, platform)
        page = await approvals.browse(principal.check(brand), wanted, after, limit)
        return DeliveriesOut(items=[shown(entry) for entry in page.entries], next=page.next)

    @router.get("/{action_id}")
    async def one(principal: Viewer, entry: Known) -> DeliveryOut:
        history = await approvals.history(_mine(principal, entry).order.action_id)
        return delivery_out(entry, policies.policy(entry.order.brand), history)


def _decisions(router: APIRouter, approvals: Approvals, shown: _Shown) -> None:
    @router.post("/{action_id}:approve")
    async def approve(principal: Approver, entry: Known, body: ApproveIn | None = None) -> DeliveryOut:
        text = body.text if body else None
        return shown(await _done(approvals.approve(_mine(principal, entry), principal.key_id, text)))

    @router.post("/{action_id}:reject")
    async def reject(principal: Approver, entry: Known) -> DeliveryOut:
        return shown(await _done(approvals.reject(_mine(principal, entry), principal.key_id)))

    @router.post("/{action_id}:resolve")
    async def resolve(principal: Approver, entry: Known, body: ResolveIn) -> DeliveryOut:
        return shown(await _done(approvals.resolve(_mine(principal, entry), principal.key_id, posted=body.posted)))

    @router.post("/{action_id}:send-again")
    async def send_again(principal: Approver, entry: Known) -> DeliveryOut:
        return shown(await _done(approvals.send_again(_mine(principal, entry), principal.key_id)))


async def _done(decision: Awaitable[Entry]) -> Entry:
    try:
        return await decision
    except NotPossible as error:
        raise Problem(409, "not_possible", f"{error}.") from error


def register(app: FastAPI, approvals: Approvals, policies: Policies) -> None:
    """Add the routes to an application."""
    app.state.approvals = approvals
    app.include_router(deliveries(approvals, policies))
