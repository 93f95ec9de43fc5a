"""`/v1/brands/{brand}/people/{person}/…`: what the ledgers hold about a person, for an export."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query

from antiphon.auth import Admin
from antiphon.mongo import Database, PyMongoError, classified
from publisher.adapters.people_views import KeptDeliveries, KeptEntries, shown
from publisher.adapters.views import SLUG

Brand = Annotated[str, Path(pattern=SLUG)]
Person = Annotated[str, Path(pattern=r"^[a-z_]{1,32}:[!-~]{1,256}$", description="`platform:author id`")]
After = Annotated[str, Query(max_length=128, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=100)]


_Page = dict[str, Any]
"""`items` and `next`, as they are kept."""


class MongoPeople:
    """Reads both ledgers by person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, ledger: str, brand: str, person: str, after: str, limit: int) -> _Page:
        """Return a page in the order of ids. Raises Transient."""
        platform, _, author = person.partition(":")
        query = {"brand": brand, "platform": platform, "author": author, "_id": {"$gt": after}}
        try:
            found = await self._database[ledger].find(query).sort("_id", 1).limit(limit).to_list(None)
        except PyMongoError as error:
            raise classified(error) from error
        return {"items": [shown(one) for one in found], "next": found[-1]["_id"] if len(found) == limit else None}


def people_routes(people: MongoPeople) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}/people/{person}", tags=["people"])

    @router.get("/deliveries", summary="Export what was sent to a person")
    async def deliveries(principal: Admin, brand: Brand, person: Person, after: After = "", limit: Limit = 50) -> KeptDeliveries:
        return KeptDeliveries.model_validate(await people.page("deliveries", principal.check(brand), person, after, limit))

    @router.get("/entries", summary="Export a person's entries to campaigns")
    async def entries(principal: Admin, brand: Brand, person: Person, after: After = "", limit: Limit = 50) -> KeptEntries:
        return KeptEntries.model_validate(await people.page("entries", principal.check(brand), person, after, limit))

    return router


def register(app: FastAPI, database: Database) -> None:
    """Add the routes to an application."""
    app.include_router(people_routes(MongoPeople(database)))
