"""Routes of API keys. A token is in exactly one answer: the one to its making."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from antiphon.auth import Admin, Role
from rules.adapters.http.bodies import (
    MAX_BODY_BYTES,
    Changed,
    In,
    Limit,
    Name,
    Out,
    RequiredMatch,
    Slug,
    StrictRoute,
    changed,
    page,
    read,
)
from rules.keys import DEFAULT_DAYS, Grant, KeyService, MadeKey

_KEY_ID = r"^[0-9a-z]{12}$"

KeyId = Annotated[str, Path(pattern=_KEY_ID)]
RoleName = Literal["viewer", "editor", "approver", "admin"]

OVERLAP_HOURS = 24
"""Time to hand a rotated key's successor to whoever uses it."""

_LONGEST_OVERLAP_HOURS = 168


class NewKeyIn(In):
    """What a key is to allow; `brands` ["*"]: all brands."""

    name: Name
    brands: Annotated[list[Slug | Literal["*"]], Field(min_length=1, max_length=100)]
    role: RoleName
    expires_days: Annotated[int, Field(ge=1, le=2 * DEFAULT_DAYS)] | None = None


class Rotation(In):
    """How long the old key goes on working."""

    overlap_hours: Annotated[int, Field(ge=0, le=_LONGEST_OVERLAP_HOURS)] = OVERLAP_HOURS


class KeyOut(Out):
    """A key; its secret is known to nobody but its holder."""

    key_id: str
    name: str
    brands: tuple[str, ...]
    role: str
    expires_time: datetime
    revoked: bool
    generation: int
    changed_time: datetime


class KeyChanged(KeyOut, Changed):
    """A changed key."""


class KeyMade(KeyChanged):
    """A new key with its token, shown this once."""

    token: str


class Rotated(Out):
    """The successor, and the key that ends."""

    key: KeyMade
    old: KeyChanged


class Keys(Out):
    """A page of keys; `next` is null on the last."""

    items: list[KeyOut]
    next: str | None


def key_routes(keys: KeyService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/keys", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["keys"])
    _makes(router, keys)
    _reads(router, keys)
    return router


def _makes(router: APIRouter, keys: KeyService) -> None:
    @router.post("", status_code=201)
    async def create_key(by: Admin, body: NewKeyIn, response: Response) -> KeyMade:
        grant = Grant(name=body.name, brands=tuple(body.brands), role=Role[body.role.upper()], days=body.expires_days)
        return _made(response, await keys.create(by, grant))

    @router.delete("/{key}")
    async def revoke_key(by: Admin, key: KeyId, match: RequiredMatch, response: Response) -> KeyChanged:
        return changed(response, await keys.revoke(by, key, match), KeyChanged)

    @router.post("/{key}:rotate", status_code=201)
    async def rotate_key(
        by: Admin, key: KeyId, match: RequiredMatch, response: Response, body: Rotation | None = None
    ) -> Rotated:
        overlap = timedelta(hours=(body or Rotation()).overlap_hours)
        made, old = await keys.rotate(by, key, match, overlap)
        ending = changed(response, old, KeyChanged)
        return Rotated(key=_made(response, made), old=ending)


def _reads(router: APIRouter, keys: KeyService) -> None:
    @router.get("")
    async def list_keys(by: Admin, after: Annotated[str, Query(pattern=rf"{_KEY_ID}|^$")] = "", limit: Limit = 50) -> Keys:
        return page(await keys.keys(by, after, limit), limit, Keys)

    @router.get("/{key}")
    async def read_key(by: Admin, key: KeyId, response: Response) -> KeyOut:
        return read(response, await keys.key(by, key), KeyOut)


def _made(response: Response, made: MadeKey) -> KeyMade:
    response.headers["Cache-Control"] = "no-store"
    return changed(response, made.saved, KeyMade, token=made.token)
