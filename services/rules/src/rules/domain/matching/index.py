"""The configuration in force: for each brand its settings and the index of its rules.

An index has up to two tiers: a large one, and a small one with what has changed since. So a change costs the rules that
have changed. Both become one again beside the changes, never on their way.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rules.domain.matching.facts import Facts
from rules.domain.matching.tier import Matched as Matched
from rules.domain.matching.tier import Tier, order
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import BrandSettings as BrandSettings
from rules.domain.model import Rule
from rules.domain.programme import Programme

MAX_RECENT = 128
"""Changed rules beside the large tier, and as many that are gone from it, beyond which an index is to be merged. More make
every change and every event cost more; fewer make the large tier, a second's work at 10,000 rules, be built more often."""

MAX_RECENT_SHARE = 2
"""An index of which more than this part has changed is built anew: that costs about what the small tier would."""


class BrandIndex:
    """The rules of one brand; read-only after construction."""

    __slots__ = ("_base", "_gone", "_recent", "asks_first_contact")

    def __init__(self, base: Tier, gone: frozenset[int] = frozenset(), recent: Tier | None = None) -> None:
        self._base = base
        self._gone = gone
        self._recent = recent
        self.asks_first_contact = bool(base.asking - gone) or (recent is not None and bool(recent.asking))
        """Whether a rule wants to know who is seen for the first time."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return all rules in their order."""
        rules = [rule for place, rule in enumerate(self._base.rules) if place not in self._gone]
        for rule in self._recent.rules if self._recent is not None else ():
            insort(rules, rule, key=order)  # a fraction of what sorting all of them again takes
        return tuple(rules)

    @property
    def is_merged(self) -> bool:
        """Return whether there is only the large tier."""
        return self._recent is None and not self._gone

    @property
    def is_overgrown(self) -> bool:
        """Return whether so much has changed that both tiers should become one."""
        return max(len(self._gone), len(self._recent.rules) if self._recent is not None else 0) > MAX_RECENT

    def __len__(self) -> int:
        """Return how many rules there are."""
        return len(self._base.rules) - len(self._gone) + (len(self._recent.rules) if self._recent is not None else 0)

    def matched(self, facts: Facts) -> list[Matched]:
        """Return the rules that match the event by place and text, in their order."""
        forms = facts.forms
        matched = self._base.matched(facts, forms, self._gone)
        if self._recent is None:
            return matched
        late = self._recent.matched(facts, forms)
        return sorted(matched + late, key=lambda pair: order(pair[0])) if late else matched

    def followed_by(self, rules: Sequence[Rule], factory: MatcherFactory) -> "BrandIndex":
        """Return the index of other rules, this one if they are the same; the large tier serves on for those in it."""
        base, before = self._base, self._recent
        recent = [rule for rule in rules if id(rule) not in base.places]
        gone: frozenset[int] = frozenset()
        if len(base.rules) + len(recent) > len(rules):
            current = {id(rule) for rule in rules}
            gone = frozenset(place for known, place in base.places.items() if known not in current)
        if max(len(recent), len(gone)) > len(rules) // MAX_RECENT_SHARE:
            return BrandIndex(Tier(rules, factory))
        if gone == self._gone and {id(rule) for rule in recent} == (before.places.keys() if before is not None else set()):
            return self
        return BrandIndex(base, gone, Tier(recent, factory) if recent else None)

    def merged(self, factory: MatcherFactory) -> "BrandIndex":
        """Return the index of the same rules in one tier, with what was prepared for them taken over.

        It may be made while others follow from this one; but only one merge at a time may go on from one index.
        """
        return self if self.is_merged else BrandIndex(Tier(self.rules, factory, self._base))


def build_index(rules: Sequence[Rule], factory: MatcherFactory) -> BrandIndex:
    """Return the index of rules, in one tier."""
    return BrandIndex(Tier(rules, factory))


@dataclass(frozen=True, slots=True)
class BrandConfiguration:
    """What is in force for one brand. `programme` None: it is not told, as where a rule is tried by itself."""

    settings: BrandSettings
    index: BrandIndex
    programme: Programme | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything in force at one revision (offset in the configuration topic; -1: nothing yet). Immutable.

    `own_accounts`: (platform, account) of every channel of every brand.
    """

    revision: int
    brands: dict[str, BrandConfiguration]
    own_accounts: frozenset[tuple[str, str]]

    @property
    def is_overgrown(self) -> bool:
        """Return whether a brand's index should be merged."""
        return any(brand.index.is_overgrown for brand in self.brands.values())


def build_snapshot(
    revision: int,
    brands: Iterable[BrandSettings],
    rules: Iterable[Rule],
    channels: Iterable[tuple[str, str]],
    matcher_factory: MatcherFactory,
    previous: Snapshot | None = None,
    programmes: Mapping[str, Programme] | None = None,
) -> Snapshot:
    """Return the snapshot of brands, active rules, own accounts (platform, account) and, by brand, what is run beside rules.

    What `previous` prepared for the same `Rule` objects is taken over, so that a change costs little.
    """
    by_brand: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_brand[rule.brand].append(rule)
    before = previous.brands if previous is not None else {}
    configurations = {
        settings.brand: BrandConfiguration(
            settings,
            _index(by_brand[settings.brand], before.get(settings.brand), matcher_factory),
            (programmes or {}).get(settings.brand),
        )
        for settings in brands
    }
    return Snapshot(revision, configurations, frozenset(channels))


def _index(rules: Sequence[Rule], before: BrandConfiguration | None, factory: MatcherFactory) -> BrandIndex:
    return build_index(rules, factory) if before is None else before.index.followed_by(rules, factory)


def merge_snapshot(snapshot: Snapshot, matcher_factory: MatcherFactory) -> Snapshot:
    """Return the snapshot that decides the same, every index in one tier; the same object when there is nothing to merge.

    It makes events cheaper, and the changes to come. Other snapshots may follow from the same one meanwhile: theirs is then
    built once more from the merged one. One merge at a time may go on from one snapshot.
    """
    if all(brand.index.is_merged for brand in snapshot.brands.values()):
        return snapshot
    brands = {name: replace(brand, index=brand.index.merged(matcher_factory)) for name, brand in snapshot.brands.items()}
    return replace(snapshot, brands=brands)
