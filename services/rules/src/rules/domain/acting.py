"""From a rule's `then` to actions for one event: mode, words, time. What cannot be done has its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from antiphon.ids import action_id
from rules.domain.capture import RULE, Met, Own
from rules.domain.decision import Action, Mode, Reason, RuleLimit, strictest
from rules.domain.event import Event, Understanding
from rules.domain.holding import Hold, stricter
from rules.domain.matching.conditions import Refusal
from rules.domain.matching.facts import Facts
from rules.domain.model import (
    Answer,
    BrandSettings,
    Delete,
    Enter,
    Handoff,
    Notify,
    PrivateReply,
    RequestRights,
    Rule,
    RuleAction,
    Tag,
    Texts,
)
from rules.domain.notice import notice
from rules.domain.programme import Programme
from rules.domain.state import AUTHOR_SCOPES, AuthorState, give_variant
from rules.domain.templates import LINK_CHARACTERS, LINK_PREFIX, excess, first_name, placeholders, render

PRIVATE_KINDS = frozenset({"message", "story_mention"})
"""Kinds of events in a private conversation: there, also a plain reply has the limits of private messages."""

DEFAULT = "default"
"""The template language for every language that has none of its own."""


UNSURE = 0.5
"""Below this confidence a language that the brand does not speak is taken for unknown: it is more often wrong than right."""


class _Words(NamedTuple):
    text: str
    language: str
    variant: int
    variants: int


_NO_WORDS = _Words("", "", 0, 0)


@dataclass(slots=True)
class Situation:
    """All that an action depends on besides its rule; `state` moves on with each action.

    `entered`: ids of the campaigns that take the event in already. `programme` None: what it holds is taken as fitting.
    `holds`: those that the event is under; `held_by` collects the ids of those that made an action stricter.
    """

    facts: Facts
    state: AuthorState
    programme: Programme | None = None
    own: Own = ()
    entered: list[str] = field(default_factory=list)
    holds: tuple[Hold, ...] = ()
    held_by: set[str] = field(default_factory=set)

    @property
    def event(self) -> Event:
        """Return what the action is about."""
        return self.facts.event

    @property
    def understanding(self) -> Understanding:
        """Return what was understood of it."""
        return self.facts.understanding

    @property
    def settings(self) -> BrandSettings:
        """Return what holds for all rules of the brand."""
        return self.facts.settings


def build_action(situation: Situation, rule: Rule, position: int) -> Action | Refusal:
    """Return the action at `position` of the rule, or why there is none; the situation's state is then the one after it."""
    event, template = situation.event, rule.then[position]
    refused = _closed(situation, template)
    if refused is not None:
        return refused
    words = _NO_WORDS
    if isinstance(template, Answer):
        chosen = _words(situation, template, rule, position)
        if isinstance(chosen, Refusal):
            return chosen
        words = chosen
        if words.variants > 1:
            situation.state = _after(situation, rule, position, words.variant)
    mode, held_by = stricter(situation.holds, rule.rule_id, _mode(template, rule, situation.settings.mode))
    situation.held_by.update(held_by)
    action = Action(
        action_id=action_id(event.brand, event.event_id, rule.rule_id, position),
        rule_id=rule.rule_id,
        rule_version=rule.version,
        position=position,
        kind=template.kind,
        mode=mode,
        text=words.text,
        language=words.language,
        variant=words.variant,
        not_before=event.received_time + _delay(template, event, rule, position),
        expires=event.event_time + rule.freshness_seconds,
        limits=crossing_limits(rule, template) if rule.limits else (),
    )
    return _with_content(action, template, situation, rule)


def _with_content(action: Action, template: RuleAction, situation: Situation, rule: Rule) -> Action:
    match template:
        case Tag():
            return action._replace(tags=template.tags)
        case Handoff():
            return action._replace(queue=template.queue, note=template.note)
        case Notify():
            body = notice(rule, situation.event, situation.understanding)
            return action._replace(url=template.url, secret_ref=template.secret_ref, body=body)
        case Enter() | RequestRights():
            return _for_campaign(action, template, situation)
        case _:
            return action


def _closed(situation: Situation, template: RuleAction) -> Refusal | None:
    """Return why a campaign does not take the action, None where it does or none is meant."""
    if not isinstance(template, Enter | RequestRights) or situation.programme is None:
        return None
    campaign = situation.programme.campaigns.by_id.get(template.campaign)
    if campaign is None:
        return Refusal(Reason.SCHEDULE, f"there is no campaign {template.campaign}")
    if closed := campaign.closed_at(situation.event.event_time):
        return Refusal(Reason.SCHEDULE, closed)
    if isinstance(template, Enter) and template.campaign in situation.entered:
        return Refusal(Reason.DUPLICATE, f"the campaign {template.campaign} takes it in already")
    if isinstance(template, RequestRights) and not campaign.asks_rights:
        return Refusal(Reason.SCHEDULE, f"the campaign {template.campaign} asks for no rights")
    return None


def _for_campaign(action: Action, template: Enter | RequestRights, situation: Situation) -> Action:
    action = action._replace(campaign=template.campaign)
    if situation.programme is None:
        return action
    index = situation.programme.campaigns
    campaign = index.by_id[template.campaign]
    action = action._replace(mode=strictest(action.mode, campaign.mode))
    if isinstance(template, RequestRights):
        return action
    situation.entered.append(template.campaign)
    return action._replace(entry=index.draft(Met(campaign, RULE), situation.facts, situation.own))


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


