"""Routes of topics and tracked links."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from rules.adapters.http.bodies import (
    MAX_BODY_BYTES,
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
    next_page,
    page,
    read,
)
from rules.configuration import Saved
from rules.domain.matching.text import is_maskable, patterns
from rules.entities import Link, TopicKind
from rules.watching import LinkService, TopicService

_MAX_TERMS = 500


def _findable(term: str) -> str:
    if not patterns(term):
        raise ValueError("nothing of this term is ever found in a text; write a word, a phrase or a hashtag")
    if is_maskable(term):
        raise ValueError("links and handles are left out before terms are looked for; write the name itself")
    return term


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "\\" in url:
        raise ValueError("must be https://host/…, without user or password")
    return url


Term = Annotated[str, Printable, StringConstraints(min_length=1, max_length=100), AfterValidator(_findable)]
Url = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,2000}$"), AfterValidator(_address)]


class TopicValues(In):
    """A topic: `terms` are words and phrases, matched as rules match words."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"kind": "product", "name": "Bike One", "terms": ["bike one", "#bikeone"]}}
    )

    kind: TopicKind = "topic"
    name: Name
    terms: Annotated[list[Term], Field(min_length=1, max_length=_MAX_TERMS)]


class TopicOut(Out):
    """A topic."""

    brand: str
    topic: str
    kind: TopicKind = Field(validation_alias="topic_kind")
    name: str
    terms: tuple[str, ...]
    generation: int
    changed_time: datetime


class TopicChanged(Changed):
    """A changed topic."""

    topic: str
    name: str
    deleted: bool
    generation: int
    changed_time: datetime


class Topics(Out):
    """A page of topics; `next` is null on the last."""

    items: list[TopicOut]
    next: str | None


class LinkValues(In):
    """Where a tracked link leads, and whose clicks they are."""

    model_config = ConfigDict(json_schema_extra={"example": {"url": "https://acme.example/summer?utm_source=antiphon"}})

    url: Url
    campaign: Slug | None = None


class LinkOut(Out):
    """A link. `tracked_url`: what people publish by hand, clicks on which are the link's own; null where nothing is tracked."""

    brand: str
    link: str
    url: str
    tracked_url: str | None
    campaign: str
    generation: int
    changed_time: datetime


class LinkChanged(LinkOut, Changed):
    """A changed link."""

    deleted: bool


class Links(Out):
    """A page of links; `next` is null on the last."""

    items: list[LinkOut]
    next: str | None


def topic_routes(topics: TopicService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}/topics", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["topics"])

    @router.get("")
    async def list_topics(scope: BrandViewer, after: SlugCursor = "", limit: Limit = 50) -> Topics:
        return page(await topics.topics(scope.brand, after, limit), limit, Topics)

    @router.get("/{topic}")
    async def read_topic(scope: BrandViewer, topic: SlugPath, response: Response) -> TopicOut:
        return read(response, await topics.topic(scope.brand, topic), TopicOut)

    @router.put("/{topic}")
    async def put_topic(
        scope: BrandEditor, topic: SlugPath, match: MaybeMatch, body: TopicValues, response: Response
    ) -> TopicChanged:
        values = {"topic_kind": body.kind, "name": body.name, "terms": tuple(dict.fromkeys(body.terms))}
        return changed(response, await topics.put(scope.by, scope.brand, topic, match, values), TopicChanged)

    @router.delete("/{topic}")
    async def delete_topic(scope: BrandEditor, topic: SlugPath, match: RequiredMatch, response: Response) -> TopicChanged:
        return changed(response, await topics.delete(scope.by, scope.brand, topic, match), TopicChanged)

    return router


def link_routes(links: LinkService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}/links", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["links"])

    def shown(link: Link) -> LinkOut:
        fields = {name: getattr(link, name) for name in LinkOut.model_fields if name != "tracked_url"}
        return LinkOut(**fields, tracked_url=links.tracked_url(link))

    def changed_link(response: Response, saved: Saved[Link]) -> LinkChanged:
        return changed(response, saved, LinkChanged, tracked_url=links.tracked_url(saved.entity))

    @router.get("")
    async def list_links(scope: BrandViewer, after: SlugCursor = "", limit: Limit = 50) -> Links:
        found = await links.links(scope.brand, after, limit)
        return Links(items=[shown(link) for link in found], next=next_page(found, limit))

    @router.get("/{link}")
    async def read_link(scope: BrandViewer, link: SlugPath, response: Response) -> LinkOut:
        found = await links.link(scope.brand, link)
        etag(response, found)
        return shown(found)

    @router.put("/{link}")
    async def put_link(
        scope: BrandEditor, link: SlugPath, match: MaybeMatch, body: LinkValues, response: Response
    ) -> LinkChanged:
        values = {"url": body.url, "campaign": body.campaign or ""}
        return changed_link(response, await links.put(scope.by, scope.brand, link, match, values))

    @router.delete("/{link}")
    async def delete_link(scope: BrandEditor, link: SlugPath, match: RequiredMatch, response: Response) -> LinkChanged:
        return changed_link(response, await links.delete(scope.by, scope.brand, link, match))

    return router
