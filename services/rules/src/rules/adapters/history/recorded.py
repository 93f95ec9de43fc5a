"""Recorded decisions → domain; protobuf classes of the past stop here. What a later release added reads as unspecified."""

from enum import StrEnum
from typing import Any, Final, TypeVar

from antiphon.v1 import decision_pb2
from antiphon.v1.decision_pb2 import Decision as DecisionMessage
from rules.adapters.codec import seconds, to_event
from rules.domain.capture import BY_CAMPAIGN
from rules.domain.decision import (
    Action,
    ActionKind,
    Assignment,
    CobraLevel,
    ConsentAnswer,
    ConsentReading,
    Decision,
    EntryDraft,
    LimitScope,
    Mode,
    Outcome,
    Reason,
    RuleLimit,
    RuleOutcome,
)
from rules.domain.event import NOTHING_UNDERSTOOD, Understanding
from rules.domain.replaying.replay import Verdict, outcome_of_rules
from rules.ports import Recorded

E = TypeVar("E", bound=StrEnum)


def _words(enum: Any, prefix: str) -> dict[int, str]:
    return {number: name.removeprefix(prefix).lower() for name, number in enum.items()}


def _members(enum: Any, prefix: str, kind: type[E]) -> dict[int, E]:
    return {number: kind(word) for number, word in _words(enum, prefix).items()}


_POLARITIES: Final = {**_words(decision_pb2.Polarity, "POLARITY_"), 0: ""}
_OUTCOMES: Final = _members(decision_pb2.Outcome, "OUTCOME_", Outcome)
_REASONS: Final = _members(decision_pb2.Reason, "REASON_", Reason)
_MODES: Final = _members(decision_pb2.Mode, "MODE_", Mode)
_ACTIONS: Final = _members(decision_pb2.ActionKind, "ACTION_KIND_", ActionKind)
_SCOPES: Final = _members(decision_pb2.LimitScope, "LIMIT_SCOPE_", LimitScope)
_COBRA: Final = _members(decision_pb2.CobraLevel, "COBRA_LEVEL_", CobraLevel)
_CONSENTS: Final = _members(decision_pb2.ConsentAnswer, "CONSENT_ANSWER_", ConsentAnswer)


_NO_FLAGS: Final[frozenset[str]] = frozenset()

_PLAIN: Final = {(outcome, reason): Verdict(_OUTCOMES[outcome], _REASONS[reason]) for outcome in _OUTCOMES for reason in _REASONS}
"""Verdicts on events that no rule matched: nearly all events share a few of them."""

_UNKNOWN: Final = Verdict(Outcome.UNSPECIFIED, Reason.UNSPECIFIED)
"""Of a decision in words that this release does not know."""


def understanding_of(message: DecisionMessage) -> Understanding:
    """Return what was understood of the event's text."""
    language, polarity, flags = message.language, message.polarity, message.flags
    scored = message.HasField("sentiment")
    if not (language or polarity or flags or scored):
        return NOTHING_UNDERSTOOD
    return Understanding(
        language,
        message.language_confidence,
        message.sentiment if scored else None,
        _POLARITIES.get(polarity, ""),
        message.sentiment_confidence,
        frozenset(flags) if flags else _NO_FLAGS,
    )


def verdict_of(message: DecisionMessage) -> Verdict:
    """Return a decision in the form in which decisions are compared."""
    plain = _PLAIN.get((message.outcome, message.reason), _UNKNOWN)
    rules, actions = message.rules, list(message.actions)
    if message.campaigns:  # what campaigns took in by themselves is no rule's doing
        actions = [one for one in actions if not one.rule_id.startswith(BY_CAMPAIGN)]
        if len(actions) < len(message.actions):
            plain = Verdict(outcome_of_rules(matched=bool(rules), acts=bool(actions)), plain.reason)
    if not rules:
        return plain
    return Verdict(
        plain.outcome,
        plain.reason,
        tuple((rule.rule_id, rule.rule_version, _REASONS.get(rule.reason, Reason.UNSPECIFIED)) for rule in rules),
        tuple((one.action_id, _ACTIONS.get(one.kind, ActionKind.UNSPECIFIED), one.text) for one in actions),
    )


def decode_recorded(message: DecisionMessage) -> Recorded:
    """Return a decision; its event has the fields that a decision repeats, no text and no media."""
    return Recorded(
        Decision(
            event=to_event(message),
            config_revision=message.config_revision,
            outcome=_OUTCOMES.get(message.outcome, Outcome.UNSPECIFIED),
            reason=_REASONS.get(message.reason, Reason.UNSPECIFIED),
            rules=tuple(_rule(rule) for rule in message.rules),
            actions=tuple(_action(action) for action in message.actions),
            understanding=understanding_of(message),
            cobra=_COBRA.get(message.cobra, CobraLevel.UNSPECIFIED),
            assignments=tuple(Assignment(given.experiment, given.rule_id, given.arm) for given in message.assignments),
            topics=tuple(message.topics),
            campaigns=tuple(message.campaigns),
            consents=tuple(
                ConsentReading(heard.campaign, _CONSENTS.get(heard.answer, ConsentAnswer.UNSPECIFIED), heard.phrase)
                for heard in message.consents
            ),
            text_sha256=message.text_sha256,
        ),
        decided_time=seconds(message.decided_time),
        whole=False,
    )


def _rule(message: decision_pb2.RuleOutcome) -> RuleOutcome:
    return RuleOutcome(message.rule_id, message.rule_version, _REASONS.get(message.reason, Reason.UNSPECIFIED), message.detail)


def _action(message: decision_pb2.Action) -> Action:
    return Action(
        action_id=message.action_id,
        rule_id=message.rule_id,
        rule_version=message.rule_version,
        position=message.position,
        kind=_ACTIONS.get(message.kind, ActionKind.UNSPECIFIED),
        mode=_MODES.get(message.mode, Mode.UNSPECIFIED),
        text=message.text,
        language=message.language,
        variant=message.variant,
        not_before=seconds(message.not_before_time),
        expires=seconds(message.expires_time),
        limits=tuple(_limit(limit) for limit in message.limits),
        tags=tuple(message.tags),
        queue=message.queue,
        note=message.note,
        campaign=message.campaign,
        url=message.url,
        secret_ref=message.secret_ref,
        body=message.body,
        entry=_entry(message.entry) if message.HasField("entry") else None,
    )


def _entry(message: decision_pb2.EntryDraft) -> EntryDraft:
    return EntryDraft(
        eligible=message.eligible,
        reason=message.reason,
        detail=message.detail,
        text=message.text,
        media=tuple((item.type, item.url) for item in message.media),
        hashtags=tuple(message.hashtags),
        friends=tuple(message.friends),
        campaign_version=message.campaign_version,
        trigger=message.trigger,
    )


def _limit(message: decision_pb2.Limit) -> RuleLimit:
    scope = _SCOPES.get(message.scope, LimitScope.UNSPECIFIED)
    return RuleLimit(scope, message.at_most, float(message.within_seconds) or None)
