"""The rule document: what a marketer writes, as JSON or YAML, checked whole before it is kept.

Every default is part of the meaning of stored documents and never changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BeforeValidator, Field, StrictInt, model_validator

from rules.adapters.schema.actions import ActionPart, ModeName
from rules.adapters.schema.conditions import ConditionPart, LimitPart, SchedulePart, WherePart, check_depth
from rules.adapters.schema.fields import Duration, Finding, Flag, Number, Part, Slug, refuse, seconds
from rules.adapters.schema.text import MAX_EXPRESSIONS, MAX_TERMS
from rules.domain.acting import PRIVATE_KINDS
from rules.domain.decision import Mode
from rules.domain.model import SILENT_KINDS, Experiment, Rule
from rules.domain.templates import PUBLIC_CHARACTERS, excess, unfilled, worst_case

MAX_ACTIONS = 20


class ExamplePart(Part):
    """A text and whether the rule acts on it."""

    text: str = Field(max_length=8000)
    language: str = Field("", max_length=35)
    acts: Flag


class ExperimentPart(Part):
    """The rule acts for this share of authors, always the same ones; rules of one experiment share its draw."""

    share: Annotated[Number, Field(ge=0, le=1)]
    experiment: Slug


class RuleDocument(Part):
    """A rule as people write it."""

    id: Slug
    name: str = Field("", max_length=200)
    state: Literal["draft", "active", "paused", "archived"] = "draft"
    priority: StrictInt = Field(100, ge=0, le=1_000_000)
    mode: ModeName = "auto"
    freshness: Duration = "24h"
    where: WherePart = WherePart()
    when: Annotated[ConditionPart | None, BeforeValidator(check_depth)] = None
    schedule: SchedulePart | None = None
    limits: list[LimitPart] = Field([], max_length=20)
    then: list[ActionPart] = Field(min_length=1, max_length=MAX_ACTIONS)
    stop: Flag = False
    test: ExperimentPart | None = None
    examples: list[ExamplePart] = Field([], max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, value: object) -> object:
        """Take a key without content (`where:` in YAML) for a key that is not there."""
        return {name: part for name, part in value.items() if part is not None} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = (
            self._size_findings(),
            self._kind_findings(),
            self._delay_findings(),
            self._length_findings(),
            self._campaign_findings(),
        )
        refuse(finding for part in findings for finding in part)
        return self

    def _size_findings(self) -> Iterator[Finding]:
        texts = self.when.texts() if self.when is not None else []
        if sum(text.terms() for text in texts) > MAX_TERMS:
            yield ("when",), "too_many_terms", f"a rule has at most {MAX_TERMS} terms"
        if sum(text.expressions() for text in texts) > MAX_EXPRESSIONS:
            yield ("when",), "too_many_terms", f"a rule has at most {MAX_EXPRESSIONS} regular expressions; join some by |"

    def _kind_findings(self) -> Iterator[Finding]:
        silent = sorted(SILENT_KINDS.intersection(self.where.kinds))
        for place, action in enumerate(self.then if silent else []):
            if action.timed is not None or action.request_rights is not None:
                told = f"a {silent[0]} cannot be answered or moderated; only tag, handoff, notify and enter act on it"
                yield ("then", place, action.name), "unanswerable", f"{told}. Make a rule of its own for {', '.join(silent)}"

    def _delay_findings(self) -> Iterator[Finding]:
        for place, action in enumerate(self.then):
            content = action.timed
            if content is not None and content.delay_seconds[1] >= seconds(self.freshness):
                yield (
                    ("then", place, action.name, "delay"),
                    "delay",
                    "longer than the rule's freshness, so it would always be too late",
                )

    def _length_findings(self) -> Iterator[Finding]:
        for place, action in enumerate(self.then):
            for name, part in (("reply", action.reply), ("private_reply", action.private_reply)):
                for language, variants in part.text.items() if part is not None else ():
                    for number, template in enumerate(variants):
                        excessive = self._excess(template, private=name == "private_reply")
                        if excessive:
                            yield ("then", place, name, "text", language, number), "too_long", f"can become {excessive}"

    def _campaign_findings(self) -> Iterator[Finding]:
        """Yield texts that name the campaign of a rule that is about none."""
        if any(action.enter or action.request_rights for action in self.then):
            return
        for place, action in enumerate(self.then):
            for name, part in (("reply", action.reply), ("private_reply", action.private_reply)):
                for language, variants in part.text.items() if part is not None else ():
                    for number, template in enumerate(variants):
                        for missing in unfilled(template):
                            told = f"{{{{{missing}}}}} needs a default, as no action of the rule is for a campaign"
                            yield ("then", place, name, "text", language, number), "template", told

    def _excess(self, template: str, *, private: bool) -> str:
        platforms: Sequence[str] = self.where.platforms or sorted(PUBLIC_CHARACTERS)
        private = private or any(kind in PRIVATE_KINDS for kind in self.where.kinds)
        return excess(*worst_case(template), platforms, private=private)

    def to_domain(self, brand: str, version: int) -> Rule:
        """Return what the evaluator reads."""
        return Rule(
            rule_id=self.id,
            version=version,
            brand=brand,
            name=self.name,
            priority=self.priority,
            where=self.where.to_domain(),
            when=self.when.to_domain() if self.when is not None else None,
            schedule=self.schedule.to_domain() if self.schedule is not None else None,
            limits=tuple(limit.to_domain() for limit in self.limits),
            then=tuple(action.to_domain() for action in self.then),
            stop=self.stop,
            freshness_seconds=seconds(self.freshness),
            mode=Mode(self.mode),
            test=Experiment(self.test.experiment, float(self.test.share)) if self.test is not None else None,
        )


def parse_document(document: bytes | Mapping[str, Any]) -> RuleDocument:
    """Return the checked document. Raises pydantic's ValidationError; its locations are the places in the document."""
    if not isinstance(document, bytes):
        return RuleDocument.model_validate(document)
    content: object = None
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        refuse([((), "json", f"not JSON: {error}")])
    return RuleDocument.model_validate(content)


def to_rule(brand: str, version: int, document: bytes | Mapping[str, Any]) -> Rule:
    """Return one version of a brand's rule as the evaluator reads it. Raises ValueError (ValidationError) when it is none."""
    return parse_document(document).to_domain(brand, version)


def document_bytes(document: RuleDocument | Mapping[str, Any]) -> bytes:
    """Return the canonical JSON of a document: what its author wrote, short forms written out, keys sorted."""
    checked = document if isinstance(document, RuleDocument) else parse_document(document)
    return orjson.dumps(
        checked.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True), option=orjson.OPT_SORT_KEYS
    )
