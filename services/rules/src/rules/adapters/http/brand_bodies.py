"""Bodies of brands: their settings in, without their secret out."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from antiphon.seal import Sealer
from rules.adapters.http.bodies import Changed, In, Name, Out, Printable, Slug
from rules.domain.guard.severity import HOLD_AT, MIN_EVENTS, NOTIFY_AT
from rules.entities import Flag, FlagTerms, GuardSettings, Mode, understanding_owner
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


def _https_or_none(url: str) -> str:
    return _https(url) if url else url


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


Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$")]
"""What HTML calls a valid e-mail address, without quoted forms: nothing that could begin a header of its own."""

Severity = Annotated[int, Field(ge=1, le=10)]


class GuardIn(In):
    """How the crisis guard watches the brand, and whom it tells: by e-mail, and by a webhook signed with the brand's secret."""

    off: bool = False
    hold_at: Severity = HOLD_AT
    notify_at: Severity = NOTIFY_AT
    min_events: Annotated[int, Field(ge=1, le=1_000_000)] = MIN_EVENTS
    emails: Annotated[list[Address], Field(max_length=20)] = []
    url: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,500}$"), AfterValidator(_https_or_none)] = ""
    secret_ref: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9-]{0,62})?$")] = ""

    @model_validator(mode="after")
    def _whole(self) -> "GuardIn":
        if self.notify_at > self.hold_at:
            raise ValueError("people are told no later than automation is held: notify_at is at most hold_at")
        if self.url and not self.secret_ref:
            raise ValueError("a webhook is signed: name the brand's secret in secret_ref")
        return self

    def settings(self) -> GuardSettings:
        """Return them as the entity takes them."""
        return GuardSettings(
            off=self.off,
            hold_at=self.hold_at,
            notify_at=self.notify_at,
            min_events=self.min_events,
            emails=tuple(dict.fromkeys(self.emails)),
            url=self.url,
            secret_ref=self.secret_ref,
        )


class BrandValues(In):
    """What can be set of a brand."""

    name: Name
    mode: Mode = "auto"
    languages: Annotated[list[Language], Field(max_length=50)] = []
    human_pause_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 3_600
    disclosures: Annotated[dict[LanguageOrDefault, Disclosure], Field(max_length=50)] = {}
    flag_terms: Annotated[list[FlagTermsBody], Field(max_length=100), AfterValidator(_not_too_much)] = []
    understanding: RemoteModelIn | None = None
    guard: GuardIn | None = None

    def values(self, brand: str, sealer: Sealer) -> dict[str, Any]:
        """Return the fields that were sent as the entity takes them; the rest is as it is by default, or stays."""
        taken: dict[str, Any] = {
            "languages": tuple(self.languages),
            "flag_terms": tuple(
                FlagTerms(flag=one.flag, language=one.language, terms=tuple(one.terms)) for one in self.flag_terms
            ),
            "guard": self.guard and self.guard.settings(),
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
                "guard": {"hold_at": 7, "notify_at": 5, "emails": ["social@acme.example"]},
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


class GuardOut(Out):
    """How the crisis guard watches the brand."""

    off: bool
    hold_at: int
    notify_at: int
    min_events: int
    emails: tuple[str, ...]
    url: str
    secret_ref: str


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
    guard: GuardOut | None


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
