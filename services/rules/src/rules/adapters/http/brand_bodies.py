"""Bodies of brands: their settings in, without their secret out."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, StringConstraints

from antiphon.seal import Sealer
from rules.adapters.http.bodies import Changed, In, Name, Out, Printable, Slug
from rules.entities import Flag, FlagTerms, Mode, understanding_owner
from rules.remote import RemoteChange

_MOST_TERM_BYTES = 65_536
"""Of all of a brand's own words, in UTF-8: with full lists of people beside them its record still fits into 1 MB."""

_LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"

Language = Annotated[str, StringConstraints(pattern=rf"^{_LANGUAGE}$")]
LanguageOrDefault = Annotated[str, StringConstraints(pattern=rf"^({_LANGUAGE}|default)$")]
LanguageOrAll = Annotated[str, StringConstraints(pattern=rf"^({_LANGUAGE}|\*)$")]
Disclosure = Annotated[str, Printable, StringConstraints(min_length=1, max_length=200)]
Term = Annotated[str, Printable, StringConstraints(min_length=1, max_length=80)]


def _https(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError("must be https://host/…, without user or fragment")
    return url


class FlagTermsBody(In):
    """The brand's own words that raise a flag, beside the shipped ones; `language` `*`: in every language."""

    model_config = ConfigDict(from_attributes=True)

    flag: Flag
    language: LanguageOrAll
    terms: Annotated[list[Term], Field(min_length=1, max_length=500, strict=False)]


class RemoteModelIn(In):
    """The brand's own model. `token` left out: the one that is kept stays; null: none."""

    url: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,500}$"), AfterValidator(_https)]
    timeout_ms: Annotated[int, Field(ge=10, le=2_000)] = 200
    token: Annotated[SecretStr | None, Field(min_length=1, max_length=4_096)] = None

    def change(self, brand: str, sealer: Sealer) -> RemoteChange:
        """Return the change, its token sealed to the brand."""
        sealed = sealer.seal(self.token, understanding_owner(brand)) if self.token else ""
        kept = "token" not in self.model_fields_set
        return RemoteChange(url=self.url, timeout_ms=self.timeout_ms, sealed_token=None if kept else sealed)


def _not_too_much(terms: list[FlagTermsBody]) -> list[FlagTermsBody]:
    if sum(len(term.encode()) for one in terms for term in one.terms) > _MOST_TERM_BYTES:
        raise ValueError(f"all terms together have at most {_MOST_TERM_BYTES} bytes")
    return terms


class BrandValues(In):
    """What can be set of a brand."""

    name: Name
    mode: Mode = "auto"
    languages: Annotated[list[Language], Field(max_length=50)] = []
    human_pause_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 3_600
    disclosures: Annotated[dict[LanguageOrDefault, Disclosure], Field(max_length=50)] = {}
    flag_terms: Annotated[list[FlagTermsBody], Field(max_length=100), AfterValidator(_not_too_much)] = []
    understanding: RemoteModelIn | None = None

    def values(self, brand: str, sealer: Sealer) -> dict[str, Any]:
        """Return the fields that were sent as the entity takes them; the rest is as it is by default, or stays."""
        taken: dict[str, Any] = {
            "languages": tuple(self.languages),
            "flag_terms": tuple(
                FlagTerms(flag=one.flag, language=one.language, terms=tuple(one.terms)) for one in self.flag_terms
            ),
            "understanding": self.understanding and self.understanding.change(brand, sealer),
        }
        return {name: taken.get(name, getattr(self, name)) for name in sorted(self.model_fields_set - {"id"})}


class NewBrand(BrandValues):
    """A brand to create."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "acme",
                "name": "Acme",
                "mode": "approval",
                "languages": ["en", "de"],
                "human_pause_seconds": 3600,
                "disclosures": {"default": "(automatic answer)", "de": "(automatische Antwort)"},
                "flag_terms": [{"flag": "purchase_intent", "language": "en", "terms": ["drop date"]}],
                "understanding": {"url": "https://models.acme.example/understand", "timeout_ms": 200, "token": "s3cret"},
            }
        }
    )

    id: Slug


class BrandPatch(BrandValues):
    """What to change; what is left out stays."""

    name: Name = ""


class RemoteModelOut(Out):
    """The brand's own model; its token is never shown."""

    url: str
    timeout_ms: int
    has_token: bool


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


class BrandSettings(BrandLine):
    """A brand with its settings."""

    disclosures: dict[str, str]
    flag_terms: list[FlagTermsBody]
    understanding: RemoteModelOut | None


class BrandOut(BrandSettings):
    """A brand."""

    blocked_authors: tuple[str, ...]
    opted_out_authors: tuple[str, ...]


class BrandChanged(BrandSettings, Changed):
    """A changed brand."""


class Brands(Out):
    """A page of brands; `next` is null on the last."""

    items: list[BrandLine]
    next: str | None
