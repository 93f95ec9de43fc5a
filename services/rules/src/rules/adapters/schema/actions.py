"""`then` of a rule document."""

import re
from collections.abc import Callable
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from rules.adapters.schema.fields import DelayText, Label, Part, Slug, as_list, custom, delay_seconds, language_tag
from rules.domain import model
from rules.domain.acting import DEFAULT
from rules.domain.decision import Mode
from rules.domain.templates import FILLED, OF_CAMPAIGN, TemplateError, unfilled

MAX_VARIANTS = 20
_MAX_LANGUAGES = 60
_MAX_CHARACTERS = 8000
"""No platform that is answered takes more."""

_MAX_ADDRESS = 2048
"""Characters of a URL; servers take no longer ones."""

_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
_LAST_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
"""Starts with a letter, unlike an address in numbers, however that is written (127.1, 0x7f000001, 2130706433)."""

_MODERATION: dict[str, Callable[[Mode, model.Delay], model.RuleAction]] = {
    "hide": model.Hide,
    "unhide": model.Unhide,
    "like": model.Like,
    "delete": model.Delete,
}

ModeName = Literal["auto", "approval", "shadow"]


def _template(value: str) -> str:
    try:
        missing = unfilled(value, FILLED | OF_CAMPAIGN)
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
    return DEFAULT if name == DEFAULT else language_tag(name)


def _address(value: str) -> str:
    """Return the URL of a webhook; the names it resolves to are checked when it is called."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise custom("url", "no URL; write it as https://example.com/path") from None
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        raise custom("url", "a URL has neither spaces nor letters beyond ASCII; write them percent-encoded")
    if parts.scheme != "https" or not value.startswith("https://"):
        raise custom("url", "must begin with https://")
    if "@" in parts.netloc:
        raise custom("url", "must hold no user or password; the secret is named by secret_ref")
    if "#" in value:
        raise custom("url", "must have no fragment (#…), which is never sent")
    if not _is_host(parts.hostname or "") or port == 0:
        raise custom("url", "needs the name of a host, not an address in numbers")
    return value


def _is_host(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    return all(map(_HOST_LABEL.fullmatch, labels)) and _LAST_LABEL.fullmatch(labels[-1]) is not None


Address = Annotated[str, Field(max_length=_MAX_ADDRESS), AfterValidator(_address)]
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


class CampaignPart(Part):
    """Which campaign of the brand."""

    campaign: Slug


class NotifyPart(Part):
    """Where a signed webhook goes, and the name of the brand's secret that signs it."""

    url: Address
    secret_ref: Slug


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
    enter: CampaignPart | None = None
    request_rights: CampaignPart | None = None
    notify: NotifyPart | None = None

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
    def name(self) -> str:
        """Return the word for the action."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

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
        if self.enter is not None:
            return model.Enter(campaign=self.enter.campaign)
        if self.request_rights is not None:
            return model.RequestRights(campaign=self.request_rights.campaign)
        if self.notify is not None:
            return model.Notify(url=self.notify.url, secret_ref=self.notify.secret_ref)
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
