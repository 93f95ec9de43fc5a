"""Query parameters that a call does not know: a filter that is misspelt must not answer with everything."""

from collections.abc import Iterator
from inspect import isclass

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from antiphon.problems import Problem


def check_known(request: Request) -> None:
    """Raise 422 that names each query parameter that the route does not take, and those that it does."""
    if not request.scope["query_string"]:
        return
    route = request.scope["route"]
    known = set(_names(route.dependant)) if isinstance(route, APIRoute) else set()
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        remedy = f"this call takes {', '.join(sorted(known))}" if known else "this call takes no parameters"
        errors = [{"pointer": f"/{name}", "detail": f"unknown; {remedy}"} for name in unknown]
        raise Problem(422, "invalid", "The request has parameters that this call does not know; see errors.", errors=errors)


def _names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isclass(kind) and issubclass(kind, BaseModel):  # its fields are the parameters
            yield from (part.alias or name for name, part in kind.model_fields.items())
        else:
            yield field.alias
    for below in dependant.dependencies:
        yield from _names(below)
