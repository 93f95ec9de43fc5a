"""The campaign as people write it, as JSON or YAML: one readable document, checked whole before it is kept."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from rules.adapters.schema.actions import ModeName
from rules.adapters.schema.conditions import ConditionPart, EventKind, Platform, check_depth
from rules.adapters.schema.fields import (
    Duration,
    Finding,
    Flag,
    Part,
    Slug,
    Zone,
    as_list,
    custom,
    language_tag,
    refuse,
    seconds,
    written,
)
from rules.adapters.schema.text import MAX_TERM
from rules.domain.matching.features import named
from rules.domain.matching.text import fold, is_maskable, patterns
from rules.domain.model import SILENT_KINDS
from rules.domain.templates import PRIVATE_BYTES, PRIVATE_CHARACTERS, PUBLIC_CHARACTERS, excess

_MAX_NAMES = 50
_MAX_PHRASES = 200
_MAX_TERMS_CHARACTERS = 20_000
"""Of the terms in one language: a page that people read; longer ones belong behind a link."""

DEFAULT = "default"
_MOMENT = "%Y-%m-%dT%H:%M"

By = Literal["reply", "private_reply", "form"]
Use = Literal["gallery", "post"]


def _moment(value: object) -> object:
    """Return a local date-time in its one form; seconds are taken and forgotten, a zone is refused."""
    if not isinstance(value, str):
        raise custom("moment", 'write it in quotes as "2026-06-01T00:00", in the campaign\'s time zone')
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise custom("moment", 'write it as "2026-06-01T00:00", in the campaign\'s time zone') from None
    if parsed.tzinfo is not None:
        raise custom("moment", "leave the offset out: the time is in the campaign's `timezone`")
    return parsed.strftime(_MOMENT)


def _name_of(sign: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        folded = fold(value.strip()).removeprefix(sign)
        if named(sign + folded, sign) != {folded}:
            raise custom(what, f"a {what} is one word, with or without {sign}")
        return folded

    return AfterValidator(check)


def _words(value: str) -> str:
    if not value.strip():
        raise custom("text", "an empty text cannot be shown")
    return value


def _by_language(value: object) -> object:
    """Return one text as the default, texts by language under one spelling of their tags."""
    if isinstance(value, str):
        return {DEFAULT: value}
    if isinstance(value, dict):
        return {name if name == DEFAULT else language_tag(name): text for name, text in value.items()}
    return value


def _phrase(value: str) -> str:
    if len(value) > MAX_TERM:
        raise custom("phrase", f"a phrase has at most {MAX_TERM} characters")
    if not patterns(value) or not any(map(str.isalnum, value)):
        raise custom("phrase", "nothing of this phrase is ever found in a text")
    if is_maskable(value):
        raise custom("phrase", "links and handles are left out before phrases are looked for; a hashtag is fine")
    return value


Moment = Annotated[str, BeforeValidator(_moment)]
Hashtag = Annotated[str, Field(max_length=100), _name_of("#", "hashtag"), BeforeValidator(written)]
Mention = Annotated[str, Field(max_length=100), _name_of("@", "handle"), BeforeValidator(written)]
Words = Annotated[str, Field(min_length=1, max_length=_MAX_TERMS_CHARACTERS), AfterValidator(_words)]
Texts = Annotated[dict[str, Words], Field(min_length=1, max_length=60), BeforeValidator(_by_language)]
Phrase = Annotated[str, Field(min_length=1), AfterValidator(_phrase), BeforeValidator(written)]
Phrases = Annotated[list[Phrase], Field(max_length=_MAX_PHRASES), BeforeValidator(as_list)]
Cap = Annotated[StrictInt, Field(ge=0, le=100_000_000)]


class CapsPart(Part):
    """How many entries count; 0: any number. Days are those of the campaign's zone."""

    per_person: Cap = 0
    per_person_day: Cap = 0
    total: Cap = 0


class PhrasesPart(Part):
    """What people write in answer, in one language (`*`: in every one)."""

    language: Annotated[str, BeforeValidator(lambda tag: tag if tag == "*" else language_tag(tag))] = "*"
    granted: Phrases = []
    refused: Phrases = []
    withdrawn: Phrases = []


class RightsPart(Part):
    """The rights that are asked for, in which words, and how people answer."""

    terms: Texts
    automatic: Flag = False
    by: By = "reply"
    request: Texts | None = None
    reminder: Texts | None = None
    answer_within: Duration = "7d"
    remind_after: Duration | None = None
    granted_for: Duration | None = None
    phrases: Annotated[list[PhrasesPart], Field(max_length=60)] = []
    uses: Annotated[list[Use], Field(min_length=1), BeforeValidator(as_list)] = ["gallery"]

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse([*self._request_findings(), *self._time_findings(), *phrase_findings(self.phrases)])
        return self

    def _request_findings(self) -> Iterator[Finding]:
        if self.by != "form" and self.request is None:
            yield ("request",), "missing", "write the words by which people are asked, or ask `by: form`"
        if self.phrases and not any(part.granted for part in self.phrases):
            yield ("phrases",), "phrases", "no phrase grants anything; leave `phrases` out for the usual ones"

    def _time_findings(self) -> Iterator[Finding]:
        if self.remind_after is None:
            if self.reminder is not None:
                yield ("remind_after",), "missing", "say after how long the reminder is sent"
        elif seconds(self.remind_after) >= seconds(self.answer_within):
            yield ("remind_after",), "duration", "must be shorter than `answer_within`, after which nobody is asked any more"
        elif self.reminder is None:
            yield ("reminder",), "missing", "write the words of the reminder, or leave `remind_after` out"


