"""The configuration in force, arranged so that an event costs what the rules that could match it cost.

A rule is filed in the bucket of its kinds and platforms, under the terms of which one must be in the text. An event
opens at most four buckets and looks up only the terms that were found in its text.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

from rules.domain.conditions import Check, compile_condition
from rules.domain.event import Event
from rules.domain.model import BrandSettings as BrandSettings
from rules.domain.model import Rule, Where
from rules.domain.vocabulary import MatcherFactory, Vocabulary, VocabularyBuilder

_EVERY = "*"
"""Bucket of rules that name no kind (or no platform), or too many."""

MAX_FILED = 4
"""A rule that names more kinds or platforms than this is filed once for all: more copies cost memory and save little."""

Matched = tuple[Rule, tuple[str, ...]]
"""A rule that matched by place and text, and the excluded terms that keep it from acting."""


@dataclass(slots=True)
class _Bucket:
    by_key: dict[int, list[int]] = field(default_factory=dict)
    always: list[int] = field(default_factory=list)


class BrandIndex:
    """The rules of one brand in their order; read-only after construction."""

    __slots__ = ("_buckets", "_checks", "_vocabulary", "rules")

    def __init__(self, rules: Iterable[Rule], factory: MatcherFactory) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.priority, rule.rule_id)))
        builder = VocabularyBuilder()
        self._checks = [compile_condition(rule.when, builder) if rule.when is not None else None for rule in self.rules]
        self._vocabulary: Vocabulary = builder.build(factory)
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        for place, (rule, check) in enumerate(zip(self.rules, self._checks, strict=True)):
            self._file(place, rule.where, check)

    def _file(self, place: int, where: Where, check: Check | None) -> None:
        keys = check.access() if check is not None else None
        for address in product(_addresses(where.kinds), _addresses(where.platforms)):
            bucket = self._buckets.setdefault(address, _Bucket())
            if keys is None:
                bucket.always.append(place)
                continue
            for key in keys:
                bucket.by_key.setdefault(key, []).append(place)

    def matched(self, event: Event) -> list[Matched]:
        """Return the rules that match the event by place and text, in their order."""
        found = self._vocabulary.find(event.text)
        candidates = self._candidates(event, found)
        if not candidates:
            return []
        matched: list[Matched] = []
        for place in sorted(candidates):
            rule, check = self.rules[place], self._checks[place]
            if not is_place(rule.where, event) or (check is not None and not check.matches(found)):
                continue
            excluded = () if check is None or check.holds(found) else check.excluding(found)
            matched.append((rule, excluded))
        return matched

    def _candidates(self, event: Event, found: Collection[int]) -> set[int]:
        candidates: set[int] = set()
        kind, platform = event.kind, event.platform
        for address in ((kind, platform), (kind, _EVERY), (_EVERY, platform), (_EVERY, _EVERY)):
            bucket = self._buckets.get(address)
            if bucket is None:
                continue
            candidates.update(bucket.always)
            for key in found:
                places = bucket.by_key.get(key)
                if places:
                    candidates.update(places)
        return candidates


def _addresses(names: frozenset[str]) -> Collection[str]:
    return names if 0 < len(names) <= MAX_FILED else (_EVERY,)


def is_place(where: Where, event: Event) -> bool:
    """Return whether the event stands where the rule looks."""
    return (
        _is_channel(where, event) and _is_object(where, event) and (where.ads == "include" or event.ad == (where.ads == "only"))
    )


def _is_channel(where: Where, event: Event) -> bool:
    return (
        (not where.kinds or event.kind in where.kinds)
        and (not where.platforms or event.platform in where.platforms)
        and (not where.channels or event.channel in where.channels)
    )


def _is_object(where: Where, event: Event) -> bool:
    if where.top_level_only and (event.kind == "reply" or event.parent not in {"", event.root}):
        return False
    if where.objects_only and event.post not in where.objects_only and event.object not in where.objects_only:
        return False
    return not where.objects_except or (event.post not in where.objects_except and event.object not in where.objects_except)


@dataclass(frozen=True, slots=True)
class BrandConfiguration:
    """What is in force for one brand."""

    settings: BrandSettings
    index: BrandIndex


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything in force at one revision (offset in the configuration topic; -1: nothing yet). Immutable.

    `own_accounts`: (platform, account) of every channel of every brand.
    """

    revision: int
    brands: dict[str, BrandConfiguration]
    own_accounts: frozenset[tuple[str, str]]


def build_snapshot(
    revision: int,
    brands: Iterable[BrandSettings],
    rules: Iterable[Rule],
    channels: Iterable[tuple[str, str]],
    matcher_factory: MatcherFactory,
    previous: Snapshot | None = None,
) -> Snapshot:
    """Return the snapshot of brands, active rules and own accounts (platform, account).

    Indexes of `previous` are taken over for brands whose `Rule` objects are the same, so a change costs one brand.
    """
    by_brand: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_brand[rule.brand].append(rule)
    before = previous.brands if previous is not None else {}
    configurations = {
        settings.brand: BrandConfiguration(
            settings, _index(by_brand[settings.brand], before.get(settings.brand), matcher_factory)
        )
        for settings in brands
    }
    return Snapshot(revision, configurations, frozenset(channels))


def _index(rules: Sequence[Rule], before: BrandConfiguration | None, factory: MatcherFactory) -> BrandIndex:
    if before is not None and {id(rule) for rule in rules} == {id(rule) for rule in before.index.rules}:
        return before.index
    return BrandIndex(rules, factory)
