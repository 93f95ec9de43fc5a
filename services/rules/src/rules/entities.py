"""What the configuration consists of: immutable values, each with the count of its changes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from rules.domain.guard.severity import HOLD_AT, MIN_EVENTS, NOTIFY_AT

Kind = Literal["brand", "rule", "channel", "segment", "hold", "api_key", "topic", "link", "campaign", "person"]
KINDS: tuple[Kind, ...] = ("brand", "rule", "channel", "segment", "hold", "api_key", "topic", "link", "campaign", "person")

Mode = Literal["auto", "approval", "shadow"]
RuleState = Literal["draft", "active", "paused", "archived"]
CampaignState = Literal["draft", "active", "paused", "closed", "archived"]
TopicKind = Literal["product", "topic", "competitor"]
Flag = Literal["complaint", "praise", "purchase_intent", "question", "spam"]

SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"
"""Ids that people choose: fit for a URL, a record key and a DNS label, and never in need of escaping."""

MAX_PEOPLE = 5_000
"""Entries of each of a brand's lists: with both full, its record still fits into Kafka's usual limit of 1 MB."""

MAX_SEGMENTS = 50
"""Of a brand: every engine holds all of them in memory."""

MAX_TOPICS = 2_000
"""Of a brand: every engine holds the terms of all of them in memory."""

MAX_LINKS = 5_000
"""Of a brand: every engine and every edge holds all of them in memory."""

MAX_CAMPAIGNS = 500
"""Of a brand: every engine holds all of them in memory, archived ones too, since people may still withdraw."""

INSTALLATION = "*"
"""Stands for all brands: in a key's `brands`, and as the owner of the audit entries that concern no single brand."""

_SLUG = re.compile(SLUG)


