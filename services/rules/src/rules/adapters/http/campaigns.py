"""Routes of campaigns, their versions and the changes of their state."""

import hashlib
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints, ValidationError

from rules.adapters.http.bodies import (
    MAX_BODY_BYTES,
    BrandApprover,
    BrandEditor,
    BrandViewer,
    Changed,
    In,
    Limit,
    MaybeMatch,
    Out,
    Printable,
    RequiredMatch,
    Scope,
    SlugCursor,
    SlugPath,
    StrictRoute,
    changed,
    document,
    page,
)
from rules.adapters.http.documents import (
    FAR,
    Before,
    CommentQuery,
    Versions,
    described,
    faults,
    invalid,
    versions_page,
    with_document,
)
from rules.adapters.schema.campaign import CampaignDocument, campaign_bytes, parse_campaign
from rules.campaigns import CampaignDraft, CampaignService, Move
from rules.configuration import Match
from rules.entities import CampaignState


class MoveIn(In):
    """Why the state changes; it goes to the audit log."""

    reason: Annotated[str, Printable, StringConstraints(min_length=1, max_length=500)]


class CampaignLine(Out):
    """A campaign in a list. `rights_version` counts the wordings of its terms, 0: it never had any."""

    campaign: str
    name: str
    state: CampaignState
    latest_version: int
    rights_version: int
    generation: int
    changed_time: datetime


class CampaignOut(CampaignLine):
    """A campaign with its document."""

    document: Any


class CampaignChanged(CampaignLine, Changed):
    """A changed campaign."""

    deleted: bool


class Campaigns(Out):
    """A page of campaigns; `next` is null on the last."""

    items: list[CampaignLine]
    next: str | None


_BODY, CAMPAIGN_SCHEMAS = described(CampaignDocument)
"""The campaign document in the API's description, and the parts of its schema."""


def campaign_routes(campaigns: CampaignService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(
        prefix="/v1/brands/{brand}/campaigns", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["campaigns"]
    )
    _reads(router, campaigns)
    _changes(router, campaigns)
    _moves(router, campaigns)
    return router


def _reads(router: APIRouter, campaigns: CampaignService) -> None:
    @router.get("")
    async def list_campaigns(scope: BrandViewer, after: SlugCursor = "", limit: Limit = 50) -> Campaigns:
        return page(await campaigns.campaigns(scope.brand, after, limit), limit, Campaigns)

    @router.get("/{campaign}")
    async def read_campaign(scope: BrandViewer, campaign: SlugPath, response: Response) -> CampaignOut:
        found = await campaigns.campaign(scope.brand, campaign)
        return with_document(response, found, CampaignOut, found.document)

    @router.get("/{campaign}/versions")
    async def list_campaign_versions(scope: BrandViewer, campaign: SlugPath, before: Before = FAR, limit: Limit = 20) -> Versions:
        found = await campaigns.versions(scope.brand, campaign, before, limit)
        return versions_page(found, limit)


def _changes(router: APIRouter, campaigns: CampaignService) -> None:
    @router.put("/{campaign}", openapi_extra=_BODY)
    async def put_campaign(
        scope: BrandEditor,
        campaign: SlugPath,
        match: MaybeMatch,
        request: Request,
        response: Response,
        comment: CommentQuery = "",
    ) -> CampaignChanged:
        draft = read_draft(await document(request))
        if draft.campaign != campaign:
            raise invalid("campaign", [{"pointer": "/id", "detail": f"must be {campaign!r}, as in the path"}])
        return changed(response, await campaigns.put(scope.by, scope.brand, match, draft, comment), CampaignChanged)

    @router.delete("/{campaign}")
    async def delete_campaign(
        scope: BrandApprover, campaign: SlugPath, match: RequiredMatch, response: Response
    ) -> CampaignChanged:
        return changed(response, await campaigns.delete(scope.by, scope.brand, campaign, match), CampaignChanged)


def _moves(router: APIRouter, campaigns: CampaignService) -> None:
    async def moved(scope: Scope, campaign: str, match: Match, move: Move, body: MoveIn, response: Response) -> CampaignChanged:
        saved = await campaigns.move(scope.by, scope.brand, campaign, match, move, body.reason)
        return changed(response, saved, CampaignChanged)

    @router.post("/{campaign}:activate")
    async def activate_campaign(
        scope: BrandApprover, campaign: SlugPath, match: RequiredMatch, body: MoveIn, response: Response
    ) -> CampaignChanged:
        return await moved(scope, campaign, match, "activate", body, response)

    @router.post("/{campaign}:pause")
    async def pause_campaign(
        scope: BrandApprover, campaign: SlugPath, match: RequiredMatch, body: MoveIn, response: Response
    ) -> CampaignChanged:
        return await moved(scope, campaign, match, "pause", body, response)

    @router.post("/{campaign}:close")
    async def close_campaign(
        scope: BrandApprover, campaign: SlugPath, match: RequiredMatch, body: MoveIn, response: Response
    ) -> CampaignChanged:
        return await moved(scope, campaign, match, "close", body, response)

    @router.post("/{campaign}:archive")
    async def archive_campaign(
        scope: BrandApprover, campaign: SlugPath, match: RequiredMatch, body: MoveIn, response: Response
    ) -> CampaignChanged:
        return await moved(scope, campaign, match, "archive", body, response)


def read_draft(data: Any) -> CampaignDraft:
    """Return the draft in a campaign document. Raises 422 with a pointer at each fault."""
    try:
        parsed = CampaignDocument.model_validate(data)
        return _draft(parsed, campaign_bytes(parsed))
    except ValidationError as error:
        raise invalid("campaign", faults(error)) from error
    except ValueError as error:
        raise invalid("campaign", [{"pointer": "", "detail": str(error)}]) from error


def read_stored(raw: bytes) -> CampaignDraft:
    """Return what a stored document is. Raises ValueError when this release cannot read it."""
    return _draft(parse_campaign(raw), raw)


def _draft(parsed: CampaignDocument, raw: bytes) -> CampaignDraft:
    terms = parsed.rights.terms if parsed.rights is not None else {}
    return CampaignDraft(
        campaign=parsed.id,
        name=parsed.name,
        document=raw,
        end=parsed.end_seconds,
        terms_sha256=hashlib.sha256(orjson.dumps(terms, option=orjson.OPT_SORT_KEYS)).hexdigest() if terms else "",
        channels=tuple(parsed.channels),
    )
