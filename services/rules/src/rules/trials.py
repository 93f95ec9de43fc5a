"""The use cases of trying and asking why: what a rule does with texts, and why something was or was not answered."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from antiphon.clock import Clock
from rules.configuration import ConfigurationService, not_found
from rules.domain.checking.examples import Bench, Verdict
from rules.domain.checking.placing import EVERYTHING_TOLD, NOTHING_TOLD, Told, placed, possible
from rules.domain.decision import Decision, RuleOutcome
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.explain import Explained, explain, facts_of, misplaced
from rules.domain.leaves import AuthorLeaf, RatingLeaf
from rules.domain.matching.index import Snapshot, build_snapshot
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import BrandSettings, Rule
from rules.domain.state import EMPTY
from rules.ports import Configuration, History, Recorded
from rules.revisions import RuleService
from rules.vetting import Understands, active_rules, settings_of

MOST_LINES = 500
"""Rules that an explanation names in short; of more, people look for the one they mean by its id."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a text that is tried. What is None is not known of the author."""

    id: str = "example-author"
    name: str = "Alex Example"
    handle: str = "alex.example"
    followers: int | None = None
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A text to try; what is "" or None is not told, and conditions on it are taken as fitting."""

    text: str
    language: str = ""
    platform: str = ""
    kind: str = ""
    author: Author | None = None
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What the rule alone makes of an event, and (`in_force`) what all active rules and this one make of it together."""

    event: Event
    understanding: Understanding
    verdict: Verdict
    in_force: Decision


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """A rule compared with an event. `now`: what becomes of it today; None where it does not match."""

    rule: Rule
    active: bool
    explained: Explained
    now: RuleOutcome | None


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule that does not match, in short."""

    rule: Rule
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why. `others` are the first active rules that do not match, `left_off` how many more there are.

    `now`: what the rules in force decide for an author who has consumed no limit; `recorded`: what was decided then.
    """

    event: Event
    understanding: Understanding
    recorded: Recorded | None
    now: Decision
    rules: tuple[RuleExplained, ...]
    others: tuple[RuleLine, ...] = ()
    left_off: int = 0


