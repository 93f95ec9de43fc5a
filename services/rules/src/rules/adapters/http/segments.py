"""Routes of segments."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from rules.adapters.http.bodies import (
    BrandEditor,
    BrandViewer,
    Changed,
    In,
    Limit,
    MaybeMatch,
    Out,
    RequiredMatch,
    SlugCursor,
    SlugPath,
    StrictRoute,
    changed,
    page,
    read,
)
from rules.adapters.records import PLATFORMS
from rules.entities import MAX_PEOPLE
from rules.segments import SegmentService

_MAX_BODY_BYTES = 524_288
"""A full segment of the longest ids."""


def known_person(person: str) -> str:
    """Return `platform:author id` if the platform is one. Raises ValueError."""
    if person.partition(":")[0] not in PLATFORMS:
        raise ValueError(f"the platform before the colon is one of {', '.join(sorted(PLATFORMS))}")
    return person


Person = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}:[!-~]{1,64}$"), AfterValidator(known_person)]


class PeopleIn(In):
    """People, as `platform:author id`; who is named twice counts once."""

    model_config = ConfigDict(json_schema_extra={"example": {"authors": ["instagram:8100", "facebook:7001"]}})

    authors: Annotated[list[Person], Field(max_length=MAX_PEOPLE)]


class SegmentLine(Out):
    """A segment in a list."""

    brand: str
    segment: str
    size: int
    generation: int
    changed_time: datetime


class SegmentOut(SegmentLine):
    """A segment with its people, in order."""

    authors: tuple[str, ...]


class SegmentChanged(SegmentLine, Changed):
    """A changed segment."""

    deleted: bool


class Segments(Out):
    """A page of segments; `next` is null on the last."""

    items: list[SegmentLine]
    next: str | None


def segment_routes(segments: SegmentService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(
        prefix="/v1/brands/{brand}/segments", route_class=StrictRoute, max_body_size=_MAX_BODY_BYTES, tags=["segments"]
    )
    _reads(router, segments)
    _changes(router, segments)
    return router


def _reads(router: APIRouter, segments: SegmentService) -> None:
    @router.get("")
    async def list_segments(scope: BrandViewer, after: SlugCursor = "", limit: Limit = 50) -> Segments:
        return page(await segments.segments(scope.brand, after, limit), limit, Segments)

    @router.get("/{segment}")
    async def read_segment(scope: BrandViewer, segment: SlugPath, response: Response) -> SegmentOut:
        return read(response, await segments.segment(scope.brand, segment), SegmentOut)


def _changes(router: APIRouter, segments: SegmentService) -> None:
    @router.put("/{segment}")
    async def put_segment(
        scope: BrandEditor, segment: SlugPath, match: MaybeMatch, body: PeopleIn, response: Response
    ) -> SegmentChanged:
        return changed(response, await segments.put(scope.by, scope.brand, segment, match, body.authors), SegmentChanged)

    @router.post("/{segment}:add")
    async def add_to_segment(
        scope: BrandEditor, segment: SlugPath, match: RequiredMatch, body: PeopleIn, response: Response
    ) -> SegmentChanged:
        return changed(response, await segments.add(scope.by, scope.brand, segment, match, body.authors), SegmentChanged)

    @router.post("/{segment}:remove")
    async def remove_from_segment(
        scope: BrandEditor, segment: SlugPath, match: RequiredMatch, body: PeopleIn, response: Response
    ) -> SegmentChanged:
        return changed(response, await segments.remove(scope.by, scope.brand, segment, match, body.authors), SegmentChanged)

    @router.delete("/{segment}")
    async def delete_segment(scope: BrandEditor, segment: SlugPath, match: RequiredMatch, response: Response) -> SegmentChanged:
        return changed(response, await segments.delete(scope.by, scope.brand, segment, match), SegmentChanged)