def phrase_findings(parts: list[PhrasesPart]) -> Iterator[Finding]:
    """Yield phrases that say two things, and granting ones inside which a refusal stands."""
    against = {form: phrase for part in parts for phrase in (*part.refused, *part.withdrawn) for form in patterns(phrase)}
    for place, part in enumerate(parts):
        for number, phrase in enumerate(part.granted):
            said = [against[form] for form in against if any(f" {form} " in f" {own} " for own in patterns(phrase))]
            if said:
                told = f"{said[0]!r} refuses or withdraws, so this can never grant; take one of them out"
                yield ("phrases", place, "granted", number), "conflict", told
        both = set(map(fold, part.refused)) & set(map(fold, part.withdrawn))
        if both:
            yield ("phrases", place, "withdrawn"), "conflict", f"{min(both)!r} also refuses; it can say only one of them"


class ContestPart(Part):
    """How winners are drawn."""

    winners: Annotated[StrictInt, Field(ge=1, le=10_000)]
    alternates: Annotated[StrictInt, Field(ge=0, le=10_000)] = 0
    unique_friends: Annotated[StrictInt, Field(ge=0, le=50)] = 0
    exclude_flagged: Flag = True
    every_entry: Flag = False


class CampaignDocument(Part):
    """A campaign as people write it; `start` and `end` are local times of `timezone`."""

    id: Slug
    name: Annotated[str, Field(min_length=1, max_length=80)]
    mode: ModeName = "auto"
    timezone: Zone
    start: Moment
    end: Moment | None = None
    hashtags: Annotated[list[Hashtag], Field(max_length=_MAX_NAMES), BeforeValidator(as_list)] = []
    mentions: Annotated[list[Mention], Field(max_length=_MAX_NAMES), BeforeValidator(as_list)] = []
    form: Flag = False
    platforms: Annotated[list[Platform], Field(max_length=50), BeforeValidator(as_list)] = []
    channels: Annotated[list[Slug], Field(max_length=200), BeforeValidator(as_list)] = []
    kinds: Annotated[list[EventKind], Field(max_length=50), BeforeValidator(as_list)] = []
    eligibility: Annotated[ConditionPart | None, BeforeValidator(check_depth)] = None
    caps: CapsPart = CapsPart()
    rights: RightsPart | None = None
    contest: ContestPart | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, value: object) -> object:
        """Take a key without content (`rights:` in YAML) for a key that is not there."""
        return {name: part for name, part in value.items() if part is not None} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse([*self._trigger_findings(), *self._time_findings(), *self._length_findings()])
        return self

    def _trigger_findings(self) -> Iterator[Finding]:
        if not self.hashtags and not self.mentions and not self.form:
            yield ("hashtags",), "missing", "nothing brings an entry in: give `hashtags`, `mentions` or `form: true`"
        for name in ("hashtags", "mentions"):
            twice = [value for value, count in Counter(getattr(self, name)).items() if count > 1]
            if twice:
                yield (name,), "twice", f"{twice[0]!r} stands here twice"
        silent = [kind for kind in self.kinds if kind in SILENT_KINDS - {"submission"}]
        if silent:
            yield ("kinds",), "kinds", f"a {silent[0]} holds nothing that could be entered"

    def _time_findings(self) -> Iterator[Finding]:
        for name in ("start", "end"):
            if getattr(self, name) is not None and not _exists(self._local(name)):
                yield (
                    (name,),
                    "moment",
                    f"there is no such time in {self.timezone}: the clocks go forward then; take an hour later",
                )
        if self.end is None:
            if self.contest is not None:
                yield ("end",), "missing", "a contest needs an end, after which its winners are drawn"
        elif self.end_seconds <= self.start_seconds:
            yield ("end",), "moment", "ends before it starts"

    def _length_findings(self) -> Iterator[Finding]:
        rights = self.rights
        if rights is None or rights.by == "form":
            return
        private = rights.by == "private_reply"
        platforms: Sequence[str] = self.platforms or sorted(
            {*PRIVATE_CHARACTERS, *PRIVATE_BYTES} if private else PUBLIC_CHARACTERS
        )
        for name, texts in (("request", rights.request), ("reminder", rights.reminder)):
            for language, text in (texts or {}).items():
                excessive = excess(len(text), len(text.encode()), platforms, private=private)
                if excessive:
                    yield ("rights", name, language), "too_long", f"has {excessive}; write it shorter, or ask on fewer platforms"

    def _local(self, name: str) -> datetime:
        return datetime.strptime(getattr(self, name), _MOMENT).replace(tzinfo=ZoneInfo(self.timezone))

    @property
    def start_seconds(self) -> float:
        """Return the start in unix seconds; of two such times in an autumn night the first."""
        return self._local("start").timestamp()

    @property
    def end_seconds(self) -> float:
        """Return the end in unix seconds, 0: none."""
        return self._local("end").timestamp() if self.end is not None else 0.0


def _exists(local: datetime) -> bool:
    return datetime.fromtimestamp(local.timestamp(), local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)


def parse_campaign(document: bytes | Mapping[str, Any]) -> CampaignDocument:
    """Return the checked document. Raises pydantic's ValidationError; its locations are the places in the document."""
    return CampaignDocument.model_validate(orjson.loads(document) if isinstance(document, bytes) else document)


def campaign_bytes(document: CampaignDocument) -> bytes:
    """Return the canonical JSON of a document: what its author wrote, short forms written out, keys sorted."""
    content = document.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
