"""A campaign's gallery as JSON and as a page, and the files in it: what is cleared at this moment, and nothing else."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from antiphon.auth import Viewer
from antiphon.problems import Problem
from publisher.adapters.http_entries import BrandPath, CampaignPath
from publisher.adapters.pages import gallery_page
from publisher.adapters.views import moment
from publisher.entry_ports import Campaigns
from publisher.service.entries.showing import Showing, Shown

_ON_A_PAGE = 60
"""Media of the embeddable page: a screenful or two; sites that want more build their own from the JSON."""

MEDIA_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    # What is withdrawn must be gone; a cache would show it on.
    "Cache-Control": "no-store",
}


class ShownMedium(BaseModel):
    """A file that may be shown now; `path` below the one base URL."""

    sha256: str
    mime: str
    path: str


class ShownOut(BaseModel):
    """An entry with what may be shown of it. `granted_until_time` is null where the rights have no end."""

    entry_id: str
    handle: str
    platform: str
    object: str
    featured: bool
    terms_version: int
    granted_until_time: datetime | None
    event_time: datetime
    media: list[ShownMedium]


class GalleryOut(BaseModel):
    """A page of what may be shown; `next` is null on the last, else what the next page comes after."""

    items: list[ShownOut]
    next: str | None


def gallery(showing: Showing) -> APIRouter:
    """Return the route that needs a key."""
    router = APIRouter(prefix="/v1/brands/{brand}/campaigns/{campaign}/gallery", tags=["gallery"])

    @router.get("")
    async def browse(
        principal: Viewer,
        brand: BrandPath,
        campaign: CampaignPath,
        after: Annotated[str, Query(pattern=r"^[A-Za-z0-9_\-]{0,128}$")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> GalleryOut:
        page = await showing.gallery(principal.check(brand), campaign, after, limit)
        return GalleryOut(items=[_out(item) for item in page.items], next=page.next)

    return router


def public(showing: Showing, campaigns: Campaigns, frame_ancestors: str) -> APIRouter:
    """Return the routes for everybody."""
    router = APIRouter(include_in_schema=False)

    @router.get("/g/{brand}/{campaign}")
    async def page(brand: BrandPath, campaign: CampaignPath) -> Response:
        known = campaigns.campaign(brand, campaign)
        if known is None:
            raise Problem(404, "not_found", "There is no such gallery.")
        shown = await showing.gallery(brand, campaign, "", _ON_A_PAGE)
        return gallery_page(known.name, shown.items, frame_ancestors)

    @router.get("/media/{sha256}")
    async def file(sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]) -> Response:
        found = await showing.file(sha256)
        if found is None:
            raise Problem(404, "not_found", "There is no such file.", headers={"Cache-Control": "no-store"})
        media, content = found
        return Response(content, media_type=media.mime, headers=MEDIA_HEADERS)

    return router


def _out(item: Shown) -> ShownOut:
    own, at = item.entry.capture, item.entry.standing
    return ShownOut(
        entry_id=own.entry_id,
        handle=own.handle,
        platform=own.platform,
        object=own.object,
        featured=bool(at.uses),
        terms_version=item.media[0].terms_version,
        granted_until_time=None if at.granted_until is None else moment(at.granted_until),
        event_time=moment(own.event_time),
        media=[ShownMedium(sha256=one.sha256, mime=one.mime, path=f"/media/{one.sha256}") for one in item.media],
    )


def register(app: FastAPI, showing: Showing, campaigns: Campaigns, frame_ancestors: str) -> None:
    """Add the routes to an application."""
    app.include_router(gallery(showing))
    app.include_router(public(showing, campaigns, frame_ancestors))
