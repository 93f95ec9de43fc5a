"""The decision on one event: a pure function of configuration, state and event."""

from dataclasses import replace

from rules.domain.acting import Refusal, Situation, build_action
from rules.domain.decision import Action, Decision, Outcome, Reason, RuleLimit, RuleOutcome
from rules.domain.event import Event, Understanding
from rules.domain.index import BrandConfiguration, Snapshot
from rules.domain.model import INELIGIBLE_KINDS, BrandSettings, Rule
from rules.domain.schedule import describe, is_open
from rules.domain.state import AuthorState, admit, consume

Refusals = list[tuple[int, Refusal]]
"""Positions of actions that cannot be done, and why."""

ANSWERED_VERBS = frozenset({"create", "edit"})
"""An edit is the same object with new words: it may be answered if the first words were not."""


def evaluate(snapshot: Snapshot, state: AuthorState, event: Event, understanding: Understanding) -> tuple[Decision, AuthorState]:
    """Return the decision and the author's state after it (the same object when nothing was consumed)."""
    brand = snapshot.brands.get(event.brand)
    if brand is None:
        return _unanswered(snapshot, event, understanding, Outcome.UNKNOWN_BRAND), state
    barred = ineligible(snapshot, brand.settings, event)
    if barred is not None:
        return _unanswered(snapshot, event, understanding, Outcome.NOT_ELIGIBLE, barred), state
    return _decide(snapshot, brand, state, event, understanding)


def ineligible(snapshot: Snapshot, settings: BrandSettings, event: Event) -> Reason | None:
    """Return why the event is never answered (UNSPECIFIED: by what it is), or None."""
    if event.echo or (event.platform, event.author_id) in snapshot.own_accounts:
        return Reason.OWN_ACCOUNT
    if event.verb not in ANSWERED_VERBS or event.kind in INELIGIBLE_KINDS:
        return Reason.UNSPECIFIED
    if settings.blocked or settings.opted_out:
        author = f"{event.platform}:{event.author_id}"
        if author in settings.blocked:
            return Reason.BLOCKED
        if author in settings.opted_out:
            return Reason.OPTED_OUT
    return None


def _unanswered(
    snapshot: Snapshot, event: Event, understanding: Understanding, outcome: Outcome, reason: Reason = Reason.UNSPECIFIED
) -> Decision:
    return Decision(event, snapshot.revision, outcome, reason, (), (), understanding.language, understanding.sentiment)


def _decide(
    snapshot: Snapshot, brand: BrandConfiguration, state: AuthorState, event: Event, understanding: Understanding
) -> tuple[Decision, AuthorState]:
    matched = brand.index.matched(event)
    if not matched:
        return _unanswered(snapshot, event, understanding, Outcome.NO_MATCH), state
    run = _Run(brand.settings, state, event, understanding)
    rules = tuple(run.outcome(rule, excluded) for rule, excluded in matched)
    actions, after = tuple(run.actions), run.state
    if brand.settings.held:
        rules, actions, after = _held(rules, brand.settings), (), state
    outcome = Outcome.ACTED if actions else Outcome.NOT_ACTED
    decision = Decision(
        event, snapshot.revision, outcome, Reason.UNSPECIFIED, rules, actions, understanding.language, understanding.sentiment
    )
    return decision, after


def _held(rules: tuple[RuleOutcome, ...], settings: BrandSettings) -> tuple[RuleOutcome, ...]:
    return tuple(
        replace(rule, reason=Reason.HELD, detail=settings.held_reason) if rule.reason is Reason.UNSPECIFIED else rule
        for rule in rules
    )


class _Run:
    """The rules of one event, one after the other: what earlier ones took is gone for later ones."""

    __slots__ = ("_event", "_situation", "_slots", "_stopped_by", "actions")

    def __init__(self, settings: BrandSettings, state: AuthorState, event: Event, understanding: Understanding) -> None:
        self._event = event
        self._situation = Situation(event, understanding, settings.mode, state)
        self._slots: dict[str, str] = {}
        self._stopped_by = ""
        self.actions: list[Action] = []

    @property
    def state(self) -> AuthorState:
        """Return the author's state after the rules so far."""
        return self._situation.state

    def outcome(self, rule: Rule, excluded: tuple[str, ...]) -> RuleOutcome:
        """Return what becomes of a rule that matched; its actions are added to those of the event."""
        refusal = self._refusal(rule, excluded)
        if refusal is not None:
            return RuleOutcome(rule.rule_id, rule.version, refusal.reason, refusal.detail)
        refusals = self._act(rule)
        if len(refusals) == len(rule.then):
            first = refusals[0][1].reason if refusals else Reason.UNSPECIFIED
            return RuleOutcome(rule.rule_id, rule.version, first, _details(rule, refusals))
        if rule.limits:
            self._consume(rule)
        if rule.stop:
            self._stopped_by = rule.rule_id
        return RuleOutcome(rule.rule_id, rule.version, Reason.UNSPECIFIED, _details(rule, refusals) if refusals else "")

    def _refusal(self, rule: Rule, excluded: tuple[str, ...]) -> Refusal | None:
        event = self._event
        if excluded:
            return Refusal(Reason.EXCLUDED_TERM, ", ".join(excluded))
        if self._stopped_by:
            return Refusal(Reason.STOPPED, f"by {self._stopped_by}")
        if rule.schedule is not None and not is_open(rule.schedule, event.event_time):
            return Refusal(Reason.SCHEDULE, describe(rule.schedule, event.event_time))
        age = event.received_time - event.event_time
        if age > rule.freshness_seconds:
            return Refusal(Reason.STALE, f"{age:.0f} s old, at most {rule.freshness_seconds:.0f} s")
        limit = self._limit(rule) if rule.limits else None
        return Refusal(Reason.LIMIT, _in_words(limit)) if limit is not None else None

    def _limit(self, rule: Rule) -> RuleLimit | None:
        event = self._event
        return admit(
            self.state, rule.limits, rule_id=rule.rule_id, post=event.post, event_id=event.event_id, event_time=event.event_time
        )

    def _act(self, rule: Rule) -> Refusals:
        refusals: Refusals = []
        for position, template in enumerate(rule.then):
            slot = template.slot
            if slot and slot in self._slots:
                refusals.append((position, Refusal(Reason.SLOT_TAKEN, f"{slot} by {self._slots[slot]}")))
                continue
            built = build_action(self._situation, rule, position)
            if isinstance(built, Refusal):
                refusals.append((position, built))
                continue
            self.actions.append(built)
            if slot:
                self._slots[slot] = rule.rule_id
        return refusals

    def _consume(self, rule: Rule) -> None:
        event = self._event
        self._situation.state = consume(
            self.state,
            rule.limits,
            rule_id=rule.rule_id,
            post=event.post,
            event_id=event.event_id,
            event_time=event.event_time,
            now=min(event.event_time, event.received_time),
        )


def _details(rule: Rule, refusals: Refusals) -> str:
    return "; ".join(f"{rule.then[position].kind}: {refused.reason} ({refused.detail})" for position, refused in refusals)


def _in_words(limit: RuleLimit) -> str:
    window = "ever" if limit.within_seconds is None else f"within {limit.within_seconds:.0f} s"
    return f"{limit.at_most} per {limit.per} {window}"
