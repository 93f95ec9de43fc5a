"""Routes of brands, their channels' identities and the people they do not answer."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import StringConstraints

from antiphon.auth import Admin, Viewer
from antiphon.seal import Sealer
from rules.adapters.http.bodies import (
    MAX_BODY_BYTES,
    BrandAdmin,
    BrandApprover,
    BrandEditor,
    BrandViewer,
    Changed,
    In,
    Limit,
    MaybeMatch,
    Name,
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
from rules.adapters.http.brand_bodies import BrandChanged, BrandOut, BrandPatch, Brands, NewBrand
from rules.configuration import ConfigurationService, PeopleList

Account = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
Author = Annotated[str, Path(pattern=r"^[!-~]{1,64}$")]


class ChannelValues(In):
    """Identity of an account; `account` is the platform's id of it."""

    platform: Platform
    account: Account
    name: Name


class ReasonIn(In):
    """Why."""

    reason: Annotated[str, Printable, StringConstraints(min_length=1, max_length=500)]


class ChannelOut(Out):
    """A channel's identity."""

    brand: str
    channel: str
    platform: str
    account: str
    name: str
    deleted: bool
    generation: int
    changed_time: datetime


class ChannelChanged(ChannelOut, Changed):
    """A changed channel."""


class Channels(Out):
    """A page of channels; `next` is null on the last."""

    items: list[ChannelOut]
    next: str | None


def brand_routes(configuration: ConfigurationService, sealer: Sealer) -> APIRouter:
    """Return the routes; `sealer` seals what only the engine may open."""
    router = APIRouter(prefix="/v1/brands", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["brands"])
    _brands(router, configuration, sealer)
    _switch(router, configuration)
    _people(router, configuration)
    _channels(router, configuration)
    return router


def _brands(router: APIRouter, configuration: ConfigurationService, sealer: Sealer) -> None:
    @router.post("", status_code=201)
    async def create_brand(by: Admin, body: NewBrand, response: Response) -> BrandChanged:
        saved = await configuration.create_brand(by, body.id, body.values(body.id, sealer))
        return changed(response, saved, BrandChanged)

    @router.get("")
    async def list_brands(by: Viewer, after: SlugCursor = "", limit: Limit = 50) -> Brands:
        return page(await configuration.brands(by, after, limit), limit, Brands)

    @router.get("/{brand}")
    async def read_brand(scope: BrandViewer, response: Response) -> BrandOut:
        return read(response, await configuration.brand(scope.brand), BrandOut)

    @router.patch("/{brand}")
    async def change_brand(scope: BrandAdmin, match: RequiredMatch, body: BrandPatch, response: Response) -> BrandChanged:
        saved = await configuration.change_brand(scope.by, scope.brand, match, body.values(scope.brand, sealer), "brand.change")
        return changed(response, saved, BrandChanged)


def _switch(router: APIRouter, configuration: ConfigurationService) -> None:
    @router.post("/{brand}/hold")
    async def hold_brand(scope: BrandApprover, match: RequiredMatch, body: ReasonIn, response: Response) -> BrandChanged:
        return changed(response, await configuration.hold(scope.by, scope.brand, match, body.reason), BrandChanged)

    @router.post("/{brand}/resume")
    async def resume_brand(scope: BrandApprover, match: RequiredMatch, body: ReasonIn, response: Response) -> BrandChanged:
        return changed(response, await configuration.resume(scope.by, scope.brand, match, body.reason), BrandChanged)


def _people(router: APIRouter, configuration: ConfigurationService) -> None:
    path = "/{brand}/people/{people}/{platform}/{author}"

    @router.put(path)
    async def list_person(
        scope: BrandEditor, match: RequiredMatch, people: PeopleList, platform: Platform, author: Author, response: Response
    ) -> BrandChanged:
        saved = await configuration.list_person(scope.by, scope.brand, match, people, f"{platform}:{author}")
        return changed(response, saved, BrandChanged)

    @router.delete(path)
    async def unlist_person(
        scope: BrandEditor, match: RequiredMatch, people: PeopleList, platform: Platform, author: Author, response: Response
    ) -> BrandChanged:
        saved = await configuration.unlist_person(scope.by, scope.brand, match, people, f"{platform}:{author}")
        return changed(response, saved, BrandChanged)


def _channels(router: APIRouter, configuration: ConfigurationService) -> None:
    @router.get("/{brand}/channels")
    async def list_channels(scope: BrandViewer, after: SlugCursor = "", limit: Limit = 50) -> Channels:
        return page(await configuration.channels(scope.brand, after, limit), limit, Channels)

    @router.get("/{brand}/channels/{channel}")
    async def read_channel(scope: BrandViewer, channel: SlugPath, response: Response) -> ChannelOut:
        return read(response, await configuration.channel(scope.brand, channel), ChannelOut)

    @router.put("/{brand}/channels/{channel}")
    async def put_channel(
        scope: BrandAdmin, channel: SlugPath, match: MaybeMatch, body: ChannelValues, response: Response
    ) -> ChannelChanged:
        saved = await configuration.put_channel(scope.by, scope.brand, channel, match, body.model_dump())
        return changed(response, saved, ChannelChanged)

    @router.delete("/{brand}/channels/{channel}")
    async def delete_channel(scope: BrandAdmin, channel: SlugPath, match: RequiredMatch, response: Response) -> ChannelChanged:
        return changed(response, await configuration.delete_channel(scope.by, scope.brand, channel, match), ChannelChanged)