def is_slug(text: str) -> bool:
    """Tell whether the text may be the id of a brand, rule or channel."""
    return _SLUG.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One configured thing. `generation` counts its changes from 1; `actor` is the key id of who made the last one."""

    kind: ClassVar[Kind]
    id_field: ClassVar[str] = ""
    """The field that tells it apart within its brand; empty where the brand does."""

    brand: str = ""
    generation: int = 1
    changed_time: datetime
    actor: str

    @property
    def name_in_brand(self) -> str:
        """Return the id within the brand, empty for the brand itself."""
        return str(getattr(self, self.id_field)) if self.id_field else ""

    @property
    def key(self) -> str:
        """Return its record key on the configuration topic."""
        return record_key(self.kind, self.brand, self.name_in_brand)


def record_key(kind: Kind, brand: str, name: str) -> str:
    """Return `kind/brand/name`; a brand has no name, an API key no brand."""
    return f"{kind}/{brand}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagTerms:
    """The brand's own words that raise a flag; `language` `*`: in every language."""

    flag: Flag
    language: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteUnderstanding:
    """A brand's own model, asked over HTTPS. `sealed_token` opens for `understanding_owner(brand)` alone; empty: none."""

    url: str
    timeout_ms: int
    sealed_token: str = field(default="", repr=False)

    @property
    def has_token(self) -> bool:
        """Tell whether a token is kept."""
        return bool(self.sealed_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """How the crisis guard watches a brand, and whom it tells. Severities are 1 to 10; `min_events` negative ones in an hour."""

    off: bool = False
    hold_at: int = HOLD_AT
    notify_at: int = NOTIFY_AT
    min_events: int = MIN_EVENTS
    emails: tuple[str, ...] = ()
    url: str = ""
    secret_ref: str = ""


def understanding_owner(brand: str) -> str:
    """Return to whom the token of a brand's model is sealed; no channel's or secret's owner has this form."""
    return f"{brand}/:understanding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand(Entity):
    """A brand; people are listed as `platform:author id`. `disclosures`: language or `default` → words."""

    kind: ClassVar[Kind] = "brand"

    name: str
    mode: Mode = "auto"
    held: bool = False
    held_reason: str = ""
    languages: tuple[str, ...] = ()
    human_pause_seconds: int = 3_600
    blocked_authors: tuple[str, ...] = ()
    opted_out_authors: tuple[str, ...] = ()
    disclosures: Mapping[str, str] = field(default_factory=dict)
    flag_terms: tuple[FlagTerms, ...] = ()
    understanding: RemoteUnderstanding | None = None
    guard: GuardSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletable(Entity):
    """`deleted` ones are kept, so that their generation goes on counting when they are made again."""

    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Deletable):
    """Identity of one of the brand's accounts."""

    kind: ClassVar[Kind] = "channel"
    id_field: ClassVar[str] = "channel"

    channel: str
    platform: str
    account: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Deletable):
    """People that rules name together, as `platform:author id` in order."""

    kind: ClassVar[Kind] = "segment"
    id_field: ClassVar[str] = "segment"

    segment: str
    authors: tuple[str, ...]

    @property
    def size(self) -> int:
        """Return how many people it has."""
        return len(self.authors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(Deletable):
    """What the brand wants told apart: a product, a topic to be watched, a competitor."""

    kind: ClassVar[Kind] = "topic"
    id_field: ClassVar[str] = "topic"

    topic: str
    topic_kind: TopicKind
    name: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Deletable):
    """A tracked link and where it leads; `campaign`: whose clicks they are, empty: none's."""

    kind: ClassVar[Kind] = "link"
    id_field: ClassVar[str] = "link"

    link: str
    url: str
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(Deletable):
    """A campaign with its newest document (canonical JSON), which is in force; its documents are versions.

    `rights_version` counts the wordings of its terms, of which `terms_sha256` is the newest; 0: it never had any.
    """

    kind: ClassVar[Kind] = "campaign"
    id_field: ClassVar[str] = "campaign"

    campaign: str
    name: str
    state: CampaignState
    document: bytes
    latest_version: int = 1
    rights_version: int = 0
    terms_sha256: str = ""

    @property
    def versions_id(self) -> str:
        """Return under which id its versions are kept beside those of rules; no rule's id holds a colon."""
        return f"campaign:{self.campaign}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Entity):
    """Somebody who asked to be forgotten, by reference. `sealed_author` is `platform:author id` until all have forgotten it."""

    kind: ClassVar[Kind] = "person"
    id_field: ClassVar[str] = "person"

    person: str
    sealed_author: str = field(default="", repr=False)
    asked_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Entity):
    """Automation waits for people as far as the scope goes; empty: all. Set by the guard or a person, ended by a person alone.

    `topic` is `kind:id`; `severity` 0: set by a person; `evidence` is JSON; `notice_only`: people are told, nothing is held.
    Whom to tell is taken from the brand when the hold is set, so that a later change of the brand tells nobody twice.
    """

    kind: ClassVar[Kind] = "hold"
    id_field: ClassVar[str] = "hold"

    hold: str
    platform: str = ""
    campaign: str = ""
    topic: str = ""
    rule_id: str = ""
    mode: Mode = "approval"
    active: bool = True
    notice_only: bool = False
    reason: str
    severity: int = 0
    since_time: datetime
    evidence: bytes = b"{}"
    emails: tuple[str, ...] = ()
    url: str = ""
    secret_ref: str = ""
    resumed_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Entity):
    """Where a rule stands; its documents are versions. `active_version` is the last that was active, 0 if none was."""

    kind: ClassVar[Kind] = "rule"
    id_field: ClassVar[str] = "rule_id"

    rule_id: str
    name: str
    state: RuleState
    latest_version: int = 1
    active_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Entity):
    """An API key without its secret."""

    kind: ClassVar[Kind] = "api_key"
    id_field: ClassVar[str] = "key_id"

    key_id: str
    name: str
    secret_sha256: bytes = field(repr=False)
    brands: tuple[str, ...]
    role: str
    expires_time: datetime
    revoked: bool = False
