"""Routes of people's privacy: what is held about a person, and forgetting one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import AfterValidator, Field

from rules.adapters.http.bodies import BrandAdmin, Out, StrictRoute
from rules.adapters.http.decisions import DecisionOut, decision_out
from rules.adapters.http.segments import known_person
from rules.people import Erasure, PeopleService

MOST = 10_000
"""Decisions in one export: more than any person has in ninety days; a robot's are cut, and the answer says so."""

PersonPath = Annotated[
    str, Path(pattern=r"^[a-z_]{1,32}:[!-~]{1,256}$", description="`platform:author id`"), AfterValidator(known_person)
]


class ErasureOut(Out):
    """Where the forgetting of a person stands."""

    person: str = Field(description="how the person is referred to in record keys; names nobody")
    asked_time: datetime
    complete: bool
    done: Mapping[str, datetime | None] = Field(description="holder → when it was done; null while it is not")


class PersonOut(Out):
    """What configuration and archive hold about a person; deliveries, entries and measures have routes of their own."""

    segments: list[str]
    blocked: bool
    opted_out: bool
    decisions: list[DecisionOut] = Field(description="every decision on something the person wrote, with the words")
    cut: bool = Field(description=f"there are more than {MOST} decisions")


def people_routes(people: PeopleService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}/people", route_class=StrictRoute, tags=["people"])

    @router.get("/{person}", summary="Export what is held about a person")
    async def read_person(scope: BrandAdmin, person: PersonPath) -> PersonOut:
        platform, _, author = person.partition(":")
        listed = await people.listed(scope.brand, platform, author)
        found: list[DecisionOut] = []
        async for recorded in people.recorded(scope.brand, platform, author):
            found.append(decision_out(recorded))
            if len(found) > MOST:
                break
        return PersonOut(
            segments=list(listed.segments),
            blocked=listed.blocked,
            opted_out=listed.opted_out,
            decisions=found[:MOST],
            cut=len(found) > MOST,
        )

    @router.delete("/{person}", status_code=202, summary="Forget a person")
    async def forget_person(scope: BrandAdmin, person: PersonPath, response: Response) -> ErasureOut:
        platform, _, author = person.partition(":")
        response.headers["Location"] = f"/v1/brands/{scope.brand}/people/{person}/erasure"
        return _out(await people.forget(scope.by, scope.brand, platform, author))

    @router.get("/{person}/erasure", summary="See whether a person is forgotten everywhere")
    async def read_erasure(scope: BrandAdmin, person: PersonPath) -> ErasureOut:
        platform, _, author = person.partition(":")
        return _out(await people.erasure(scope.brand, platform, author))

    return router


def _out(erasure: Erasure) -> ErasureOut:
    fields: dict[str, Any] = {"person": erasure.person, "asked_time": erasure.asked_time, "complete": erasure.complete}
    return ErasureOut(**fields, done=erasure.done)
