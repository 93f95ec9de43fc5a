"""The decision on one event: a pure function of configuration, state and event."""

from collections.abc import Sequence
from hashlib import sha256

from rules.domain.acting import Situation, build_action
from rules.domain.capture import Met
from rules.domain.cobra import DONE_BY_PEOPLE, cobra_level
from rules.domain.decision import Action, Assignment, Decision, Outcome, Reason, RuleLimit, RuleOutcome
from rules.domain.event import Event, Understanding
from rules.domain.experiments import HOLDOUT, arm
from rules.domain.holding import on_event
from rules.domain.matching.conditions import Refusal
from rules.domain.matching.facts import Facts
from rules.domain.matching.index import BrandConfiguration, Snapshot
from rules.domain.matching.vocabulary import Forms, forms_of
from rules.domain.model import INELIGIBLE_KINDS, BrandSettings, Rule
from rules.domain.programme import Programme
from rules.domain.schedule import describe, is_open
from rules.domain.state import AuthorState, admit, consume, meet

Refusals = list[tuple[int, Refusal]]
"""Positions of actions that cannot be done, and why."""


def evaluate(snapshot: Snapshot, state: AuthorState, event: Event, understanding: Understanding) -> tuple[Decision, AuthorState]:
    """Return the decision and the author's state after it (the same object when nothing was consumed)."""
    brand = snapshot.brands.get(event.brand)
    if brand is None:
        return _unanswered(snapshot, event, understanding, Outcome.UNKNOWN_BRAND), state
    programme = brand.programme if brand.programme is not None and brand.programme.attends else None
    barred = ineligible(snapshot, brand.settings, event)
    if barred is not None:
        decision = _unanswered(snapshot, event, understanding, Outcome.NOT_ELIGIBLE, barred)
        if programme is None:
            return decision, state
        forms = forms_of(event.text)
        return _noted(decision, programme, forms, _topics(programme, event, forms), programme.led_by(event)), state
    asked = brand.index.asks_first_contact or (programme is not None and programme.campaigns.asks_first_contact)
    facts = Facts(
        event,
        understanding,
        brand.settings,
        cobra=cobra_level(event),
        first_contact=asked and state.is_first_contact(event.event_id),
    )
    before = meet(state, event.event_id) if asked else state
    if programme is None:
        return _decide(snapshot, brand, facts, before, [], (), ())
    met = programme.campaigns.met(facts) if programme.campaigns.takes else ()
    entered = [one.campaign.campaign for one in met]
    topics = _topics(programme, event, facts.forms)
    campaigns = tuple(dict.fromkeys((*entered, *programme.led_by(event))))
    decision, after = _decide(snapshot, brand, facts, before, entered, campaigns, topics)
    if met:
        decision = _entered(decision, programme, facts, met, snapshot)
    return _noted(decision, programme, facts.forms, topics, campaigns), after


def _topics(programme: Programme, event: Event, forms: Forms) -> tuple[str, ...]:
    return programme.topics.named(forms) if programme.topics is not None and event.text else ()


def _noted(
    decision: Decision, programme: Programme, forms: Forms, topics: tuple[str, ...], campaigns: tuple[str, ...]
) -> Decision:
    """Return the decision with the campaigns it belongs to, the topics that the text names, and how it reads as a consent.

    An answer to a request is heard also from those that are not answered themselves: who opted out may still withdraw.
    """
    event = decision.event
    heard = (
        programme.campaigns.heard(event, forms)
        if programme.campaigns.hears and event.verb in DONE_BY_PEOPLE and decision.reason is not Reason.OWN_ACCOUNT
        else ()
    )
    if not (topics or campaigns or heard):
        return decision
    digest = sha256(event.text.encode(errors="surrogatepass")).hexdigest() if heard else ""
    return decision._replace(topics=topics, campaigns=campaigns, consents=heard, text_sha256=digest)


def _entered(decision: Decision, programme: Programme, facts: Facts, met: Sequence[Met], snapshot: Snapshot) -> Decision:
    """Return the decision with an entry to each campaign; taking one in posts nothing, so a brand on hold does it too."""
    index, mode = programme.campaigns, facts.settings.mode
    entries = tuple(index.enter(one, facts, snapshot.own_accounts, mode) for one in met)
    return decision._replace(outcome=Outcome.ACTED, actions=decision.actions + entries)


def _unanswered(
    snapshot: Snapshot, event: Event, understanding: Understanding, outcome: Outcome, reason: Reason = Reason.UNSPECIFIED
) -> Decision:
    return Decision(event, snapshot.revision, outcome, reason, understanding=understanding, cobra=cobra_level(event))