class TrialService:
    """Nothing here changes anything. The rules in force are those of the configuration topic."""

    def __init__(
        self,
        *,
        rules: RuleService,
        configuration: ConfigurationService,
        in_force: Configuration,
        understands: Understands,
        factory: MatcherFactory,
        history: History,
        clock: Clock,
    ) -> None:
        self._rules = rules
        self._configuration = configuration
        self._in_force = in_force
        self._understands = understands
        self._factory = factory
        self._history = history
        self._clock = clock

    async def check_brand(self, brand: str) -> None:
        """Raise 404 for a brand that does not exist."""
        await self._configuration.brand(brand)

    async def rule(self, brand: str, rule_id: str) -> Rule:
        """Return the newest version of a rule, active or not. Raises 404."""
        return (await self._rules.meaning(brand, rule_id)).rule

    async def test(self, brand: str, rule: Rule, samples: Sequence[Sample]) -> list[Trial]:
        """Return what a rule makes of texts where it looks. Raises 404."""
        await self.check_brand(brand)
        return await asyncio.to_thread(self._samples, brand, rule, samples)

    async def test_event(self, brand: str, rule: Rule, event: Event) -> Trial:
        """Return what a rule makes of an event as it is. Raises 404."""
        await self.check_brand(brand)
        return await asyncio.to_thread(self._whole, brand, rule, event, self._understood(brand, event))

    async def test_recorded(self, brand: str, rule: Rule, event_id: str) -> Trial:
        """Return what a rule makes of an event of the archive, understood as it was then. Raises 404."""
        decision = (await self._recorded(brand, event_id)).decision
        return await asyncio.to_thread(self._whole, brand, rule, decision.event, decision.understanding)

    async def _recorded(self, brand: str, event_id: str) -> Recorded:
        await self.check_brand(brand)
        recorded = await self._history.find(brand, event_id)
        if recorded is None:
            raise not_found("recorded event", event_id)
        return recorded

    def _samples(self, brand: str, rule: Rule, samples: Iterable[Sample]) -> list[Trial]:
        now = self._clock.now().timestamp()
        trials = []
        for place, sample in enumerate(samples):
            event = _event(brand, rule, sample, now, f"test-{place}")
            understanding = self._understood(brand, event, sample.language)
            trials.append(self._trial(brand, rule, event, understanding, _told(sample)))
        return trials

    def _whole(self, brand: str, rule: Rule, event: Event, understanding: Understanding) -> Trial:
        return self._trial(brand, rule, event, understanding, EVERYTHING_TOLD)

    def _understood(self, brand: str, event: Event, language: str = "") -> Understanding:
        return self._understands(event.text, language, settings_of(self._in_force.snapshot, brand))

    def _trial(self, brand: str, rule: Rule, event: Event, understanding: Understanding, told: Told) -> Trial:
        snapshot = self._in_force.snapshot
        settings = settings_of(snapshot, brand)
        verdict = Bench(rule, settings, self._factory, told).event(event, understanding)
        together = self._together(snapshot, settings, replace(rule, when=possible(rule.when, told)), event, understanding)
        return Trial(event, understanding, verdict, together)

    def _together(
        self, snapshot: Snapshot, settings: BrandSettings, rule: Rule, event: Event, understanding: Understanding
    ) -> Decision:
        """Decide with the rule among those in force. Of these only the ones that match matter, so no large index is made."""
        matching = evaluate(snapshot, EMPTY, event, understanding)[0].rules
        ids = {outcome.rule_id for outcome in matching} - {rule.rule_id}
        others = [other for other in active_rules(snapshot, settings.brand) if other.rule_id in ids]
        brand = snapshot.brands.get(settings.brand)
        small = build_snapshot(
            snapshot.revision,
            [settings],
            [*others, rule],
            snapshot.own_accounts,
            self._factory,
            programmes={settings.brand: brand.programme} if brand is not None and brand.programme is not None else None,
        )
        return evaluate(small, EMPTY, event, understanding)[0]

    async def explain(self, brand: str, event: Event, rule_id: str = "") -> Explanation:
        """Return why the rules in force (or one rule) do or do not act on an event. Raises 404 for an unknown rule."""
        await self.check_brand(brand)
        return await self._explained(brand, event, None, rule_id)

    async def explain_recorded(self, brand: str, event_id: str, rule_id: str = "") -> Explanation:
        """Return the same for an event of the archive, with what was decided then. Raises 404 for an unknown event or rule."""
        recorded = await self._recorded(brand, event_id)
        return await self._explained(brand, recorded.decision.event, recorded, rule_id)

    async def _explained(self, brand: str, event: Event, recorded: Recorded | None, rule_id: str) -> Explanation:
        snapshot = self._in_force.snapshot
        active = {rule.rule_id: rule for rule in active_rules(snapshot, brand)}
        chosen = (active.get(rule_id) or await self.rule(brand, rule_id)) if rule_id else None
        return await asyncio.to_thread(self._compare, snapshot, active, event, recorded, chosen)

    def _compare(
        self, snapshot: Snapshot, active: dict[str, Rule], event: Event, recorded: Recorded | None, chosen: Rule | None
    ) -> Explanation:
        settings = settings_of(snapshot, event.brand)
        understanding = recorded.decision.understanding if recorded else self._understood(event.brand, event)
        now, _ = evaluate(snapshot, EMPTY, event, understanding)
        outcomes = {outcome.rule_id: outcome for outcome in now.rules}
        facts = facts_of(event, understanding, settings)
        asked = [chosen] if chosen else [active[rule_id] for rule_id in outcomes]
        rules = tuple(
            RuleExplained(rule, active.get(rule.rule_id) is rule, explain(rule, facts, self._factory), outcomes.get(rule.rule_id))
            for rule in asked
        )
        if chosen:
            return Explanation(event, understanding, recorded, now, rules)
        rest = [rule for rule in active.values() if rule.rule_id not in outcomes]
        lines = tuple(RuleLine(rule, _in_short(rule, event)) for rule in rest[:MOST_LINES])
        return Explanation(event, understanding, recorded, now, rules, lines, len(rest) - len(lines))


def _in_short(rule: Rule, event: Event) -> str:
    return misplaced(rule.where, event) or "nothing that it looks for is in the text"


def _told(sample: Sample) -> Told:
    author: Told = frozenset({AuthorLeaf}) if sample.author else NOTHING_TOLD
    return author | ({RatingLeaf} if sample.rating is not None else NOTHING_TOLD)


def _event(brand: str, rule: Rule, sample: Sample, now: float, event_id: str) -> Event:
    where, author = rule.where, sample.author or Author()
    event = placed(where, sample.text, now, brand=brand, event_id=event_id)
    return event._replace(
        platform=sample.platform or event.platform,
        kind=sample.kind or event.kind,
        author_id=author.id,
        author_name=author.name,
        author_handle=author.handle,
        followers=author.followers,
        verified=author.verified,
        rating=sample.rating,
    )
