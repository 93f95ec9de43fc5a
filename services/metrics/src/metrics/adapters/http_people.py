"""`/v1/brands/{brand}/people/{person}/measures`: what the reports' records hold about a person, for an export."""

from typing import Annotated, Any

from fastapi import FastAPI, Path
from pydantic import BaseModel, Field

from antiphon.auth import Admin
from metrics.adapters.facts import MongoFactStore
from metrics.adapters.mongo import classified
from metrics.adapters.people import Pseudonyms
from metrics.adapters.people_views import Measure, measures_of

MOST = 10_000
"""Records in an export: more than any person makes; a robot's are cut, and the answer says so."""

Brand = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Person = Annotated[str, Path(pattern=r"^[a-z_]{1,32}:[!-~]{1,256}$", description="`platform:author id`")]


class MeasuresOut(BaseModel):
    """Records about a person, as they are kept: without words and names."""

    items: list[Measure]
    next: None = None
    cut: bool = Field(description=f"there are more than {MOST}")


class MongoMeasures:
    """Reads records by pseudonym."""

    def __init__(self, facts: MongoFactStore, pseudonyms: Pseudonyms) -> None:
        self._facts, self._pseudonyms = facts, pseudonyms

    @classified
    async def of_person(self, brand: str, platform: str, author: str) -> list[dict[str, Any]]:
        """Return all records about a person, more than MOST only in the last page that was read. Raises Transient."""
        person = self._pseudonyms.of(brand, platform, author)
        found: list[dict[str, Any]] = []
        if person is None:
            return found
        async for kind, page in self._facts.about(brand, person):
            found += measures_of(kind, page, person)
            if len(found) > MOST:
                break
        return found


def register(app: FastAPI, measures: MongoMeasures) -> None:
    """Add the route to an application."""

    @app.get("/v1/brands/{brand}/people/{person}/measures", tags=["people"], summary="Export what was measured of a person")
    async def of_person(principal: Admin, brand: Brand, person: Person) -> MeasuresOut:
        platform, _, author = person.partition(":")
        found = await measures.of_person(principal.check(brand), platform, author)
        return MeasuresOut.model_validate({"items": found[:MOST], "cut": len(found) > MOST})
