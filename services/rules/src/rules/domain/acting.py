"""From a rule's `then` to actions for one event: mode, words, time. What cannot be done has its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from antiphon.ids import action_id
from rules.domain.decision import STRICTNESS, Action, ActionKind, Mode, Reason, RuleLimit
from rules.domain.event import Event, Understanding
from rules.domain.model import Handoff, PrivateReply, Reply, Rule, RuleAction, Tag, Texts
from rules.domain.state import AUTHOR_SCOPES, AuthorState, give_variant
from rules.domain.templates import excess, first_name, render

SLOTS = {
    ActionKind.REPLY: "public reply",
    ActionKind.PRIVATE_REPLY: "private reply",
    ActionKind.HIDE: "moderation",
    ActionKind.UNHIDE: "moderation",
    ActionKind.DELETE: "moderation",
    ActionKind.LIKE: "moderation",
}
"""Of each slot an event has one; other kinds of actions add up."""

PRIVATE_KINDS = frozenset({"message", "story_mention"})
"""Kinds of events in a private conversation: there, also a plain reply has the limits of private messages."""

DEFAULT = "default"
"""The template language for every language that has none of its own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one action of a rule cannot be done."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class _Words:
    text: str
    language: str
    variant: int
    variants: int


@dataclass(frozen=True, slots=True)
class Situation:
    """All that an action depends on besides its rule."""

    event: Event
    understanding: Understanding
    brand_mode: Mode
    state: AuthorState


def build_action(situation: Situation, rule: Rule, position: int) -> tuple[Action, AuthorState] | Refusal:
    """Return the action at `position` of the rule with the state after it, or why there is none."""
    event, template = situation.event, rule.then[position]
    words = _words(situation, rule, position)
    if isinstance(words, Refusal):
        return words
    action = Action(
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
        limits=crossing_limits(rule),
        tags=template.tags if isinstance(template, Tag) else (),
        queue=template.queue if isinstance(template, Handoff) else "",
        note=template.note if isinstance(template, Handoff) else "",
    )
    return action, _after(situation, rule, position, words)


def _after(situation: Situation, rule: Rule, position: int, words: _Words) -> AuthorState:
    if words.variants < 2:
        return situation.state
    event = situation.event
    return give_variant(
        situation.state,
        rule_id=rule.rule_id,
        position=position,
        event_id=event.event_id,
        event_time=event.event_time,
        variant=words.variant,
        now=min(event.event_time, event.received_time),
    )


def crossing_limits(rule: Rule) -> tuple[RuleLimit, ...]:
    """Return the limits that cross authors: somebody else counts those."""
    return tuple(limit for limit in rule.limits if limit.per not in AUTHOR_SCOPES)


def _mode(template: RuleAction, rule: Rule, brand: Mode) -> Mode:
    own = template.mode if not isinstance(template, Tag | Handoff) else Mode.AUTO
    least = Mode.APPROVAL if template.kind is ActionKind.DELETE else Mode.AUTO
    return max(least, own, rule.mode, brand, key=STRICTNESS.__getitem__)


def _delay(template: RuleAction, event: Event, rule: Rule, position: int) -> float:
    if isinstance(template, Tag | Handoff):
        return 0.0
    shortest, longest = template.delay
    if longest <= shortest:
        return shortest
    return shortest + (longest - shortest) * _share("delay", event, rule, position)


def _share(purpose: str, event: Event, rule: Rule, position: int) -> float:
    """Return a number in [0, 1) that is always the same for the same event and action."""
    digest = blake2b(f"{purpose}\x1f{event.event_id}\x1f{rule.rule_id}\x1f{position}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def _words(situation: Situation, rule: Rule, position: int) -> _Words | Refusal:
    template = rule.then[position]
    if not isinstance(template, Reply | PrivateReply):
        return _Words("", "", 0, 0)
    language = template_language(template.texts, situation.understanding.language)
    if language is None:
        offered = ", ".join(template.texts)
        return Refusal(
            Reason.NO_TEMPLATE_LANGUAGE, f"language {situation.understanding.language or 'unknown'!r}, texts in {offered}"
        )
    variants = template.texts[language]
    variant = _variant(situation, rule, position, len(variants))
    text = render(variants[variant], _values(situation.event))
    private = template.kind is ActionKind.PRIVATE_REPLY or situation.event.kind in PRIVATE_KINDS
    too_long = excess(len(text), len(text.encode()), (situation.event.platform,), private=private)
    return Refusal(Reason.TOO_LONG, too_long) if too_long else _Words(text, language, variant, len(variants))


def template_language(texts: Texts, language: str) -> str | None:
    """Return the key of the texts for a language tag: itself, its first part ("pt" for "pt-BR"), "default", or None."""
    tag = language.lower().replace("_", "-")
    for candidate in (tag, tag.partition("-")[0], DEFAULT):
        if candidate in texts:
            return candidate
    return None


def _variant(situation: Situation, rule: Rule, position: int, count: int) -> int:
    if count < 2:
        return 0
    given = situation.state.variant_given(rule.rule_id, position, situation.event.event_id)
    if given is not None:
        return given % count
    chosen = int(_share("variant", situation.event, rule, position) * count)
    last = situation.state.last_variant(rule.rule_id, position)
    return (chosen + 1) % count if chosen == last else chosen


def _values(event: Event) -> Mapping[str, str]:
    return {"author.first_name": first_name(event.author_name), "author.handle": event.author_handle}
