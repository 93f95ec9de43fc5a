"""What a rule does by itself with a text: its own examples, and texts that people try."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rules.domain.checking.findings import Finding, error, listed
from rules.domain.checking.placing import NOTHING_TOLD, Told, alone, placed, unbarred
from rules.domain.decision import Decision, Reason
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.explain import Explained, explain, facts_of
from rules.domain.matching.index import build_snapshot
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import BrandSettings, Rule
from rules.domain.state import EMPTY

EXAMPLE_FAILED = "example_failed"
"""Code of the finding that refuses every save, also of a draft."""

Understand = Callable[[str, str], Understanding]
"""Text, and its language if that is given (a tag, else ""), → what is understood of it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text, its language if that is given, and whether its rule acts on it."""

    text: str
    language: str
    acts: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule alone makes of an event. `reason`: UNSPECIFIED when it acts, and when it does not match at all."""

    acts: bool
    reason: Reason
    detail: str
    decision: Decision
    explained: Explained


class Bench:
    """One rule by itself: limits, schedule, freshness, holds, experiments and lists of people do not count.

    Conditions on facts that are not `told` (who wrote it, ratings, what is attached, place in the thread) are taken as
    fitting, so that a text alone can be tried.
    """

    def __init__(self, rule: Rule, settings: BrandSettings, factory: MatcherFactory, told: Told = NOTHING_TOLD) -> None:
        self._rule = alone(rule, told)
        self._settings = unbarred(settings)
        self._factory = factory
        self._snapshot = build_snapshot(0, [self._settings], [self._rule], (), factory)

    def text(self, text: str, understanding: Understanding) -> Verdict:
        """Return what the rule makes of a text where it looks."""
        return self.event(placed(self._rule.where, text, 0.0, brand=self._rule.brand), understanding)

    def event(self, event: Event, understanding: Understanding) -> Verdict:
        """Return what the rule makes of an event."""
        decision, _ = evaluate(self._snapshot, EMPTY, event, understanding)
        explained = explain(self._rule, facts_of(event, understanding, self._settings), self._factory)
        outcome = next(iter(decision.rules), None)
        if decision.actions:
            return Verdict(True, Reason.UNSPECIFIED, _found(explained), decision, explained)
        if outcome is None:
            detail = explained.why_not or f"an event that is never answered: {decision.reason}"
            return Verdict(False, decision.reason, detail, decision, explained)
        return Verdict(False, outcome.reason, outcome.detail or explained.why_not, decision, explained)


def _found(explained: Explained) -> str:
    return f"found {listed(explained.terms)}" if explained.terms else "nothing in its conditions is against it"


def failures(
    rule: Rule, examples: Sequence[Example], settings: BrandSettings, understand: Understand, factory: MatcherFactory
) -> tuple[Finding, ...]:
    """Return an error for each example in which the rule does not do what is said there."""
    if not examples:
        return ()
    bench = Bench(rule, settings, factory)
    verdicts = [bench.text(example.text, understand(example.text, example.language)) for example in examples]
    return tuple(
        error(EXAMPLE_FAILED, f"/examples/{place}", _in_words(verdict))
        for place, (example, verdict) in enumerate(zip(examples, verdicts, strict=True))
        if verdict.acts is not example.acts
    )


def _in_words(verdict: Verdict) -> str:
    if verdict.acts:
        return f"acted, though it should not: {verdict.detail}"
    excluded = "excluded term " if verdict.reason is Reason.EXCLUDED_TERM else ""
    return f"did not act: {excluded}{verdict.detail}"
