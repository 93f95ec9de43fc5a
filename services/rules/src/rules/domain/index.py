"""The configuration in force, arranged so that an event costs what the rules that could match it cost.

A rule is filed in the bucket of its kinds and platforms, under the terms of which one must be in the text. An event
opens at most four buckets and looks up only the terms that were found in its text.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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

MAX_PREPARED_SHARE = 2
"""When a builder has prepared this many times the rules there are, half its terms belong to rules that are gone: start anew."""

Matched = tuple[Rule, tuple[str, ...]]
"""A rule that matched by place and text, and the excluded terms that keep it from acting."""


@dataclass(slots=True)
class _Bucket:
    by_key: dict[int, list[int]] = field(default_factory=dict)
    always: list[int] = field(default_factory=list)


class BrandIndex:
    """The rules of one brand in their order; read-only after construction.

    `previous`: an index of mostly the same `Rule` objects; what was prepared for them is taken over.
    """

    __slots__ = ("_anywhere", "_buckets", "_builder", "_checks", "_kinds", "_platforms", "_prepared", "_vocabulary", "rules")

    def __init__(self, rules: Iterable[Rule], factory: MatcherFactory, previous: "BrandIndex | None" = None) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.priority, rule.rule_id)))
        self._builder, known, self._prepared = _inherited(self.rules, previous)
        self._checks = [known[id(rule)] if id(rule) in known else self._compiled(rule) for rule in self.rules]
        self._vocabulary: Vocabulary = self._builder.build(factory)
        self._anywhere = [_is_filed_exactly(rule.where) for rule in self.rules]
        self._buckets = _opened(self._filed())
        self._kinds = {kind for kind, _ in self._buckets}
        self._platforms = {platform for _, platform in self._buckets}

    def _compiled(self, rule: Rule) -> Check | None:
        return compile_condition(rule.when, self._builder) if rule.when is not None else None

    def _filed(self) -> dict[tuple[str, str], _Bucket]:
        buckets: defaultdict[tuple[str, str], _Bucket] = defaultdict(_Bucket)
        for place, (rule, check) in enumerate(zip(self.rules, self._checks, strict=True)):
            keys = check.access() if check is not None else None
            for address in product(_addresses(rule.where.kinds), _addresses(rule.where.platforms)):
                if keys is None:
                    buckets[address].always.append(place)
                    continue
                for key in keys:
                    buckets[address].by_key.setdefault(key, []).append(place)
        return buckets

    def matched(self, event: Event) -> list[Matched]:
        """Return the rules that match the event by place and text, in their order."""
        found = self._vocabulary.find(event.text)
        matched: list[Matched] = []
        for place in self._candidates(event, found):
            rule, check = self.rules[place], self._checks[place]
            if not self._anywhere[place] and not is_place(rule.where, event):
                continue
            if check is None or check.holds(found):
                matched.append((rule, ()))
            elif check.matches(found):
                matched.append((rule, check.excluding(found)))
        return matched

    def _candidates(self, event: Event, found: Collection[int]) -> Sequence[int]:
        kind = event.kind if event.kind in self._kinds else _EVERY
        platform = event.platform if event.platform in self._platforms else _EVERY
        candidates: set[int] = set()
        for bucket in self._buckets.get((kind, platform), ()):
            candidates.update(bucket.always)
            for key in found:
                if key in bucket.by_key:
                    candidates.update(bucket.by_key[key])
        return sorted(candidates)


def _inherited(rules: Sequence[Rule], previous: BrandIndex | None) -> tuple[VocabularyBuilder, dict[int, Check | None], int]:
    """Return the builder to go on with, the checks that are ready by the identity of their rule, and how many it has prepared."""
    if previous is None or previous._prepared > MAX_PREPARED_SHARE * len(rules):  # noqa: SLF001
        return VocabularyBuilder(), {}, len(rules)
    current = {id(rule) for rule in rules}
    known = {id(rule): check for rule, check in zip(previous.rules, previous._checks, strict=True) if id(rule) in current}  # noqa: SLF001
    return previous._builder, known, previous._prepared + len(rules) - len(known)  # noqa: SLF001


def _opened(filed: Mapping[tuple[str, str], _Bucket]) -> dict[tuple[str, str], tuple[_Bucket, ...]]:
    """Return for each place that rules name all buckets that an event there opens."""
    kinds = {kind for kind, _ in filed} | {_EVERY}
    platforms = {platform for _, platform in filed} | {_EVERY}
    return {
        (kind, platform): tuple(filed[address] for address in product({kind, _EVERY}, {platform, _EVERY}) if address in filed)
        for kind, platform in product(kinds, platforms)
    }


def _is_filed_exactly(where: Where) -> bool:
    """Return whether the bucket a rule is filed in says all about where it looks."""
    restricted = where.channels or where.objects_only or where.objects_except or where.top_level_only or where.ads != "include"
    return not restricted and len(where.kinds) <= MAX_FILED and len(where.platforms) <= MAX_FILED


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

    What `previous` prepared for the same `Rule` objects is taken over, so that a change costs little. One build at a
    time may follow from one previous snapshot.
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
    return BrandIndex(rules, factory, before.index if before is not None else None)
