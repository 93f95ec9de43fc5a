"""Routes of holds, and of what the guard sees."""

from datetime import datetime
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, StringConstraints, field_validator

from rules.adapters.http.bodies import (
    MAX_BODY_BYTES,
    BrandApprover,
    BrandViewer,
    Changed,
    In,
    Limit,
    Out,
    Platform,
    Printable,
    RequiredMatch,
    SlugCursor,
    SlugPath,
    StrictRoute,
    changed,
    page,
    read,
)
from rules.adapters.http.brands import ReasonIn
from rules.configuration import ConfigurationService
from rules.entities import SLUG, Mode
from rules.holds import HoldService, Wanted

SlugOrNone = Annotated[str, StringConstraints(pattern=rf"{SLUG}|^$")]


class HoldIn(In):
    """A hold to set; what is left out restricts nothing."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"campaign": "summer-ugc", "reason": "the hashtag is being used against us"}}
    )

    platform: Platform | None = None
    campaign: SlugOrNone = ""
    topic: Annotated[str, StringConstraints(pattern=r"^((product|topic):[a-z0-9][a-z0-9-]{0,62})?$")] = ""
    rule: SlugOrNone = ""
    mode: Mode = "approval"
    reason: Annotated[str, Printable, StringConstraints(min_length=1, max_length=500)]

    @field_validator("mode")
    @classmethod
    def _strict(cls, mode: Mode) -> Mode:
        if mode == "auto":
            raise ValueError("a hold is approval or shadow")
        return mode

    def wanted(self) -> Wanted:
        """Return it as the use case takes it."""
        return Wanted(
            platform=self.platform or "",
            campaign=self.campaign,
            topic=self.topic,
            rule_id=self.rule,
            mode=self.mode,
            reason=self.reason,
        )


class HoldOut(Out):
    """A hold. `severity` 0: a person set it. `notice_only`: people were told and nothing is held."""

    brand: str
    hold: str
    platform: str
    campaign: str
    topic: str
    rule_id: str
    mode: Mode
    active: bool
    notice_only: bool
    reason: str
    severity: int
    since_time: datetime
    evidence: dict[str, Any]
    resumed_reason: str
    actor: str
    generation: int
    changed_time: datetime

    @field_validator("evidence", mode="before")
    @classmethod
    def _read(cls, evidence: Any) -> Any:
        return orjson.loads(evidence) if isinstance(evidence, bytes) else evidence


class HoldChanged(HoldOut, Changed):
    """A changed hold."""


class Holds(Out):
    """A page of holds; `next` is null on the last."""

    items: list[HoldOut]
    next: str | None


class ScopeSeen(Out):
    """What the guard sees of a scope. Probabilities are given as −log10 in `evidence` and `share_evidence`."""

    platform: str
    campaign: str
    topic: str
    severity: int
    crisis_since: datetime | None
    level: str
    seen: dict[str, Any]


class GuardView(Out):
    """What the guard sees of a brand, the worst first; `as_of` is the event time up to which it has looked, null: never."""

    brand: str
    as_of: datetime | None
    scopes: list[ScopeSeen]


class Sights(Protocol):
    """Reads what the guard saw last."""

    async def seen(self, brand: str) -> tuple[datetime | None, list[dict[str, Any]]]:
        """Return up to when it has looked, and each scope. Raises Transient."""
        ...


def hold_routes(holds: HoldService, sights: Sights, configuration: ConfigurationService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["holds"])
    _reads(router, holds)
    _changes(router, holds)

    @router.get("/guard")
    async def read_guard(scope: BrandViewer) -> GuardView:
        await configuration.brand(scope.brand)
        as_of, seen = await sights.seen(scope.brand)
        found = sorted((ScopeSeen.model_validate(one) for one in seen), key=lambda one: -one.severity)
        return GuardView(brand=scope.brand, as_of=as_of, scopes=found)

    return router


def _reads(router: APIRouter, holds: HoldService) -> None:
    @router.get("/holds")
    async def list_holds(
        scope: BrandViewer,
        active: Annotated[bool | None, Query(description="only those that are, or are not")] = None,
        after: SlugCursor = "",
        limit: Limit = 50,
    ) -> Holds:
        return page(await holds.holds(scope.brand, active, after, limit), limit, Holds)

    @router.get("/holds/{hold}")
    async def read_hold(scope: BrandViewer, hold: SlugPath, response: Response) -> HoldOut:
        return read(response, await holds.hold(scope.brand, hold), HoldOut)


def _changes(router: APIRouter, holds: HoldService) -> None:
    @router.post("/holds", status_code=201)
    async def set_hold(scope: BrandApprover, body: HoldIn, response: Response) -> HoldChanged:
        return changed(response, await holds.set(scope.by, scope.brand, body.wanted()), HoldChanged)

    @router.post("/holds/{hold}:resume")
    async def resume_hold(
        scope: BrandApprover, hold: SlugPath, match: RequiredMatch, body: ReasonIn, response: Response
    ) -> HoldChanged:
        return changed(response, await holds.resume(scope.by, scope.brand, hold, match, body.reason), HoldChanged)
