"""`then` of a rule document."""

import re
from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from rules.adapters.schema_fields import DelayText, Label, Later, Part, as_list, custom, delay_seconds
from rules.domain import model
from rules.domain.acting import DEFAULT
from rules.domain.decision import Mode
from rules.domain.templates import TemplateError, unfilled

MAX_VARIANTS = 20
_MAX_LANGUAGES = 60
_MAX_CHARACTERS = 8000
"""No platform that is answered takes more."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")
_MODERATION: dict[str, Callable[[Mode, model.Delay], model.RuleAction]] = {
    "hide": model.Hide,
    "unhide": model.Unhide,
    "like": model.Like,
    "delete": model.Delete,
}

ModeName = Literal["auto", "approval", "shadow"]


def _template(value: str) -> str:
    try:
        missing = unfilled(value)
    except TemplateError as error:
        raise custom("template", str(error)) from error
    if missing:
        raise custom("template", f"{{{{{missing[0]}}}}} needs a default, as nothing fills it yet: {{{{{missing[0]}|…}}}}")
    if not value.strip():
        raise custom("template", "an empty text cannot be posted")
    return value


def _texts(value: object) -> object:
    """Return any of the short forms (one text, a list) as texts by language."""
    if isinstance(value, str | list):
        return {DEFAULT: as_list(value)}
    if isinstance(value, dict):
        return {_language(name): as_list(texts) for name, texts in value.items()}
    return value


def _language(name: object) -> str:
    if isinstance(name, bool):
        raise custom("quote", "put the language in quotes: YAML reads no as false")
    tag = str(name).lower().replace("_", "-")
    if tag != DEFAULT and not _LANGUAGE.fullmatch(tag):
        raise custom("language", f'{tag!r} is no language tag; write "en", "pt-BR" or "{DEFAULT}"')
    return tag


Template = Annotated[str, Field(min_length=1, max_length=_MAX_CHARACTERS), AfterValidator(_template)]
Variants = Annotated[list[Template], Field(min_length=1, max_length=MAX_VARIANTS)]


class ModerationPart(Part):
    """How and when."""

    mode: ModeName = "auto"
    delay: DelayText | None = None

    @property
    def delay_seconds(self) -> model.Delay:
        """Return shortest and longest wait."""
        return delay_seconds(self.delay) if self.delay else (0.0, 0.0)


class DeletePart(ModerationPart):
    """Deleting asks a person first."""

    mode: ModeName = "approval"

    @field_validator("mode")
    @classmethod
    def _asks(cls, value: str) -> str:
        if value == "auto":
            raise custom("mode", "delete always needs approval")
        return value


class ReplyPart(ModerationPart):
    """Texts by language, several variants each."""

    text: Annotated[dict[str, Variants], Field(min_length=1, max_length=_MAX_LANGUAGES), BeforeValidator(_texts)]

    @property
    def texts(self) -> model.Texts:
        """Return language → variants."""
        return {language: tuple(variants) for language, variants in self.text.items()}


class HandoffPart(Part):
    """Who takes over."""

    queue: Label
    note: str = Field("", max_length=2000)


class ActionPart(Part):
    """One action: exactly one of its fields is given."""

    reply: ReplyPart | None = None
    private_reply: ReplyPart | None = None
    hide: ModerationPart | None = None
    unhide: ModerationPart | None = None
    like: ModerationPart | None = None
    delete: DeletePart | None = None
    tag: Annotated[list[Label], Field(min_length=1, max_length=20), BeforeValidator(as_list)] | None = None
    handoff: HandoffPart | None = None
    enter: Later = None
    request_rights: Later = None
    notify: Later = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """Take `hide` and `hide:` for `hide: {}`."""
        if isinstance(value, str) and value in _MODERATION:
            return {value: {}}
        if isinstance(value, dict) and len(value) == 1:
            name, content = next(iter(value.items()))
            return {name: {}} if name in _MODERATION and content is None else value
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise custom("one_of", "give exactly one action in each item")
        return self

    @property
    def timed(self) -> ModerationPart | None:
        """Return the content of an action that happens on the platform, else None."""
        return self.reply or self.private_reply or self.hide or self.unhide or self.like or self.delete

    def to_domain(self) -> model.RuleAction:
        """Return what the evaluator reads."""
        if self.tag is not None:
            return model.Tag(tags=tuple(self.tag))
        if self.handoff is not None:
            return model.Handoff(queue=self.handoff.queue, note=self.handoff.note)
        return self._answer() or self._moderation()

    def _answer(self) -> model.Reply | model.PrivateReply | None:
        if self.reply is not None:
            return model.Reply(Mode(self.reply.mode), self.reply.delay_seconds, texts=self.reply.texts)
        if self.private_reply is not None:
            private = self.private_reply
            return model.PrivateReply(Mode(private.mode), private.delay_seconds, texts=private.texts)
        return None

    def _moderation(self) -> model.RuleAction:
        name, action = next((name, action) for name, action in _MODERATION.items() if getattr(self, name) is not None)
        part: ModerationPart = getattr(self, name)
        return action(Mode(part.mode), part.delay_seconds)
