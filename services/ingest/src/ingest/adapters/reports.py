"""`/v1/conversions` and the submissions of campaigns' forms: what the brand's own systems report."""

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path
from pydantic import AwareDatetime, Field, TypeAdapter, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from antiphon.auth import Editor, Principal
from antiphon.links import MAX_CODE_LENGTH
from antiphon.problems import Problem
from ingest.adapters.bodies import SLUG, Body
from ingest.domain import Author, Media
from ingest.reports import Conversion, Refusal, Refused, ReportService, Submission

MAX_CONVERSIONS = 100
"""Of one request: what fits into the acknowledgement's deadline with room to spare."""

_MAX_VALUE = 1e12
"""Larger sums are slips of units; and doubles hold cents exactly up to a thousand times this."""

_OPAQUE = r"^[!-~]{1,200}$"
"""Ids of other systems: visible ASCII."""

_Brand = Annotated[str, Path(pattern=SLUG)]
_Campaign = Annotated[str, Path(pattern=SLUG)]


class ConversionBody(Body):
    """A conversion. `reference` is your own id of it: reporting it again changes nothing."""

    brand: str = Field(pattern=SLUG)
    reference: str = Field(pattern=_OPAQUE, description="such as an order number; no name, no address")
    value: float = Field(default=0, ge=0, le=_MAX_VALUE, allow_inf_nan=False)
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$", description="ISO 4217")
    time: AwareDatetime | None = Field(default=None, description="when it happened; left out: now")
    click: str = Field(default="", pattern=r"^([0-9a-f]{64})?$", description="what `{click}` in the link's URL was filled with")
    code: str = Field(default="", max_length=MAX_CODE_LENGTH, description="the code of the tracked link")
    visitor: str = Field(default="", pattern=r"^[!-~]{0,200}$", description="your own pseudonym of the visitor")

    @model_validator(mode="after")
    def _currency_of_value(self) -> "ConversionBody":
        if self.value and not self.currency:
            raise ValueError("a value needs its currency, such as EUR")
        return self


_Conversions = TypeAdapter(Annotated[list[ConversionBody], Field(min_length=1, max_length=MAX_CONVERSIONS)])


def _one_or_many(value: object, _: ValidatorFunctionWrapHandler) -> ConversionBody | list[ConversionBody]:
    """Judge the form that was sent: a union would complain about both."""
    return _Conversions.validate_python(value) if isinstance(value, list) else ConversionBody.model_validate(value)


OneOrMany = Annotated[
    ConversionBody | Annotated[list[ConversionBody], Field(min_length=1, max_length=MAX_CONVERSIONS)],
    WrapValidator(_one_or_many),
]


class PersonBody(Body):
    """Who entered. `id` is your own pseudonym, the same for each of a person's entries."""

    id: str = Field(pattern=_OPAQUE)
    name: str = Field(default="", max_length=200)


class MediaBody(Body):
    """A picture or film of the entry, where it can be fetched."""

    type: Literal["image", "video"]
    url: str = Field(pattern=r"^https://[!-~]{1,2000}$")


class SubmissionBody(Body):
    """An entry. `reference` is your own id of it: sending it again changes nothing."""

    reference: str = Field(pattern=_OPAQUE)
    person: PersonBody
    text: str = Field(default="", max_length=10_000)
    media: list[MediaBody] = Field(default=[], max_length=10)
    time: AwareDatetime | None = Field(default=None, description="when it was sent; left out: now")


def register_routes(app: FastAPI, service: ReportService) -> None:
    """Add the routes. What is answered with 202 is durable and will be counted in a moment."""

    @app.post("/v1/conversions", status_code=202)
    async def report_conversions(principal: Editor, body: OneOrMany) -> dict[str, Any]:
        many = isinstance(body, list)
        bodies = body if isinstance(body, list) else [body]
        reports = [_conversion(principal, one) for one in bodies]
        found = await service.convert(reports)
        if isinstance(found, Refused):
            raise _conversion_problem(found, reports[found.position], f"/{found.position}" if many else "")
        shown = [
            {"brand": one.brand, "reference": one.reference, "event_id": event} for one, event in zip(reports, found, strict=True)
        ]
        return {"items": shown}

    @app.post("/v1/brands/{brand}/campaigns/{campaign}/submissions", status_code=202)
    async def submit_entry(principal: Editor, brand: _Brand, campaign: _Campaign, body: SubmissionBody) -> dict[str, Any]:
        principal.check(brand)
        media = [Media(one.type, one.url) for one in body.media]
        person = Author(body.person.id, body.person.name)
        found = await service.submit(Submission(brand, campaign, body.reference, person, body.text, media, body.time))
        if isinstance(found, Refused):
            raise _submission_problem(found, campaign)
        return {"reference": body.reference, "event_id": found}


def _conversion(principal: Principal, body: ConversionBody) -> Conversion:
    principal.check(body.brand)
    return Conversion(**body.model_dump())


def _conversion_problem(found: Refused, report: Conversion, place: str) -> Problem:
    if found.refusal is Refusal.NO_BRAND:
        return Problem(404, "not_found", f"There is no brand {report.brand!r} for this key.")
    if found.refusal is Refusal.BAD_CODE:
        return _invalid(f"{place}/code", "this is no code of the brand's links: send what follows /l/, unchanged")
    return _invalid(f"{place}/time", "this is in the future: send the moment with its zone, or leave it out")


def _submission_problem(found: Refused, campaign: str) -> Problem:
    if found.refusal is Refusal.NO_CAMPAIGN:
        return Problem(404, "not_found", f"There is no campaign {campaign!r} of this brand.")
    if found.refusal is Refusal.NO_FORM:
        return Problem(409, "no_form", "The campaign takes no entries by form; switch its form on.")
    if found.refusal is Refusal.NOT_OPEN:
        return Problem(409, "not_open", found.detail)
    return _invalid("/time", "this is in the future: send the moment with its zone, or leave it out")


def _invalid(pointer: str, detail: str) -> Problem:
    errors = [{"pointer": pointer, "detail": detail}]
    return Problem(422, "invalid", "The request does not have the form it must have; see errors.", errors=errors)
