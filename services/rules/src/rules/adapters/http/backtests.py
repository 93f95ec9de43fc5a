"""Routes of back-tests: start one, watch it, read its result, cancel it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from antiphon.clock import Clock
from antiphon.problems import Problem, pointer
from rules.adapters.http.bodies import BrandEditor, BrandViewer, In, Limit, Slug, StrictRoute, document
from rules.adapters.http.rules import read_draft
from rules.backtests import Backtest, BacktestOrder, BacktestService, JobState
from rules.revisions import RuleService

MAX_BODY_BYTES = 2**20
"""Many rules at once, as a whole directory of them is tried."""

MAX_RULES = 500
"""Changed rules a job: their documents travel with it."""

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]


class BacktestIn(In):
    """What to replay: the period, by the time of receipt, and what is to be different from the rules in force."""

    from_: Annotated[AwareDatetime, Field(alias="from", strict=False)]
    until: Annotated[AwareDatetime | None, Field(strict=False)] = None
    rules: Annotated[list[Any], Field(max_length=MAX_RULES)] = []
    remove: Annotated[list[Slug], Field(max_length=MAX_RULES)] = []
    sample_size: Annotated[int, Field(ge=0, le=50)] = 20


class BacktestLine(BaseModel):
    """A job. `done` of `total` recorded events are replayed; `total` is an upper bound, 0 until it is known."""

    id: str
    brand: str
    state: JobState
    from_: Annotated[datetime, Field(serialization_alias="from")]
    until: datetime
    rules: list[str]
    remove: list[str]
    sample_size: int
    done: int
    total: int
    created_time: datetime
    created_by: str
    started_time: datetime | None
    finished_time: datetime | None
    error: str


class BacktestOut(BacktestLine):
    """A job with its result, once it is done."""

    result: Any = None


class Backtests(BaseModel):
    """A page of jobs, the newest first; `next` is null on the last."""

    items: list[BacktestLine]
    next: str | None


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": BacktestIn.model_json_schema()} for kind in ("application/json", "application/yaml")},
    }
}


def backtest_routes(backtests: BacktestService, rules: RuleService, clock: Clock) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["backtests"])
    _start(router, backtests, rules, clock)

    @router.get("/backtests")
    async def list_backtests(
        scope: BrandViewer, after: Annotated[str, Query(pattern=r"^([0-9a-f]{24})?$")] = "", limit: Limit = 20
    ) -> Backtests:
        found = await backtests.jobs(scope.brand, after, limit)
        return Backtests(items=[_line(job) for job in found], next=found[-1].job_id if len(found) == limit else None)

    @router.get("/backtests/{job}")
    async def read_backtest(scope: BrandViewer, job: JobId) -> BacktestOut:
        found = await backtests.job(scope.brand, job)
        result = await backtests.result(scope.brand, job) if found.state is JobState.DONE else None
        return BacktestOut(**_fields(found), result=orjson.loads(result) if result else None)

    @router.post("/backtests/{job}:cancel")
    async def cancel_backtest(scope: BrandEditor, job: JobId) -> BacktestLine:
        return _line(await backtests.cancel(scope.brand, job))

    return router


def _start(router: APIRouter, backtests: BacktestService, rules: RuleService, clock: Clock) -> None:
    @router.post("/rules:backtest", status_code=202, openapi_extra=_BODY)
    async def start_backtest(scope: BrandEditor, request: Request, response: Response) -> BacktestLine:
        order = _order(scope.brand, _parsed(await document(request)), clock.now())
        await _check_removed(rules, scope.brand, order.remove)
        job = await backtests.start(scope.by, scope.brand, order)
        response.headers["Location"] = f"/v1/brands/{scope.brand}/backtests/{job.job_id}"
        return _line(job)


def _parsed(data: Any) -> BacktestIn:
    try:
        return BacktestIn.model_validate(data)
    except ValidationError as error:
        raise _invalid([{"pointer": pointer(fault["loc"]), "detail": fault["msg"]} for fault in error.errors()]) from error


def _order(brand: str, body: BacktestIn, now: datetime) -> BacktestOrder:
    until = min(body.until or now, now)
    if body.from_ >= until:
        raise _invalid([{"pointer": "/from", "detail": "must be before `until`, and in the past"}])
    return BacktestOrder(
        since=body.from_.timestamp(),
        until=until.timestamp(),
        documents=_drafts(brand, body.rules),
        remove=tuple(dict.fromkeys(body.remove)),
        sample_size=body.sample_size,
    )


def _drafts(brand: str, rules: Sequence[Any]) -> tuple[tuple[str, bytes], ...]:
    """Return id and canonical document of each draft. Raises 422 with a pointer at each fault of every one."""
    drafts: dict[str, bytes] = {}
    faults: list[dict[str, Any]] = []
    for place, data in enumerate(rules):
        try:
            draft = read_draft(brand, data)
        except Problem as problem:
            faults += [{**fault, "pointer": f"/rules/{place}{fault['pointer']}"} for fault in problem.errors]
            continue
        if draft.rule_id in drafts:
            faults.append({"pointer": f"/rules/{place}/id", "detail": f"{draft.rule_id!r} is there twice"})
        drafts[draft.rule_id] = draft.document
    if faults:
        raise _invalid(faults)
    return tuple(drafts.items())


async def _check_removed(rules: RuleService, brand: str, remove: Sequence[str]) -> None:
    for place, rule_id in enumerate(remove):
        try:
            await rules.rule(brand, rule_id)
        except Problem as problem:
            raise _invalid([{"pointer": f"/remove/{place}", "detail": problem.detail}]) from problem


def _invalid(errors: list[dict[str, Any]]) -> Problem:
    return Problem(422, "invalid", "The back-test does not have the form it must have; see errors.", errors=errors)


def _line(job: Backtest) -> BacktestLine:
    return BacktestLine(**_fields(job))


def _fields(job: Backtest) -> dict[str, Any]:
    order = job.order
    return {
        "id": job.job_id,
        "brand": job.brand,
        "state": job.state,
        "from_": datetime.fromtimestamp(order.since, UTC),
        "until": datetime.fromtimestamp(order.until, UTC),
        "rules": [rule_id for rule_id, _ in order.documents],
        "remove": list(order.remove),
        "sample_size": order.sample_size,
        "done": job.done,
        "total": job.total,
        "created_time": job.created_time,
        "created_by": job.created_by,
        "started_time": job.started_time,
        "finished_time": job.finished_time,
        "error": job.error,
    }
