"""`/v1/brands/{brand}/secrets`: what signs a brand's notifications. Secrets go in, or are made here and shown once."""

import logging
import secrets as randomness
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from antiphon.auth import Admin
from antiphon.problems import Problem
from publisher.adapters.mongo_secrets import MongoSecrets, SecretLine
from publisher.adapters.views import SLUG, moment
from publisher.domain import webhooks

log = logging.getLogger(__name__)

_MOST = 100
"""Secrets of a brand: one a receiver is enough, and a list of this length fits one page."""

_KEY_BYTES = 32
"""Of a secret made here: as many as its hash gives."""

_DAY = 86_400

BrandPath = Annotated[str, Path(pattern=SLUG)]
NamePath = Annotated[str, Path(pattern=SLUG)]


class SecretIn(BaseModel):
    """A secret to store, `whsec_` and base64 of 24 to 64 bytes; without one it is made here and shown once.

    The secret before it goes on signing beside it for `overlap_seconds`, so that the receiver can change in peace.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    secret: SecretStr | None = Field(default=None, max_length=256)
    overlap_seconds: int = Field(default=_DAY, ge=0, le=30 * _DAY)

    @field_validator("secret")
    @classmethod
    def _usable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            webhooks.key_of(value.get_secret_value())
        return value


class SecretOut(BaseModel):
    """What is told of a secret; `previous_until_time`: how long the one before it still signs."""

    name: str
    created_time: datetime
    previous_until_time: datetime | None


class SecretStored(SecretOut):
    """A secret just stored; `secret` only if it was made here, and only now."""

    secret: str | None


class SecretsOut(BaseModel):
    """All secrets of a brand."""

    items: list[SecretOut]
    next: str | None = None


def secrets(store: MongoSecrets) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}/secrets", tags=["secrets"])

    @router.get("")
    async def browse(principal: Admin, brand: BrandPath) -> SecretsOut:
        return SecretsOut(items=[_out(line) for line in await store.browse(principal.check(brand), _MOST)])

    @router.put("/{name}")
    async def put(
        principal: Admin, brand: BrandPath, name: NamePath, response: Response, body: SecretIn | None = None
    ) -> SecretStored:
        wanted, made = body or SecretIn(), None
        known = await store.browse(principal.check(brand), _MOST)
        if len(known) >= _MOST and name not in {line.name for line in known}:
            raise Problem(409, "too_many", f"A brand has at most {_MOST} secrets; remove one first.")
        if wanted.secret is None:
            made = webhooks.secret_of(randomness.token_bytes(_KEY_BYTES))
        line = await store.put(brand, name, wanted.secret or SecretStr(made or ""), wanted.overlap_seconds)
        log.info("secret stored by %s", principal.key_id, extra={"brand": brand, "secret_name": name})
        response.headers["Cache-Control"] = "no-store"
        return SecretStored(**_out(line).model_dump(), secret=made)

    @router.delete("/{name}", status_code=204)
    async def remove(principal: Admin, brand: BrandPath, name: NamePath) -> Response:
        if not await store.remove(principal.check(brand), name):
            raise Problem(404, "not_found", f"There is no secret {name!r} in this brand.")
        log.info("secret removed by %s", principal.key_id, extra={"brand": brand, "secret_name": name})
        return Response(status_code=204)

    return router


def _out(line: SecretLine) -> SecretOut:
    until = None if line.previous_until is None else moment(line.previous_until)
    return SecretOut(name=line.name, created_time=moment(line.created_at), previous_until_time=until)


def register(app: FastAPI, store: MongoSecrets) -> None:
    """Add the routes to an application."""
    app.include_router(secrets(store))
