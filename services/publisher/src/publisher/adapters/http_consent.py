"""`/c/{token}`: the consent form behind a signed link. The token is the whole right to answer; there are no cookies."""

import hashlib
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, Path, Request
from starlette.responses import Response

from publisher.adapters.pages import consent_page, said_page
from publisher.domain.entries.links import Invitation
from publisher.domain.entries.model import CampaignEntry, EntryState
from publisher.entry_ports import Campaigns
from publisher.service.entries.desk import Desk
from publisher.service.entries.inviting import Inviting

_MOST = 1_024
"""Bytes of an answer; a form with one field sends a fraction."""

Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,256}$")]


def consent(desk: Desk, inviting: Inviting, campaigns: Campaigns) -> APIRouter:
    """Return the two routes."""
    router = APIRouter(prefix="/c", include_in_schema=False)

    async def invited(token: str) -> tuple[CampaignEntry, Invitation] | None:
        invitation = inviting.read(token)
        entry = await desk.invited(invitation) if invitation else None
        return None if invitation is None or entry is None else (entry, invitation)

    @router.get("/{token}")
    async def ask(token: Token) -> Response:
        found = await invited(token)
        if found is None or found[0].state not in _OPEN:
            return _over()
        entry = found[0]
        return consent_page(_name(entry, campaigns), _terms(entry), _about(entry))

    @router.post("/{token}")
    async def answer(token: Token, request: Request) -> Response:
        found = await invited(token)
        said = _answer(await request.body())
        if found is None:
            return _over()
        if said is None:
            return said_page("Please choose", "The answer could not be read; go back and choose one of the two.", 400)
        entry, invitation = found
        digest = hashlib.sha256(_terms(entry).encode()).hexdigest()
        if not await desk.answer_form(entry, invitation, digest, granted=said) and entry.state not in _OPEN:
            return _over()
        if said:
            return said_page("Thank you", "You agreed. With the same link you can take this back as long as it is valid.")
        return said_page("Noted", "You did not agree. Nothing of yours will be shown.")

    return router


_OPEN = frozenset({EntryState.RIGHTS_REQUESTED, EntryState.GRANTED, EntryState.FEATURED})


def _over() -> Response:
    return said_page("This link is not valid", "It has expired, was answered, or never was one of ours.", 404)


def _answer(body: bytes) -> bool | None:
    if len(body) > _MOST:
        return None
    values = parse_qs(body.decode("utf-8", "replace")).get("answer", [])
    return {"granted": True, "refused": False}.get(values[0]) if len(values) == 1 else None


def _name(entry: CampaignEntry, campaigns: Campaigns) -> str:
    known = campaigns.campaign(entry.capture.brand, entry.capture.campaign)
    return known.name if known else entry.capture.campaign


def _terms(entry: CampaignEntry) -> str:
    asked = entry.standing.asked
    return asked.terms if asked else ""


def _about(entry: CampaignEntry) -> str:
    own = entry.capture
    count = len(own.media)
    what = "your picture or film" if count == 1 else f"your {count} pictures or films" if count else "your contribution"
    return f"This is about {what} on {own.platform.title()}: {own.object}"


def register(app: FastAPI, desk: Desk, inviting: Inviting, campaigns: Campaigns) -> None:
    """Add the routes to an application."""
    app.include_router(consent(desk, inviting, campaigns))
