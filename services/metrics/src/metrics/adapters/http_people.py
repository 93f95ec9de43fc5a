"""`/v1/brands/{brand}/people/{person}/measures`: what the reports' records hold about a person, for an export."""

from typing import Annotated, Any

from fastapi import FastAPI, Path
from pydantic import BaseModel, Field

from antiphon.auth import Admin
from antiphon.mongo import Database
from metrics.adapters.mongo import classified
from metrics.adapters.people import PERSON_FIELDS, Pseudonyms
from metrics.adapters.people_views import Measure, measure_of

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

    def __init__(self, database: Database, pseudonyms: Pseudonyms) -> None:
        self._database, self._pseudonyms = database, pseudonyms

    @classified
    async def of_person(self, brand: str, platform: str, author: str) -> list[dict[str, Any]]:
        """Return at most one more than MOST records. Raises Transient."""
        found: list[dict[str, Any]] = []
        for name, field in PERSON_FIELDS.items():
            query = {"brand": brand, field: self._pseudonyms.of(brand, platform, author)}
            kept = await self._database[name].find(query).limit(MOST + 1).to_list(None)
            found += [measure_of(name, one) for one in kept]
        return found


def register(app: FastAPI, measures: MongoMeasures) -> None:
    """Add the route to an application."""

    @app.get("/v1/brands/{brand}/people/{person}/measures", tags=["people"], summary="Export what was measured of a person")
    async def of_person(principal: Admin, brand: Brand, person: Person) -> MeasuresOut:
        platform, _, author = person.partition(":")
        found = await measures.of_person(principal.check(brand), platform, author)
        return MeasuresOut.model_validate({"items": found[:MOST], "cut": len(found) > MOST})