def crossing_limits(rule: Rule, template: RuleAction) -> tuple[RuleLimit, ...]:
    """Return the limits that cross authors, which somebody else counts, as far as the action consumes them.

    Limits bound what others see of the brand. Tags, hand-offs and entries are for its own people and consume none.
    """
    if isinstance(template, Tag | Handoff | Enter):
        return ()
    return tuple(limit for limit in rule.limits if limit.per not in AUTHOR_SCOPES)


def _mode(template: RuleAction, rule: Rule, brand: Mode) -> Mode:
    """Return the strictest of all; deleting asks at least."""
    return strictest(template.mode, rule.mode, brand, Mode.APPROVAL if isinstance(template, Delete) else Mode.AUTO)


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
    event, understood, settings = situation.event, situation.understanding, situation.settings
    language = template_language(answer.texts, spoken_language(understood, settings), settings.languages)
    if language is None:
        spoken = understood.language or "unknown"
        return Refusal(Reason.NO_TEMPLATE_LANGUAGE, f"language {spoken!r}, texts in {', '.join(answer.texts)}")
    variants = answer.texts[language]
    variant = _variant(situation, rule, position, len(variants)) if len(variants) > 1 else 0
    text = disclosed(render(variants[variant], _values(situation, rule, position, variants[variant])), language, settings)
    private = isinstance(answer, PrivateReply) or event.kind in PRIVATE_KINDS
    too_long = excess(len(text), len(text.encode()), (event.platform,), private=private)
    return Refusal(Reason.TOO_LONG, too_long) if too_long else _Words(text, language, variant, len(variants))


def spoken_language(understood: Understanding, settings: BrandSettings) -> str:
    """Return the tag of the language to answer in, "" when it is not known.

    An unsure guess counts only if it is one of the brand's languages. A confidence of 0 means that none was given.
    """
    tag = _tag(understood.language)
    if not 0.0 < understood.language_confidence < UNSURE:
        return tag
    spoken = {part for language in settings.languages for part in _ways(_tag(language))}
    return "" if spoken and spoken.isdisjoint(_ways(tag)) else tag


def disclosed(text: str, language: str, settings: BrandSettings) -> str:
    """Return an answer with the brand's disclosure: that of its language, the default, the brand's first one, or any.

    On a line of its own below several lines, else after a space; not twice where the text ends with it already.
    """
    disclosures = settings.disclosures
    if not disclosures:
        return text
    wanted = (
        *_ways(language),
        DEFAULT,
        *(way for known in settings.languages for way in _ways(_tag(known))),
        *sorted(disclosures),
    )
    words = next((disclosures[name] for name in wanted if disclosures.get(name)), "")
    if not words or text.endswith(words):
        return text
    return text + ("\n" if "\n" in text else " ") + words


def template_language(texts: Texts, language: str, spoken: Sequence[str] = ()) -> str | None:
    """Return the key of the texts for a language tag: itself, its first part ("pt" for "pt-BR"), "default", or None.

    Where no language is known and no default given, the first of the languages that the brand has `spoken` with texts.
    """
    others = () if language else (way for known in spoken for way in _ways(_tag(known)))
    return next((key for key in (*_ways(_tag(language)), DEFAULT, *others) if key in texts), None)


def _tag(language: str) -> str:
    return language.lower().replace("_", "-")


def _ways(tag: str) -> tuple[str, ...]:
    """Return a tag and its first part."""
    return (tag, tag.partition("-")[0]) if tag else ()


def _variant(situation: Situation, rule: Rule, position: int, count: int) -> int:
    given = situation.state.variant_given(rule.rule_id, position, situation.event.event_id)
    if given is not None:
        return given % count
    chosen = int(_share("variant", situation.event, rule, position) * count)
    last = situation.state.last_variant(rule.rule_id, position)
    return (chosen + 1) % count if chosen == last else chosen


def _values(situation: Situation, rule: Rule, position: int, template: str) -> Mapping[str, str]:
    event, programme = situation.event, situation.programme
    values = {"author.first_name": first_name(event.author_name), "author.handle": event.author_handle}
    for name in placeholders(template) - values.keys() if programme is not None else ():
        if name == "campaign.name":
            values[name] = _campaign_name(situation, rule)
        elif name.startswith(LINK_PREFIX) and programme is not None:
            action = action_id(event.brand, event.event_id, rule.rule_id, position)
            url = programme.link_url(event.brand, name.removeprefix(LINK_PREFIX), action)
            values[name] = url if len(url) <= LINK_CHARACTERS else ""  # half a link leads nowhere
    return values


def campaign_of(rule: Rule) -> str:
    """Return the campaign that a rule is about: the first that one of its actions names, "" when none does."""
    return next((action.campaign for action in rule.then if isinstance(action, Enter | RequestRights)), "")


def _campaign_name(situation: Situation, rule: Rule) -> str:
    """Return the name of the rule's campaign, or of the first one that takes the event in."""
    wanted = campaign_of(rule) or next(iter(situation.entered), "")
    campaign = situation.programme.campaigns.by_id.get(wanted) if situation.programme is not None else None
    return campaign.name if campaign is not None else ""
