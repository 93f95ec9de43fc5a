"""Routes of brands, their channels' identities, the people they do not answer, and their audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, Field, StringConstraints

from antiphon.auth import Admin, Viewer
from rules.adapters.http_bodies import (
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
    Printable,
    RequiredMatch,
    Slug,
    SlugCursor,
    SlugPath,
    StrictRoute,
    changed,
    etag,
)
from rules.adapters.records import PLATFORMS
from rules.audit import first_broken
from rules.configuration import ConfigurationService, PeopleList
from rules.entities import Mode
from rules.ports import ConfigStore


def _known_platform(platform: str) -> str:
    if platform not in PLATFORMS:
        raise ValueError(f"one of {', '.join(sorted(PLATFORMS))}")
    return platform


Platform = Annotated[str, AfterValidator(_known_platform)]
Account = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
Author = Annotated[str, Path(pattern=r"^[!-~]{1,64}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class BrandValues(In):
    """What can be set of a brand."""

    name: Name
    mode: Mode = "auto"
    languages: Annotated[list[Language], Field(max_length=50)] = []
    human_pause_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 3_600

    def values(self) -> dict[str, Any]:
        """Return the fields that were sent, or all of a new brand's, as the entity takes them."""
        return {
            **self.model_dump(exclude_unset=True),
            **({"languages": tuple(self.languages)} if "languages" in self.model_fields_set else {}),
        }


class NewBrand(BrandValues):
    """A brand to create."""

    id: Slug


class BrandPatch(BrandValues):
    """What to change; what is left out stays."""

    name: Name = ""


class ChannelValues(In):
    """Identity of an account; `account` is the platform's id of it."""

    platform: Platform
    account: Account
    name: Name


class Reason(In):
    """Why."""

    reason: Annotated[str, Printable, StringConstraints(min_length=1, max_length=500)]


class BrandLine(Out):
    """A brand in a list."""

    brand: str
    name: str
    mode: Mode
    held: bool
    held_reason: str
    languages: tuple[str, ...]
    human_pause_seconds: int
    generation: int
    changed_time: datetime


class BrandOut(BrandLine):
    """A brand."""

    blocked_authors: tuple[str, ...]
    opted_out_authors: tuple[str, ...]


class BrandChanged(BrandLine, Changed):
    """A changed brand."""


class Brands(Out):
    """A page of brands; `next` is null on the last."""

    items: list[BrandLine]
    next: str | None


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
    """All channels of a brand."""

    items: list[ChannelOut]


class EntryOut(Out):
    """An audit entry with its place in the hash chain."""

    sequence: int
    time: datetime
    actor: str
    action: str
    target: str
    generation: int
    detail: Mapping[str, Any]
    previous: str
    hash: str


class Audit(Out):
    """A page of the audit log; `intact` tells whether the chain holds within the page."""

    items: list[EntryOut]
    intact: bool
    next: int | None


def brand_routes(configuration: ConfigurationService, store: ConfigStore) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["brands"])
    _brands(router, configuration)
    _switch(router, configuration)
    _people(router, configuration)
    _channels(router, configuration)
    _audit(router, configuration, store)
    return router


def _brands(router: APIRouter, configuration: ConfigurationService) -> None:
    @router.post("", status_code=201)
    async def create_brand(by: Admin, body: NewBrand, response: Response) -> BrandChanged:
        saved = await configuration.create_brand(by, body.id, {k: v for k, v in body.values().items() if k != "id"})
        return changed(response, saved, BrandChanged)

    @router.get("")
    async def list_brands(by: Viewer, after: SlugCursor = "", limit: Limit = 50) -> Brands:
        found = await configuration.brands(by, after, limit)
        return Brands(
            items=[BrandLine.model_validate(brand) for brand in found], next=found[-1].brand if len(found) == limit else None
        )

    @router.get("/{brand}")
    async def read_brand(scope: BrandViewer, response: Response) -> BrandOut:
        found = await configuration.brand(scope.brand)
        etag(response, found)
        return BrandOut.model_validate(found)

    @router.patch("/{brand}")
    async def change_brand(scope: BrandAdmin, match: RequiredMatch, body: BrandPatch, response: Response) -> BrandChanged:
        saved = await configuration.change_brand(scope.by, scope.brand, match, body.values(), "brand.change")
        return changed(response, saved, BrandChanged)


def _switch(router: APIRouter, configuration: ConfigurationService) -> None:
    @router.post("/{brand}/hold")
    async def hold_brand(scope: BrandApprover, match: RequiredMatch, body: Reason, response: Response) -> BrandChanged:
        return changed(response, await configuration.hold(scope.by, scope.brand, match, body.reason), BrandChanged)

    @router.post("/{brand}/resume")
    async def resume_brand(scope: BrandApprover, match: RequiredMatch, body: Reason, response: Response) -> BrandChanged:
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
    async def list_channels(scope: BrandViewer) -> Channels:
        return Channels(items=[ChannelOut.model_validate(found) for found in await configuration.channels(scope.brand)])

    @router.get("/{brand}/channels/{channel}")
    async def read_channel(scope: BrandViewer, channel: SlugPath, response: Response) -> ChannelOut:
        found = await configuration.channel(scope.brand, channel)
        etag(response, found)
        return ChannelOut.model_validate(found)

    @router.put("/{brand}/channels/{channel}")
    async def put_channel(
        scope: BrandAdmin, channel: SlugPath, match: MaybeMatch, body: ChannelValues, response: Response
    ) -> ChannelChanged:
        saved = await configuration.put_channel(scope.by, scope.brand, channel, match, body.model_dump())
        return changed(response, saved, ChannelChanged)

    @router.delete("/{brand}/channels/{channel}")
    async def delete_channel(scope: BrandAdmin, channel: SlugPath, match: RequiredMatch, response: Response) -> ChannelChanged:
        return changed(response, await configuration.delete_channel(scope.by, scope.brand, channel, match), ChannelChanged)


def _audit(router: APIRouter, configuration: ConfigurationService, store: ConfigStore) -> None:
    @router.get("/{brand}/audit")
    async def read_audit(scope: BrandViewer, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 50) -> Audit:
        await configuration.brand(scope.brand)
        # One more in front, so that the first entry of the page is checked against the one before it.
        found = await store.audit(scope.brand, max(0, after - 1), limit + (after > 0))
        before = found[0] if after and found and found[0].sequence == after else None
        entries = found[1:] if before else found
        return Audit(
            items=[EntryOut.model_validate({**_note(entry.note), **_place(entry)}) for entry in entries],
            intact=first_broken(entries, after=before) is None,
            next=entries[-1].sequence if len(entries) == limit else None,
        )


def _note(note: Any) -> dict[str, Any]:
    return {name: getattr(note, name) for name in ("time", "actor", "action", "target", "generation", "detail")}


def _place(entry: Any) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ("sequence", "previous", "hash")}