def ineligible(snapshot: Snapshot, settings: BrandSettings, event: Event) -> Reason | None:
    """Return why the event is never answered (UNSPECIFIED: by what it is), or None.

    An edit is the same object with new words: it may be answered if the first words were not.
    """
    if event.echo or (event.platform, event.author_id) in snapshot.own_accounts:
        return Reason.OWN_ACCOUNT
    if event.verb not in DONE_BY_PEOPLE or event.kind in INELIGIBLE_KINDS:
        return Reason.UNSPECIFIED
    if settings.blocked or settings.opted_out:
        author = f"{event.platform}:{event.author_id}"
        if author in settings.blocked:
            return Reason.BLOCKED
        if author in settings.opted_out:
            return Reason.OPTED_OUT
    return None


def _decide(
    snapshot: Snapshot,
    brand: BrandConfiguration,
    facts: Facts,
    state: AuthorState,
    entered: list[str],
    campaigns: tuple[str, ...],
    topics: tuple[str, ...],
) -> tuple[Decision, AuthorState]:
    matched = brand.index.matched(facts)
    if not matched:
        undecided = Decision(
            facts.event,
            snapshot.revision,
            Outcome.NO_MATCH,
            Reason.UNSPECIFIED,
            understanding=facts.understanding,
            cobra=facts.cobra,
        )
        return undecided, state
    holds = brand.settings.holds and on_event(brand.settings.holds, facts.event.platform, campaigns, topics)
    run = _Run(Situation(facts, state, brand.programme, snapshot.own_accounts, entered, holds))
    rules = tuple(run.outcome(rule, refusal) for rule, refusal in matched)
    actions, after = tuple(run.actions), run.state
    if brand.settings.held:
        rules, actions, after = _held(rules, brand.settings), (), state
    decision = Decision(
        facts.event,
        snapshot.revision,
        Outcome.ACTED if actions else Outcome.NOT_ACTED,
        Reason.UNSPECIFIED,
        rules,
        actions,
        facts.understanding,
        facts.cobra,
        tuple(run.assignments),
        holds=run.held_by if actions else (),
    )
    return decision, after


def _held(rules: tuple[RuleOutcome, ...], settings: BrandSettings) -> tuple[RuleOutcome, ...]:
    return tuple(
        rule._replace(reason=Reason.HELD, detail=settings.held_reason) if rule.reason is Reason.UNSPECIFIED else rule
        for rule in rules
    )


class _Run:
    """The rules of one event, one after the other: what earlier ones took is gone for later ones."""

    __slots__ = ("_event", "_situation", "_slots", "_stopped_by", "actions", "assignments")

    def __init__(self, situation: Situation) -> None:
        self._event = situation.event
        self._situation = situation
        self._slots: dict[str, str] = {}
        self._stopped_by = ""
        self.actions: list[Action] = []
        self.assignments: list[Assignment] = []

    @property
    def state(self) -> AuthorState:
        """Return the author's state after the rules so far."""
        return self._situation.state

    @property
    def held_by(self) -> tuple[str, ...]:
        """Return the ids of the holds that made an action stricter."""
        return tuple(sorted(self._situation.held_by))

    def outcome(self, rule: Rule, refusal: Refusal | None) -> RuleOutcome:
        """Return what becomes of a rule that matched; its actions are added to those of the event."""
        refusal = refusal or self._refusal(rule)
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

    def _refusal(self, rule: Rule) -> Refusal | None:
        event = self._event
        held_out = self._is_held_out(rule)
        if self._stopped_by:
            return Refusal(Reason.STOPPED, f"by {self._stopped_by}")
        if rule.schedule is not None and not is_open(rule.schedule, event.event_time):
            return Refusal(Reason.SCHEDULE, describe(rule.schedule, event.event_time))
        age = event.received_time - event.event_time
        if age > rule.freshness_seconds:
            return Refusal(Reason.STALE, f"{age:.0f} s old, at most {rule.freshness_seconds:.0f} s")
        if held_out and rule.test is not None:
            return Refusal(Reason.HOLDOUT, f"experiment {rule.test.name}, acts for a share of {rule.test.share:g}")
        limit = self._limit(rule) if rule.limits else None
        return Refusal(Reason.LIMIT, _in_words(limit)) if limit is not None else None

    def _is_held_out(self, rule: Rule) -> bool:
        """Return whether the author is in the arm for which the rule does not act; the arm is recorded in any case."""
        if rule.test is None:
            return False
        drawn = arm(rule.test, self._event)
        self.assignments.append(Assignment(rule.test.name, rule.rule_id, drawn))
        return drawn == HOLDOUT

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
