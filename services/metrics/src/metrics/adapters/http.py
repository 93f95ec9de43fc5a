"""The reports' HTTP API."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Query

from antiphon.auth import ALL_BRANDS, Principal, Viewer
from antiphon.clock import Clock
from antiphon.problems import Problem
from metrics.adapters.schema import Moment, SummaryReport, report
from metrics.domain.counts import Scope
from metrics.service import ReportService

DEFAULT_PERIOD = timedelta(days=7)
"""A week has every day of the week once, so that two default reports can be compared."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"description": "no valid API key"},
    404: {"description": "the brand does not exist for this key"},
    422: {"description": "a parameter is not what it must be; see `errors`"},
    503: {"description": "the store is away, or the period is too long for it"},
}


def register_routes(app: FastAPI, *, reports: ReportService, clock: Clock) -> None:
    """Add `/v1/reports/…`."""

    @app.get(
        "/v1/reports/summary",
        summary="Totals of a period",
        tags=["reports"],
        responses=_PROBLEMS,
        response_model_by_alias=True,
    )
    async def summary(
        caller: Viewer,
        brand: Annotated[
            str | None, Query(min_length=1, max_length=63, description="left out: every brand the key may see")
        ] = None,
        start: Annotated[
            Moment | None, Query(alias="from", description="RFC 3339 with an offset; default: seven days before `to`")
        ] = None,
        end: Annotated[Moment | None, Query(alias="to", description="RFC 3339 with an offset; default: now")] = None,
    ) -> SummaryReport:
        scope = _scope(caller, brand, start, end or clock.now())
        totals = await reports.summary(scope)
        return report(totals, scope, brand=brand, lost_grace_s=reports.lost_grace.total_seconds())


def _scope(caller: Principal, brand: str | None, start: datetime | None, end: datetime) -> Scope:
    if start is None:
        start = _before(end)
    if start >= end:
        raise Problem(
            422,
            "invalid",
            "The period must end after it starts.",
            errors=[{"pointer": "/from", "detail": f"is not before `to` ({end.isoformat()})"}],
        )
    return Scope(_brands(caller, brand), start, end)


def _before(end: datetime) -> datetime:
    try:
        return end - DEFAULT_PERIOD
    except OverflowError as error:
        pointer = {"pointer": "/to", "detail": "is too early to have a week before it"}
        raise Problem(422, "invalid", "The period is outside the calendar.", errors=[pointer]) from error


def _brands(caller: Principal, brand: str | None) -> frozenset[str] | None:
    if brand is not None:
        return frozenset({caller.check(brand)})
    return None if ALL_BRANDS in caller.brands else caller.brands
