"""From a rule's `then` to actions for one event: mode, words, time. What cannot be done has its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from antiphon.ids import action_id
from rules.domain.decision import Action, Mode, Reason, RuleLimit
from rules.domain.event import Event, Understanding
from rules.domain.model import Answer, Delete, Handoff, PrivateReply, Rule, RuleAction, Tag, Texts
from rules.domain.state import AUTHOR_SCOPES, AuthorState, give_variant
from rules.domain.templates import excess, first_name, render

PRIVATE_KINDS = frozenset({"message", "story_mention"})
"""Kinds of events in a private conversation: there, also a plain reply has the limits of private messages."""

DEFAULT = "default"
"""The template language for every language that has none of its own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one action of a rule cannot be done."""

    reason: Reason
    detail: str


class _Words(NamedTuple):
    text: str
    language: str
    variant: int
    variants: int


_NO_WORDS = _Words("", "", 0, 0)


@dataclass(slots=True)
class Situation:
    """All that an action depends on besides its rule; `state` moves on with each action."""

    event: Event
    understanding: Understanding
    brand_mode: Mode
    state: AuthorState


def build_action(situation: Situation, rule: Rule, position: int) -> Action | Refusal:
    """Return the action at `position` of the rule, or why there is none; the situation's state is then the one after it."""
    event, template = situation.event, rule.then[position]
    words = _NO_WORDS
    if isinstance(template, Answer):
        chosen = _words(situation, template, rule, position)
        if isinstance(chosen, Refusal):
            return chosen
        words = chosen
        if words.variants > 1:
            situation.state = _after(situation, rule, position, words.variant)
    return Action(
        action_id=action_id(event.brand, event.event_id, rule.rule_id, position),
        rule_id=rule.rule_id,
        rule_version=rule.version,
        position=position,
        kind=template.kind,
        mode=_mode(template, rule, situation.brand_mode),
        text=words.text,
        language=words.language,
        variant=words.variant,
        not_before=event.received_time + _delay(template, event, rule, position),
        expires=event.event_time + rule.freshness_seconds,
        limits=crossing_limits(rule) if rule.limits else (),
        tags=template.tags if isinstance(template, Tag) else (),
        queue=template.queue if isinstance(template, Handoff) else "",
        note=template.note if isinstance(template, Handoff) else "",
    )


def _after(situation: Situation, rule: Rule, position: int, variant: int) -> AuthorState:
    event = situation.event
    return give_variant(
        situation.state,
        rule_id=rule.rule_id,
        position=position,
        event_id=event.event_id,
        event_time=event.event_time,
        variant=variant,
        now=min(event.event_time, event.received_time),
    )


def crossing_limits(rule: Rule) -> tuple[RuleLimit, ...]:
    """Return the limits that cross authors: somebody else counts those."""
    return tuple(limit for limit in rule.limits if limit.per not in AUTHOR_SCOPES)


def _mode(template: RuleAction, rule: Rule, brand: Mode) -> Mode:
    """Return the strictest of all; deleting asks at least."""
    modes = (template.mode, rule.mode, brand)
    if Mode.SHADOW in modes:
        return Mode.SHADOW
    return Mode.APPROVAL if Mode.APPROVAL in modes or isinstance(template, Delete) else Mode.AUTO


def _delay(template: RuleAction, event: Event, rule: Rule, position: int) -> float:
    shortest, longest = template.delay
    if longest <= shortest:
        return shortest
    return shortest + (longest - shortest) * _share("delay", event, rule, position)


def _share(purpose: str, event: Event, rule: Rule, position: int) -> float:
    """Return a number in [0, 1) that is always the same for the same event and action."""
    digest = blake2b(f"{purpose}\x1f{event.event_id}\x1f{rule.rule_id}\x1f{position}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def _words(situation: Situation, answer: Answer, rule: Rule, position: int) -> _Words | Refusal:
    event, spoken = situation.event, situation.understanding.language
    language = template_language(answer.texts, spoken)
    if language is None:
        return Refusal(Reason.NO_TEMPLATE_LANGUAGE, f"language {spoken or 'unknown'!r}, texts in {', '.join(answer.texts)}")
    variants = answer.texts[language]
    variant = _variant(situation, rule, position, len(variants)) if len(variants) > 1 else 0
    text = render(variants[variant], _values(event))
    private = isinstance(answer, PrivateReply) or event.kind in PRIVATE_KINDS
    too_long = excess(len(text), len(text.encode()), (event.platform,), private=private)
    return Refusal(Reason.TOO_LONG, too_long) if too_long else _Words(text, language, variant, len(variants))


def template_language(texts: Texts, language: str) -> str | None:
    """Return the key of the texts for a language tag: itself, its first part ("pt" for "pt-BR"), "default", or None."""
    tag = language.lower().replace("_", "-")
    for candidate in (tag, tag.partition("-")[0], DEFAULT):
        if candidate in texts:
            return candidate
    return None


def _variant(situation: Situation, rule: Rule, position: int, count: int) -> int:
    given = situation.state.variant_given(rule.rule_id, position, situation.event.event_id)
    if given is not None:
        return given % count
    chosen = int(_share("variant", situation.event, rule, position) * count)
    last = situation.state.last_variant(rule.rule_id, position)
    return (chosen + 1) % count if chosen == last else chosen


def _values(event: Event) -> Mapping[str, str]:
    return {"author.first_name": first_name(event.author_name), "author.handle": event.author_handle}
