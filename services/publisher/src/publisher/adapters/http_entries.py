"""`/v1/brands/{brand}/campaigns/{campaign}/entries`: the ledger of entries as people see it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query

from antiphon.auth import Approver, Editor, Principal, Viewer
from antiphon.problems import Problem
from publisher.adapters.entry_views import EntriesOut, EntryOut, FeatureIn, JudgeIn, RequestIn, RevokeIn, entry_out
from publisher.adapters.views import SLUG
from publisher.domain.entries.changes import Judge
from publisher.domain.entries.model import CampaignEntry, EntryState, Flag
from publisher.entry_ports import EntryFilter
from publisher.service.entries.asking import CannotAsk
from publisher.service.entries.desk import Desk, NotNow, Posting
from publisher.service.entries.inviting import Inviting

BrandPath = Annotated[str, Path(pattern=SLUG)]
CampaignPath = Annotated[str, Path(pattern=SLUG)]
EntryPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,128}$")]


def entries(desk: Desk, inviting: Inviting) -> APIRouter:
    """Return the routes for looking and asking."""
    router = APIRouter(prefix="/v1/brands/{brand}/campaigns/{campaign}/entries", tags=["entries"])
    known = _finder(desk)

    @router.get("")
    async def browse(
        principal: Viewer,
        brand: BrandPath,
        campaign: CampaignPath,
        state: EntryState | None = None,
        flag: Flag | None = None,
        author: Annotated[str, Query(max_length=256)] = "",
        platform: Annotated[str, Query(pattern=r"^[a-z_]{0,32}$")] = "",
        *,
        waiting: bool = False,
        after: Annotated[str, Query(pattern=r"^[A-Za-z0-9_\-]{0,128}$")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> EntriesOut:
        wanted = EntryFilter(state, flag, author, platform, waiting)
        page = await desk.browse(principal.check(brand), campaign, wanted, after, limit)
        return EntriesOut(items=[entry_out(entry) for entry in page.entries], next=page.next)

    @router.get("/{entry}")
    async def one(principal: Viewer, brand: BrandPath, campaign: CampaignPath, entry: EntryPath) -> EntryOut:
        return entry_out(await known(principal, brand, campaign, entry), evidence=True)

    @router.post("/{entry}:request-rights")
    async def request_rights(
        principal: Editor, brand: BrandPath, campaign: CampaignPath, entry: EntryPath, body: RequestIn | None = None
    ) -> EntryOut:
        found = await known(principal, brand, campaign, entry)
        moved = await _done(desk.request(found, body.way if body else None, principal.key_id))
        return entry_out(moved, link=inviting.link(moved), evidence=True)

    return router


def judgements(desk: Desk) -> APIRouter:
    """Return the routes of those who decide about rights and uses."""
    router = APIRouter(prefix="/v1/brands/{brand}/campaigns/{campaign}/entries", tags=["entries"])
    known = _finder(desk)

    @router.post("/{entry}:grant")
    async def grant(principal: Approver, brand: BrandPath, campaign: CampaignPath, entry: EntryPath, body: JudgeIn) -> EntryOut:
        found = await known(principal, brand, campaign, entry)
        judgement = Judge(principal.key_id, granted=True, reason=body.reason, object=body.evidence)
        return entry_out(await _done(desk.judge(found, judgement)), evidence=True)

    @router.post("/{entry}:refuse")
    async def refuse(principal: Approver, brand: BrandPath, campaign: CampaignPath, entry: EntryPath, body: JudgeIn) -> EntryOut:
        found = await known(principal, brand, campaign, entry)
        judgement = Judge(principal.key_id, granted=False, reason=body.reason, object=body.evidence)
        return entry_out(await _done(desk.judge(found, judgement)), evidence=True)

    @router.post("/{entry}:revoke")
    async def revoke(principal: Approver, brand: BrandPath, campaign: CampaignPath, entry: EntryPath, body: RevokeIn) -> EntryOut:
        found = await known(principal, brand, campaign, entry)
        return entry_out(await _done(desk.revoke(found, principal.key_id, body.reason)), evidence=True)

    @router.post("/{entry}:feature")
    async def feature(
        principal: Approver, brand: BrandPath, campaign: CampaignPath, entry: EntryPath, body: FeatureIn
    ) -> EntryOut:
        found = await known(principal, brand, campaign, entry)
        if body.use == "post":
            return entry_out(await _done(desk.post(found, Posting(body.caption, principal.key_id))), evidence=True)
        return entry_out(await _done(desk.show(found, principal.key_id)), evidence=True)

    return router


def _finder(desk: Desk) -> Callable[[Principal, str, str, str], Awaitable[CampaignEntry]]:
    async def known(principal: Principal, brand: str, campaign: str, entry_id: str) -> CampaignEntry:
        entry = await desk.get(principal.check(brand), campaign, entry_id)
        if entry is None:
            raise Problem(404, "not_found", f"There is no entry {entry_id!r} in this campaign.")
        return entry

    return known


async def _done(work: Awaitable[CampaignEntry]) -> CampaignEntry:
    try:
        return await work
    except (NotNow, CannotAsk) as error:
        raise Problem(409, "not_possible", f"{error}.") from error


def register(app: FastAPI, desk: Desk, inviting: Inviting) -> None:
    """Add the routes to an application."""
    app.include_router(entries(desk, inviting))
    app.include_router(judgements(desk))
