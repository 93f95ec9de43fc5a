"""Recorded events, decided again: the same evaluation, with each author's state kept here and time taken from the events."""

from typing import NamedTuple

from rules.domain.capture import BY_CAMPAIGN
from rules.domain.decision import ActionKind, Decision, Outcome, Reason
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.leaves import AuthorLeaf, leaves_of
from rules.domain.matching.index import Snapshot
from rules.domain.model import Rule
from rules.domain.state import EMPTY, AuthorState

LONGEST_REMEMBERED_IDS = 500_000
"""Event ids that are known as seen; a platform's redeliveries come within 36 hours, and an id takes about 150 bytes."""


class Verdict(NamedTuple):
    """What counts of a decision when two are compared: all that follows from it, and why the rest does not."""

    outcome: Outcome
    reason: Reason
    rules: tuple[tuple[str, int, Reason], ...] = ()
    """Rule id, version and reason of each rule that matched."""
    actions: tuple[tuple[str, ActionKind, str], ...] = ()
    """Action id, kind and rendered text."""


class Past(NamedTuple):
    """A recorded event, its record key, and what was made of it then; `verdict` None: its decision is not in the archive."""

    key: bytes
    event: Event
    understanding: Understanding
    verdict: Verdict | None = None


def of_rules(decision: Decision) -> Decision:
    """Return what rules alone make of the event: without the entries that campaigns took in by themselves.

    A replay compares rules. Campaigns open and close as people say, and the archive does not tell when they did.
    """
    if not decision.campaigns:
        return decision
    actions = tuple(action for action in decision.actions if not action.rule_id.startswith(BY_CAMPAIGN))
    if len(actions) == len(decision.actions):  # a campaign's link led here, which changes no outcome
        return decision
    return decision._replace(actions=actions, outcome=outcome_of_rules(matched=bool(decision.rules), acts=bool(actions)))


def outcome_of_rules(*, matched: bool, acts: bool) -> Outcome:
    """Return the outcome of an event of which some rules matched, and some act."""
    return Outcome.ACTED if acts else Outcome.NOT_ACTED if matched else Outcome.NO_MATCH


def verdict_of(decision: Decision) -> Verdict:
    """Return a decision in the form in which decisions are compared."""
    decision = of_rules(decision)
    if not decision.rules:
        return Verdict(decision.outcome, decision.reason)
    return Verdict(
        decision.outcome,
        decision.reason,
        tuple((rule.rule_id, rule.rule_version, rule.reason) for rule in decision.rules),
        tuple((action.action_id, action.kind, action.text) for action in decision.actions),
    )


class Replay:
    """One configuration over recorded events, which are given in the order in which they were decided."""

    __slots__ = ("_snapshot", "_states")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._states: dict[bytes, AuthorState] = {}

    def decide(self, past: Past) -> Decision:
        """Return the decision on the event, and remember what its author has consumed."""
        before = self._states.get(past.key, EMPTY)
        decision, after = evaluate(self._snapshot, before, past.event, past.understanding)
        if after is not before:
            self._states[past.key] = after
        return decision


class SeenEvents:
    """Which events have been replayed already: the archive holds redeliveries, as the topic does."""

    __slots__ = ("_before", "_now", "_size")

    def __init__(self, size: int = LONGEST_REMEMBERED_IDS) -> None:
        self._size = size // 2
        self._now: set[str] = set()
        self._before: set[str] = set()

    def is_new(self, event_id: str) -> bool:
        """Tell whether the event comes for the first time, and remember it."""
        if event_id in self._now or event_id in self._before:
            return False
        self._now.add(event_id)
        if len(self._now) >= self._size:
            self._before, self._now = self._now, set()
        return True


class Reach(NamedTuple):
    """How far back the past matters to rules: seconds, and the rules for which all of it does."""

    seconds: float
    endless: tuple[str, ...]


def reach_of(rules: tuple[Rule, ...]) -> Reach:
    """Return how long before a period a replay must begin, so that limits are as full as they were."""
    windows = [limit.within_seconds for rule in rules for limit in rule.limits]
    endless = sorted({rule.rule_id for rule in rules if _looks_back_for_ever(rule)})
    return Reach(max((window for window in windows if window is not None), default=0.0), tuple(endless))


def _looks_back_for_ever(rule: Rule) -> bool:
    leaves = leaves_of(rule.when) if rule.when is not None else ()
    greets = any(isinstance(leaf, AuthorLeaf) and leaf.first_contact is not None for leaf in leaves)
    return greets or any(limit.within_seconds is None for limit in rule.limits)
