"""The use case before a rule may act: everything that is checked of it, beside the rules that are in force."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from antiphon.clock import Clock
from antiphon.problems import Problem
from rules.domain.checking.checks import findings
from rules.domain.checking.examples import Example, failures
from rules.domain.checking.findings import Finding
from rules.domain.checking.loops import Watch
from rules.domain.checking.rivals import Rivals
from rules.domain.event import Understanding
from rules.domain.matching.index import BrandIndex, Snapshot
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import BrandSettings, Rule
from rules.ports import Configuration

MOST_ACTIVE = 10_000
"""Active rules of a brand: every engine holds all of them in memory, and each change must be live in under a second."""

MOST_KEPT = 32
"""Brands whose rules are kept ready to be checked against; the ones asked about longest ago go first."""

MANY = 500
"""Rules of a brand that are made ready before anybody saves one: of fewer, that is done within a tenth of a second."""

Understands = Callable[[str, str, BrandSettings], Understanding]
"""Text, its language if that is given (a tag, else ""), and its brand → what is understood of it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as the evaluator reads it, with the examples of its document; `active`: it acts once it is saved."""

    rule: Rule
    examples: tuple[Example, ...] = ()
    active: bool = False


@dataclass(frozen=True, slots=True)
class _Company:
    """The rules that a rule would act beside; `index`: where they come from, None for others than those in force."""

    index: BrandIndex | None
    watch: Watch
    rivals: Rivals


class Vetting:
    """Checks rules. The rules in force are those of the configuration topic, so a change counts a moment after it is saved."""

    def __init__(self, *, in_force: Configuration, understands: Understands, factory: MatcherFactory, clock: Clock) -> None:
        self._in_force = in_force
        self._understands = understands
        self._factory = factory
        self._clock = clock
        self._companies: dict[str, _Company] = {}
        self._one_at_a_time = asyncio.Lock()
        self.is_ready = False
        """Whether large brands' rules were made ready once, so that no save waits for all of it."""

    def check_room(self, brand: str, rule_id: str) -> None:
        """Raise 409 when one more active rule would be too many."""
        found = self._in_force.snapshot.brands.get(brand)
        if found is not None and len(found.index) >= MOST_ACTIVE and all(rule.rule_id != rule_id for rule in found.index.rules):
            raise Problem(
                409,
                "too_many_rules",
                f"The brand has {MOST_ACTIVE} active rules, the most there may be; pause or archive some, or join their terms.",
            )

    async def findings(self, brand: str, draft: Draft) -> tuple[Finding, ...]:
        """Return what is to be said of a rule as if it were active."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._alone, brand, draft)

    async def lint(self, brand: str, drafts: Sequence[Draft]) -> list[tuple[Finding, ...]]:
        """Return what is to be said of each of several rules, as if all active ones of them were saved together."""
        snapshot = self._in_force.snapshot
        settings = settings_of(snapshot, brand)
        ids = {draft.rule.rule_id for draft in drafts}
        others = [rule for rule in active_rules(snapshot, brand) if rule.rule_id not in ids]
        others += [draft.rule for draft in drafts if draft.active]
        async with self._one_at_a_time:  # only for what is prepared from what is kept; the rest may take its time
            company = await asyncio.to_thread(self._among, others, snapshot, settings)
        return await asyncio.to_thread(lambda: [self._said(draft, company, settings, ids) for draft in drafts])

    def _alone(self, brand: str, draft: Draft) -> tuple[Finding, ...]:
        snapshot = self._in_force.snapshot
        settings = settings_of(snapshot, brand)
        return self._said(draft, self._company(snapshot, settings), settings)

    def _said(self, draft: Draft, company: _Company, settings: BrandSettings, asked: Collection[str] = ()) -> tuple[Finding, ...]:
        understand = partial(self._understand, settings)
        now = self._clock.now().timestamp()
        return (
            *failures(draft.rule, draft.examples, settings, understand, self._factory),
            *findings(draft.rule, company.rivals, settings, now=now, factory=self._factory),
            *company.watch.findings(draft.rule, understand, asked=asked),
        )

    def _understand(self, settings: BrandSettings, text: str, language: str) -> Understanding:
        return self._understands(text, language, settings)

    def _among(self, others: Sequence[Rule], snapshot: Snapshot, settings: BrandSettings) -> _Company:
        return _Company(None, *self._ready(others, settings, self._company(snapshot, settings)))

    def _company(self, snapshot: Snapshot, settings: BrandSettings) -> _Company:
        """Return the brand's rules in force, ready to be compared with."""
        brand = settings.brand
        index = snapshot.brands[brand].index if brand in snapshot.brands else None
        company = self._companies.pop(brand, None)
        if company is None or company.index is not index or not company.watch.is_for(settings):
            company = _Company(index, *self._ready(active_rules(snapshot, brand), settings, company))
        self._companies[brand] = company
        while len(self._companies) > MOST_KEPT:
            del self._companies[next(iter(self._companies))]
        return company

    def _ready(self, rules: Collection[Rule], settings: BrandSettings, company: _Company | None) -> tuple[Watch, Rivals]:
        """Return what rules are compared with; what `company` holds of the same ones is taken over."""
        if company is None:
            return Watch(rules, settings, self._factory), Rivals(rules)
        return Watch(rules, settings, self._factory, company.watch), Rivals(rules, company.rivals)

    async def run(self, newer: Callable[[Snapshot], Awaitable[Snapshot]]) -> None:
        """Keep large brands' rules ready, so that no save has to wait for that; until cancelled.

        `newer` returns the configuration in force once it is another one than that given.
        """
        snapshot = self._in_force.snapshot
        while True:
            for brand in _large(snapshot):
                async with self._one_at_a_time:
                    company = await asyncio.to_thread(self._company, self._in_force.snapshot, settings_of(snapshot, brand))
                if company.watch.is_overgrown:
                    await self._merge(brand, company)
            self.is_ready = True
            snapshot = await newer(snapshot)

    async def _merge(self, brand: str, company: _Company) -> None:
        """Make what is kept of a brand cheaper to change. Saves go on beside it, and what they change is added at its end."""
        merged = replace(company, watch=await asyncio.to_thread(company.watch.merged))
        async with self._one_at_a_time:
            snapshot = self._in_force.snapshot
            self._companies[brand] = merged
            await asyncio.to_thread(self._company, snapshot, settings_of(snapshot, brand))


def _large(snapshot: Snapshot) -> list[str]:
    """Return the brands whose rules take long to make ready, those that take longest last, as many as are kept."""
    large = sorted((len(found.index), brand) for brand, found in snapshot.brands.items() if len(found.index) >= MANY)
    return [brand for _, brand in large[-MOST_KEPT:]]


def settings_of(snapshot: Snapshot, brand: str) -> BrandSettings:
    """Return a brand's settings in force; a brand that is not live yet has the usual ones."""
    found = snapshot.brands.get(brand)
    return found.settings if found else BrandSettings(brand)


def active_rules(snapshot: Snapshot, brand: str) -> Collection[Rule]:
    """Return a brand's rules in force."""
    found = snapshot.brands.get(brand)
    return found.index.rules if found else ()
