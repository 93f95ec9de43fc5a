"""Campaigns as they are configured: who may enter, how rights are asked for, who is drawn. Times are unix seconds (UTC)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from publisher.domain.model import Mode


class By(StrEnum):
    """How rights are asked for."""

    REPLY = "reply"
    PRIVATE_REPLY = "private_reply"
    FORM = "form"


class UseKind(StrEnum):
    """What cleared media may be used for."""

    GALLERY = "gallery"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Caps:
    """How many entries count; 0: any number. Days are days of the campaign's zone."""

    per_person: int = 0
    per_person_day: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """How rights are asked for; texts by language or `default`, durations in seconds."""

    version: int
    terms: Mapping[str, str]
    automatic: bool
    by: By
    request: Mapping[str, str]
    reminder: Mapping[str, str]
    answer_seconds: float
    reminder_seconds: float
    granted_seconds: float
    uses: tuple[UseKind, ...]


@dataclass(frozen=True, slots=True)
class Contest:
    """Who is drawn. `every_entry`: each entry of a person takes part, as many as the caps admit; else the earliest alone."""

    winners: int
    alternates: int
    unique_friends: int
    exclude_flagged: bool
    every_entry: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it is configured now. `end`: the close, 0 where it was left open."""

    brand: str
    campaign: str
    name: str
    version: int
    mode: Mode
    zone: ZoneInfo
    start: float
    end: float
    caps: Caps = field(default_factory=Caps)
    terms: Terms | None = None
    contest: Contest | None = None
    deleted: bool = False


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Return the text of a language, of its base (`pt` of `pt-br`), else the default; empty when there is none."""
    return texts.get(language) or texts.get(language.partition("-")[0]) or texts.get("default", "")
