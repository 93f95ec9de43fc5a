"""The reports' HTTP API."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel

from antiphon.auth import ALL_BRANDS, Principal, Viewer
from antiphon.clock import Clock
from antiphon.problems import Problem
from metrics import reporting
from metrics.adapters.schema import EwomReport, Moment, ReportOf, SummaryReport, asked, cascade_list, parts, summary_report
from metrics.adapters.table import table
from metrics.domain.periods import POINTS_MOST, Scope, points
from metrics.domain.reports.campaigns import Campaigns
from metrics.domain.reports.cobra import Cobra
from metrics.domain.reports.guard import GuardReport
from metrics.domain.reports.influencers import Influencers
from metrics.domain.reports.responses import Responses
from metrics.reporting import ReportService

DEFAULT_PERIOD = timedelta(days=7)
"""A week has every day of the week once, so that two default reports can be compared."""

_CSV = "text/csv"

H = TypeVar("H", bound=Callable[..., Any])

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report; as CSV where `format=csv` or `Accept: text/csv` asks for it",
        "content": {_CSV: {"schema": {"type": "string"}}},
    }
}

Count = Annotated[int, Query(ge=1, le=100, description="how many of the largest are listed")]
Target = Annotated[float, Query(gt=0, le=31_536_000, description="target for the first response, in seconds")]


class Ask:
    """The parameters that all reports share, checked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(
        self,
        request: Request,
        caller: Viewer,
        brand: Annotated[
            str | None, Query(min_length=1, max_length=63, description="left out: every brand the key may see")
        ] = None,
        start: Annotated[
            Moment | None, Query(alias="from", description="RFC 3339 with an offset; default: seven days before `to`")
        ] = None,
        end: Annotated[Moment | None, Query(alias="to", description="RFC 3339 with an offset; default: now")] = None,
        granularity: Annotated[
            Literal["none", "hour", "day", "week", "month"], Query(description="cuts the period into a series")
        ] = "none",
        timezone: Annotated[str, Query(max_length=64, description="IANA zone whose calendar cuts the series")] = "UTC",
        compare: Annotated[bool, Query(description="the period of equal length right before as well")] = False,
        form: Annotated[
            Literal["json", "csv"] | None, Query(alias="format", description="default: what `Accept` says, else json")
        ] = None,
    ) -> "Asked":
        scope = _scope(caller, brand, start, end or self._clock.now())
        query = reporting.Query(scope, granularity, _zone(timezone), compare)
        _check_size(query)
        return Asked(brand, query, csv=(form or ("csv" if _CSV in request.headers.get("accept", "") else "json")) == "csv")


class Asked:
    """A checked request, and how it is answered."""

    def __init__(self, brand: str | None, query: reporting.Query, *, csv: bool) -> None:
        self.brand, self.query, self._csv = brand, query, csv

    def answer(self, name: str, document: BaseModel) -> Any:
        """Return the document in the form asked for."""
        if not self._csv:
            return document
        text = table(name, document.model_dump(mode="json", by_alias=True))
        return Response(text, media_type=f"{_CSV}; charset=utf-8; header=present", headers={"Vary": "Accept"})

    def report(self, name: str, model: type[BaseModel], found: reporting.Reported[Any], **more: Any) -> Any:
        """Return a report of a period, in the form asked for."""
        return self.answer(name, model(**asked(self.query, self.brand), **parts(found), **more))


def register_routes(app: FastAPI, *, reports: ReportService, clock: Clock) -> None:
    """Add `/v1/reports/…`."""
    ask = Depends(Ask(clock))

    @_route(app, "summary", "Totals of a period", SummaryReport)
    async def summary(asking: Annotated[Asked, ask]) -> Any:
        found = await reports.summary(asking.query)
        grace = reports.lost_grace.total_seconds()
        return asking.answer("summary", summary_report(found, asking.query, brand=asking.brand, lost_grace_s=grace))

    @_route(app, "cobra", "Activities and people by COBRA level", ReportOf[Cobra])
    async def cobra(asking: Annotated[Asked, ask]) -> Any:
        return asking.report("cobra", ReportOf[Cobra], await reports.cobra(asking.query))

    @_route(app, "ewom", "Word of mouth: volume, valence, exposure, share of voice, reviews, cascades", EwomReport)
    async def ewom(asking: Annotated[Asked, ask], top: Count = 10) -> Any:
        found = await reports.ewom(asking.query)
        return asking.report("ewom", EwomReport, found, cascades=cascade_list(await reports.cascades(asking.query.scope, top)))

    @_route(app, "campaigns", "Entries, rights, clicks and conversions by campaign", ReportOf[Campaigns])
    async def campaigns(asking: Annotated[Asked, ask]) -> Any:
        return asking.report("campaigns", ReportOf[Campaigns], await reports.campaigns(asking.query))

    @_route(app, "influencers", "Advocates and detractors", ReportOf[Influencers])
    async def influencers(asking: Annotated[Asked, ask], top: Count = 10) -> Any:
        return asking.report("influencers", ReportOf[Influencers], await reports.influencers(asking.query, top))

    @_route(app, "responses", "How the brand answers, and what follows", ReportOf[Responses])
    async def responses(asking: Annotated[Asked, ask], target_s: Target = 3_600) -> Any:
        return asking.report("responses", ReportOf[Responses], await reports.responses(asking.query, target_s))

    @_route(app, "guard", "Holds: when, why, and who resumed", ReportOf[GuardReport])
    async def guard(asking: Annotated[Asked, ask]) -> Any:
        return asking.report("guard", ReportOf[GuardReport], await reports.guard(asking.query))


def _route(app: FastAPI, name: str, summary: str, model: Any) -> Callable[[H], H]:
    return app.get(
        f"/v1/reports/{name}",
        name=name,
        summary=summary,
        tags=["reports"],
        responses=_ANSWERS,
        response_model=model,
        response_model_by_alias=True,
    )


def _wrong(pointer: str, detail: str, why: str) -> Problem:
    return Problem(422, "invalid", detail, errors=[{"pointer": pointer, "detail": why}])


def _check_size(query: reporting.Query) -> None:
    try:
        if query.compare:
            query.scope.before()
        count = len(points(query.scope, query.granularity, query.zone))
    except OverflowError as error:
        raise _wrong("/from", "The period is outside the calendar.", "the period before, or its calendar, has no date") from error
    if count > POINTS_MOST:
        raise _wrong("/granularity", f"A series has at most {POINTS_MOST} points.", "ask for a coarser one or a shorter period")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _wrong("/timezone", "The time zone is not known.", "is no IANA zone such as Europe/Berlin") from error


def _scope(caller: Principal, brand: str | None, start: datetime | None, end: datetime) -> Scope:
    if start is None:
        start = _before(end)
    if start >= end:
        raise _wrong("/from", "The period must end after it starts.", f"is not before `to` ({end.isoformat()})")
    return Scope(_brands(caller, brand), start, end)


def _before(end: datetime) -> datetime:
    try:
        return end - DEFAULT_PERIOD
    except OverflowError as error:
        raise _wrong("/to", "The period is outside the calendar.", "is too early to have a week before it") from error


def _brands(caller: Principal, brand: str | None) -> frozenset[str] | None:
    if brand is not None:
        return frozenset({caller.check(brand)})
    return None if ALL_BRANDS in caller.brands else caller.brands
