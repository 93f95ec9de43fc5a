"""Answers of the routes that try rules and explain them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rules.adapters.http.bodies import Out
from rules.adapters.http.understood import UnderstandingOut, understanding_out
from rules.domain.decision import Action, Decision, Reason, RuleOutcome
from rules.trials import Explanation, RuleExplained, Trial

_ACTION_FIELDS = ("action_id", "rule_id", "position", "text", "language", "variant", "queue", "note", "url", "campaign")


class ActionOut(Out):
    """An action as it would be done; `text` is as it would be posted, `action_id` names its delivery if it was."""

    action_id: str
    rule_id: str
    position: int
    kind: str
    mode: str
    text: str
    language: str
    variant: int
    tags: list[str]
    queue: str
    note: str
    url: str
    campaign: str


class OutcomeOut(Out):
    """What becomes of a rule that matches by place and text. `reason` "": it acts."""

    rule_id: str
    rule_version: int
    acts: bool
    reason: str
    detail: str


class DecisionOut(Out):
    """A decision. `reason` "": none for the event as a whole."""

    outcome: str
    reason: str
    cobra: str
    config_revision: int
    rules: list[OutcomeOut]
    actions: list[ActionOut]


class TrialOut(Out):
    """What the rule does by itself, and (`in_force`) what it and all active rules do together, both for an author seen first.

    By itself, schedule, limits, freshness and holds do not count. `reason` "" with `acts` false: it does not match at all.
    """

    text: str
    acts: bool
    reason: str
    detail: str
    terms: list[str]
    actions: list[ActionOut]
    understanding: UnderstandingOut
    in_force: DecisionOut


class NodeOut(Out):
    """A part of `when` with its result and the values compared."""

    kind: str
    pointer: str
    holds: bool
    detail: str
    parts: list["NodeOut"]


class CheckOut(Out):
    """A part of a rule outside `when`."""

    name: str
    holds: bool
    detail: str


class LimitOut(Out):
    """A limit of the rule; `within_seconds` null: for ever. Whether it was used up only the recorded decision tells."""

    per: str
    at_most: int
    within_seconds: float | None


class RuleExplainedOut(Out):
    """A rule compared with the event, part by part. `now` null: it does not match; then `detail` says why."""

    rule_id: str
    version: int
    active: bool
    detail: str
    terms: list[str]
    where: list[CheckOut]
    when: NodeOut | None
    timing: list[CheckOut]
    limits: list[LimitOut]
    now: OutcomeOut | None


class RuleShortOut(Out):
    """An active rule that does not match."""

    rule_id: str
    version: int
    detail: str


class RecordedOut(Out):
    """What was decided then. `whole` false: of the event only what the decision repeats is still known, not its text."""

    decided_time: datetime
    whole: bool
    decision: DecisionOut


class ExplanationOut(Out):
    """Why the rules in force do or do not act on the event; `left_off`: how many `others` are not listed."""

    event: dict[str, Any]
    understanding: UnderstandingOut
    recorded: RecordedOut | None
    now: DecisionOut
    rules: list[RuleExplainedOut]
    others: list[RuleShortOut]
    left_off: int


def trial_out(trial: Trial) -> TrialOut:
    """Return a trial as it is answered."""
    verdict = trial.verdict
    return TrialOut(
        text=trial.event.text,
        acts=verdict.acts,
        reason=_reason(verdict.reason),
        detail=verdict.detail,
        terms=list(verdict.explained.terms),
        actions=_actions(verdict.decision.actions),
        understanding=understanding_out(trial.understanding),
        in_force=_decision(trial.in_force),
    )


def explanation_out(found: Explanation) -> ExplanationOut:
    """Return an explanation as it is answered."""
    recorded = found.recorded
    return ExplanationOut(
        event=found.event._asdict(),
        understanding=understanding_out(found.understanding),
        recorded=recorded
        and RecordedOut(
            decided_time=datetime.fromtimestamp(recorded.decided_time, UTC),
            whole=recorded.whole,
            decision=_decision(recorded.decision),
        ),
        now=_decision(found.now),
        rules=[_rule(rule) for rule in found.rules],
        others=[RuleShortOut(rule_id=line.rule.rule_id, version=line.rule.version, detail=line.detail) for line in found.others],
        left_off=found.left_off,
    )


def _rule(found: RuleExplained) -> RuleExplainedOut:
    rule, explained = found.rule, found.explained
    return RuleExplainedOut(
        rule_id=rule.rule_id,
        version=rule.version,
        active=found.active,
        detail=explained.why_not,
        terms=list(explained.terms),
        where=[CheckOut.model_validate(check) for check in explained.where],
        when=NodeOut.model_validate(explained.when) if explained.when is not None else None,
        timing=[CheckOut.model_validate(check) for check in explained.timing],
        limits=[LimitOut.model_validate(limit) for limit in rule.limits],
        now=_outcome(found.now) if found.now else None,
    )


def _decision(decision: Decision) -> DecisionOut:
    return DecisionOut(
        outcome=decision.outcome,
        reason=_reason(decision.reason),
        cobra=decision.cobra,
        config_revision=decision.config_revision,
        rules=[_outcome(outcome) for outcome in decision.rules],
        actions=_actions(decision.actions),
    )


def _outcome(outcome: RuleOutcome) -> OutcomeOut:
    return OutcomeOut(
        rule_id=outcome.rule_id,
        rule_version=outcome.rule_version,
        acts=outcome.reason is Reason.UNSPECIFIED,
        reason=_reason(outcome.reason),
        detail=outcome.detail,
    )


def _actions(actions: Iterable[Action]) -> list[ActionOut]:
    return [
        ActionOut(
            **{name: getattr(action, name) for name in _ACTION_FIELDS},
            kind=action.kind,
            mode=action.mode,
            tags=list(action.tags),
        )
        for action in actions
    ]


def _reason(reason: Reason) -> str:
    return "" if reason is Reason.UNSPECIFIED else str(reason)
