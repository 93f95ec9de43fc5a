"""`/v1/sources`: subscriptions and their secrets, which go in and never come out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, Path, Query, Response
from pydantic import AwareDatetime, Field, SecretStr

from antiphon.auth import Admin, Principal, Viewer
from antiphon.clock import Clock
from antiphon.problems import Problem
from ingest.adapters.bodies import SLUG, Body
from ingest.domain import Account, Source
from ingest.sources import MAX_SECRETS, Conflict, Draft, SourceService

_ACCOUNT = r"^[A-Za-z0-9._:@-]{1,200}$"

OVERLAP = timedelta(hours=48)
"""How long old secrets stay good unless the caller says otherwise: longer than the 36 h of a platform's redelivery."""

_Token = Annotated[SecretStr, Field(min_length=8, max_length=512)]
_SourceId = Annotated[str, Path(pattern=SLUG, description="id of the subscription")]
_IfMatch = Annotated[str | None, Header(description='the ETag last seen, such as "3"', pattern=r'^"?\d{1,15}"?$')]


class AccountBody(Body):
    """One of a brand's own accounts: its id on the platform, and the brand's name for it."""

    account: str = Field(pattern=_ACCOUNT)
    brand: str = Field(pattern=SLUG)
    channel: str = Field(pattern=SLUG)


class SourceBody(Body):
    """A new subscription. Without `id` one is made up."""

    id: str | None = Field(default=None, pattern=SLUG)
    platform: Literal["facebook", "instagram"]
    verify_token: _Token
    secret: _Token
    accounts: list[AccountBody] = Field(min_length=1, max_length=1_000)


class ChangeBody(Body):
    """All accounts from now on; the verify token only when it changes."""

    accounts: list[AccountBody] = Field(min_length=1, max_length=1_000)
    verify_token: _Token | None = None


class SecretBody(Body):
    """Another signing secret; the present ones end at `old_expires_time` (default: in 48 hours)."""

    secret: _Token
    old_expires_time: AwareDatetime | None = None


_PROBLEMS = {
    Conflict.ABSENT: (404, "not_found", "There is no such subscription for this key."),
    Conflict.TAKEN: (409, "taken", "This id is not free; choose another one, or leave it out."),
    Conflict.STALE: (412, "stale", "It has changed in the meantime; read it again."),
    Conflict.TOO_MANY_SECRETS: (
        409,
        "too_many_secrets",
        f"{MAX_SECRETS} secrets are in force already; let the old ones end earlier.",
    ),
}


def register_routes(app: FastAPI, service: SourceService, clock: Clock) -> None:
    """Add the routes. A subscription exists for a key that sees every brand of its accounts."""
    _reads(app, service)
    _changes(app, service, clock)


def _reads(app: FastAPI, service: SourceService) -> None:
    @app.get("/v1/sources")
    async def page(
        principal: Viewer,
        after: Annotated[str, Query(max_length=63)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> dict[str, Any]:
        found = await service.page(_visible(principal), after, limit)
        return {"items": [_shown(source) for source in found], "next": found[-1].id if len(found) == limit else None}

    @app.get("/v1/sources/{source}")
    async def get(principal: Viewer, source: _SourceId, response: Response) -> dict[str, Any]:
        return _answer(await service.get(source, _visible(principal)) or Conflict.ABSENT, response)


def _changes(app: FastAPI, service: SourceService, clock: Clock) -> None:
    @app.post("/v1/sources", status_code=201)
    async def create(principal: Admin, body: SourceBody, response: Response) -> dict[str, Any]:
        draft = Draft(
            body.id or "", body.platform, _bytes(body.verify_token), _bytes(body.secret), _accounts(principal, body.accounts)
        )
        return _answer(await service.create(draft), response)

    @app.put("/v1/sources/{source}")
    async def change(
        principal: Admin, source: _SourceId, body: ChangeBody, response: Response, if_match: _IfMatch = None
    ) -> dict[str, Any]:
        token = _bytes(body.verify_token) if body.verify_token else None
        accounts = _accounts(principal, body.accounts)
        changed = await service.change(source, _visible(principal), _generation(if_match), accounts, token)
        return _answer(changed, response)

    @app.delete("/v1/sources/{source}", status_code=204)
    async def delete(principal: Admin, source: _SourceId, if_match: _IfMatch = None) -> None:
        _answer(await service.delete(source, _visible(principal), _generation(if_match)), Response())

    @app.post("/v1/sources/{source}/secrets", status_code=201)
    async def add_secret(
        principal: Admin, source: _SourceId, body: SecretBody, response: Response, if_match: _IfMatch = None
    ) -> dict[str, Any]:
        ends = (body.old_expires_time or clock.now() + OVERLAP).astimezone(UTC)
        changed = await service.add_secret(source, _visible(principal), _generation(if_match), _bytes(body.secret), ends)
        return _answer(changed, response)


def _visible(principal: Principal) -> Callable[[Source], bool]:
    return lambda source: all(principal.may_see(brand) for brand in source.brands())


def _bytes(secret: SecretStr) -> bytes:
    return secret.get_secret_value().encode()


def _accounts(principal: Principal, given: list[AccountBody]) -> list[Account]:
    return [Account(one.account, principal.check(one.brand), one.channel) for one in given]


def _generation(if_match: str | None) -> int | None:
    return int(if_match.strip('"')) if if_match else None


def _answer(result: Source | Conflict, response: Response) -> dict[str, Any]:
    if isinstance(result, Conflict):
        raise Problem(*_PROBLEMS[result])
    response.headers["ETag"] = f'"{result.generation}"'
    return _shown(result)


def _shown(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "platform": source.platform,
        "callback_path": source.path,
        "generation": source.generation,
        "accounts": [{"account": one.account, "brand": one.brand, "channel": one.channel} for one in source.accounts.values()],
        "secrets": [
            {"id": one.id, "created_time": _time(one.created), "expires_time": _time(one.expires)} for one in source.secrets
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
