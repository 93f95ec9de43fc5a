"""Requests in, answers out: strict JSON and YAML, preconditions, the shapes that all routes share."""

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, TypeVar

import orjson
import yaml
from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from typing_extensions import override

from antiphon.auth import Principal, Role, Viewer, require
from antiphon.problems import Problem
from rules.adapters.records import PLATFORMS
from rules.configuration import Match, Saved, precondition_required
from rules.entities import SLUG, Entity

MAX_BODY_BYTES = 262_144
"""Four times the largest sensible rule; a record of it still fits into Kafka's usual limit of 1 MB."""

PAGE = 100
"""Most items a page: a page stays small enough for one request."""

M = TypeVar("M", bound=BaseModel)

Slug = Annotated[str, StringConstraints(pattern=SLUG)]
SlugPath = Annotated[str, Path(pattern=SLUG)]
Limit = Annotated[int, Query(ge=1, le=PAGE)]
SlugCursor = Annotated[str, Query(pattern=rf"{SLUG}|^$", description="`next` of the page before")]
Printable = StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", strip_whitespace=True)
"""Text on one line: what people are shown and logs may quote."""
Comment = Annotated[str, Printable, StringConstraints(max_length=500)]
Name = Annotated[str, Printable, StringConstraints(min_length=1, max_length=200)]


def _known_platform(platform: str) -> str:
    if platform not in PLATFORMS:
        raise ValueError(f"one of {', '.join(sorted(PLATFORMS))}")
    return platform


Platform = Annotated[str, AfterValidator(_known_platform)]


class In(BaseModel):
    """A request's body: unknown fields are errors, so that a slip is not a silent nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Out(BaseModel):
    """An answer's body, read from an entity."""

    model_config = ConfigDict(from_attributes=True)


class Changed(BaseModel):
    """Added to the answer of a change: whether it is on the topic, and at which offset."""

    live: bool
    revision: int | None


class StrictRequest(Request):
    """Parses JSON as the platform does everywhere: no lone surrogates, no NaN, bounded depth."""

    @override
    async def json(self) -> Any:
        return orjson.loads(await self.body())


class StrictRoute(APIRoute):
    """Gives its handler a strict request."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


class Scope:
    """A brand together with who may see it."""

    __slots__ = ("brand", "by")

    def __init__(self, brand: str, by: Principal) -> None:
        self.brand = brand
        self.by = by


def _visible(by: Viewer, brand: SlugPath) -> str:
    return by.check(brand)


def scoped(role: Role) -> Callable[..., Scope]:
    """Return a dependency: the brand of the path, for a caller of at least this role; a foreign one answers 404 to every role."""

    def dependency(brand: Annotated[str, Depends(_visible)], by: Annotated[Principal, Depends(require(role))]) -> Scope:
        return Scope(brand, by)

    return dependency


BrandViewer = Annotated[Scope, Depends(scoped(Role.VIEWER))]
BrandEditor = Annotated[Scope, Depends(scoped(Role.EDITOR))]
BrandApprover = Annotated[Scope, Depends(scoped(Role.APPROVER))]
BrandAdmin = Annotated[Scope, Depends(scoped(Role.ADMIN))]

_ETAG = re.compile(r'"(\d{1,15})"')


def _match(if_match: Annotated[str | None, Header(max_length=100)] = None) -> Match | None:
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return Match(None)
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        detail = 'one ETag as this API gives it, for example "7", or *'
        raise Problem(422, "invalid", f"If-Match is {detail}.", errors=[{"pointer": "/if-match", "detail": detail}])
    return Match(int(found[1]))


def _required_match(match: Annotated[Match | None, Depends(_match)]) -> Match:
    if match is None:
        raise precondition_required()
    return match


MaybeMatch = Annotated[Match | None, Depends(_match)]
RequiredMatch = Annotated[Match, Depends(_required_match)]


def etag(response: Response, entity: Entity) -> None:
    """Give the answer the entity's ETag: its generation."""
    response.headers["ETag"] = f'"{entity.generation}"'


def next_page(found: Sequence[Entity], limit: int) -> str | None:
    """Return the `next` of a page: the id that the following one comes after, None on the last."""
    return (found[-1].name_in_brand or found[-1].brand) if len(found) == limit else None


def page(found: Sequence[Entity], limit: int, shape: type[M]) -> M:
    """Return a page of a list: `items` and `next`."""
    return shape.model_validate({"items": list(found), "next": next_page(found, limit)})


def read(response: Response, found: Entity, shape: type[M]) -> M:
    """Return the answer to a reading, with the ETag."""
    etag(response, found)
    return shape.model_validate(found)


def changed(response: Response, saved: Saved[Any], shape: type[M], **more: object) -> M:
    """Return the answer to a change."""
    etag(response, saved.entity)
    fields = {name: getattr(saved.entity, name) for name in shape.model_fields if hasattr(saved.entity, name)}
    return shape.model_validate({**fields, "live": saved.revision is not None, "revision": saved.revision, **more})


class _PlainLoader(yaml.SafeLoader):
    """YAML as JSON's data model: no dates, no aliases (which can blow up), only `true` and `false` are booleans."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    @override
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+", list("-0123456789")),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


async def document(request: Request) -> Any:
    """Return the body as plain data: JSON, or YAML by its content type. Raises 400 when it is neither."""
    raw = await request.body()
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    try:
        if kind in {"application/yaml", "application/x-yaml", "text/yaml"}:
            return parse_yaml(raw)
        if kind == "application/json":
            return orjson.loads(raw)
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise Problem(400, "unreadable", f"The body is no {kind}: {_first_line(error)}") from error
    raise Problem(415, "unsupported_media_type", "Send application/json or application/yaml.")


def parse_yaml(raw: bytes) -> Any:
    """Return YAML as JSON's data model. Raises ValueError, TypeError, RecursionError or YAMLError."""
    data = yaml.load(raw.decode("utf-8"), _PlainLoader)  # noqa: S506 (derived from SafeLoader)
    return orjson.loads(orjson.dumps(data))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
