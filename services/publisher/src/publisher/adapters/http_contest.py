"""`/v1/brands/{brand}/campaigns/{campaign}/contest`: commit to a seed before the close, draw after it, prove it."""

from collections.abc import Awaitable
from datetime import datetime

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.responses import Response

from antiphon.auth import Admin, Approver, Viewer
from antiphon.problems import Problem
from publisher.adapters.http_entries import BrandPath, CampaignPath
from publisher.adapters.views import moment
from publisher.entry_ports import ContestRecord
from publisher.service.entries.contests import Draws, NotPossible


class ContestOut(BaseModel):
    """What is known of a contest. `commitment`: the SHA-256 of its seed, to be published before the close."""

    brand: str
    campaign: str
    commitment: str
    committed_time: datetime
    committed_by: str
    drawn_time: datetime | None
    drawn_by: str


def contests(draws: Draws) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}/campaigns/{campaign}", tags=["contests"])

    async def known(brand: str, campaign: str) -> ContestRecord:
        record = await draws.get(brand, campaign)
        if record is None:
            raise Problem(404, "not_found", "The campaign has no contest that was committed to.")
        return record

    @router.get("/contest")
    async def one(principal: Viewer, brand: BrandPath, campaign: CampaignPath) -> ContestOut:
        return _out(await known(principal.check(brand), campaign))

    @router.post("/contest:commit")
    async def commit(principal: Admin, brand: BrandPath, campaign: CampaignPath) -> ContestOut:
        return _out(await _done(draws.commit(principal.check(brand), campaign, principal.key_id)))

    @router.post("/contest:draw")
    async def draw(principal: Approver, brand: BrandPath, campaign: CampaignPath) -> Response:
        record = await _done(draws.draw(principal.check(brand), campaign, principal.key_id))
        return Response(record.certificate, media_type="application/json")

    @router.get("/contest/certificate")
    async def certificate(principal: Viewer, brand: BrandPath, campaign: CampaignPath) -> Response:
        record = await known(principal.check(brand), campaign)
        if record.certificate is None:
            raise Problem(404, "not_found", "Nothing was drawn yet, so there is no certificate.")
        name = f"{brand}-{campaign}-certificate.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(record.certificate, media_type="application/json", headers=headers)

    return router


async def _done(work: Awaitable[ContestRecord]) -> ContestRecord:
    try:
        return await work
    except NotPossible as error:
        raise Problem(409, "not_possible", f"{error}.") from error


def _out(record: ContestRecord) -> ContestOut:
    return ContestOut(
        brand=record.brand,
        campaign=record.campaign,
        commitment=record.commitment,
        committed_time=moment(record.committed_at),
        committed_by=record.committed_by,
        drawn_time=None if record.drawn_at is None else moment(record.drawn_at),
        drawn_by=record.drawn_by,
    )


def register(app: FastAPI, draws: Draws) -> None:
    """Add the routes to an application."""
    app.include_router(contests(draws))
