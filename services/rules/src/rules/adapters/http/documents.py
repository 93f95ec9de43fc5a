"""What routes of rules and of campaigns share: a document as the body, its faults, its versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Query, Response
from pydantic import BaseModel, Field, ValidationError

from antiphon.problems import Problem, pointer
from rules.adapters.http.bodies import Comment, M, Out, etag
from rules.entities import Entity
from rules.trail import RuleVersion

FAR = 2**31
"""Above every version."""

Version = Annotated[int, Field(ge=1, lt=FAR)]
Before = Annotated[int, Query(ge=1, le=FAR)]
CommentQuery = Annotated[Comment, Query()]


class VersionOut(Out):
    """A version as it was saved."""

    version: int
    author: str
    time: datetime
    comment: str
    document: Any


class Versions(Out):
    """A page of versions, the newest first; `next` is null on the last."""

    items: list[VersionOut]
    next: int | None


def versions_page(found: Sequence[RuleVersion], limit: int) -> Versions:
    """Return a page of versions."""
    return Versions(items=[_version(one) for one in found], next=found[-1].version if len(found) == limit else None)


def _version(version: RuleVersion) -> VersionOut:
    return VersionOut(
        version=version.version,
        author=version.author,
        time=version.time,
        comment=version.comment,
        document=orjson.loads(version.document),
    )


def with_document(response: Response, found: Entity, shape: type[M], document: bytes) -> M:
    """Return the answer to a reading, with the ETag and the document, which `shape` has a field for."""
    etag(response, found)
    return documented(found, shape, document)


def documented(found: Entity, shape: type[M], document: bytes) -> M:
    """Return what has a document together with it, which `shape` has a field for."""
    fields = {name: getattr(found, name) for name in shape.model_fields if name != "document"}
    return shape.model_validate({**fields, "document": orjson.loads(document)})


def described(model: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how the API's description shows a document as a body, and the schemas that this refers to."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = schema.pop("$defs", {})
    content = {kind: {"schema": schema} for kind in ("application/json", "application/yaml")}
    return {"requestBody": {"required": True, "content": content}}, schemas


def invalid(what: str, errors: list[dict[str, str]]) -> Problem:
    """Return the answer to a document that is no rule or no campaign."""
    return Problem(422, "invalid", f"The {what} does not have the form it must have; see errors.", errors=errors)


def faults(error: ValidationError) -> list[dict[str, str]]:
    """Return what is wrong with a document, each with a pointer into it."""
    return [{"pointer": pointer(fault["loc"]), "detail": fault["msg"]} for fault in error.errors()]
