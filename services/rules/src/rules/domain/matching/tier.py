"""Rules, arranged so that an event costs what the rules that could match it cost.

A rule is filed in the bucket of its kinds and platforms, under the terms of which one must be in the text. An event
opens at most four buckets and looks up only the terms that were found in its text.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from rules.domain.event import Event
from rules.domain.leaves import AuthorLeaf, leaves_of
from rules.domain.matching.conditions import Check, Refusal, compile_condition
from rules.domain.matching.facts import Facts
from rules.domain.matching.vocabulary import Forms, MatcherFactory, Vocabulary, VocabularyBuilder
from rules.domain.model import SILENT_KINDS, Rule, Where

_EVERY = "*"
"""Bucket of rules that name no kind (or no platform), or too many."""

MAX_FILED = 4
"""A rule that names more kinds or platforms than this is filed once for all: more copies cost memory and save little."""

MAX_PREPARED_SHARE = 2
"""When a builder has prepared this many times the rules there are, half its terms belong to rules that are gone: start anew."""

Matched = tuple[Rule, Refusal | None]
"""A rule that matched by place and text, and what keeps it from acting."""


@dataclass(slots=True)
class _Bucket:
    by_key: dict[int, list[int]] = field(default_factory=dict)
    always: list[int] = field(default_factory=list)


class Tier:
    """Rules in their order, arranged; read-only after construction.

    `previous`: a tier of mostly the same `Rule` objects; what was prepared for them is taken over. One construction at a
    time may follow from one previous tier.
    """

    __slots__ = (
        "_anywhere",
        "_buckets",
        "_builder",
        "_checks",
        "_kinds",
        "_platforms",
        "_prepared",
        "_vocabulary",
        "asking",
        "places",
        "rules",
    )

    def __init__(self, rules: Sequence[Rule], factory: MatcherFactory, previous: "Tier | None" = None) -> None:
        self.rules = tuple(sorted(rules, key=order))
        self._builder, known, self._prepared = _inherited(self.rules, previous)
        self._checks = [known[id(rule)] if id(rule) in known else self._compiled(rule) for rule in self.rules]
        self._vocabulary: Vocabulary = self._builder.build(factory)
        self._anywhere = [_is_filed_exactly(rule.where) for rule in self.rules]
        self._buckets = _opened(self._filed())
        self._kinds = {kind for kind, _ in self._buckets}
        self._platforms = {platform for _, platform in self._buckets}
        self.places = {id(rule): place for place, rule in enumerate(self.rules)}
        """Places by the identity of their rule."""
        self.asking = frozenset(place for place, rule in enumerate(self.rules) if _asks_first_contact(rule))
        """Places of the rules that want to know who is seen for the first time."""

    def _compiled(self, rule: Rule) -> Check | None:
        return compile_condition(rule.when, self._builder) if rule.when is not None else None

    def _filed(self) -> dict[tuple[str, str], _Bucket]:
        buckets: defaultdict[tuple[str, str], _Bucket] = defaultdict(_Bucket)
        for place, (rule, check) in enumerate(zip(self.rules, self._checks, strict=True)):
            keys = check.access() if check is not None else None
            for address in product(_kind_addresses(rule.where.kinds), _addresses(rule.where.platforms)):
                if keys is None:
                    buckets[address].always.append(place)
                    continue
                for key in keys:
                    buckets[address].by_key.setdefault(key, []).append(place)
        return buckets

    def matched(self, facts: Facts, forms: Forms, gone: Collection[int] = ()) -> list[Matched]:
        """Return the rules that match by place and text, in their order, but for those at the places in `gone`."""
        event = facts.event
        found = self._vocabulary.find(forms)
        matched: list[Matched] = []
        for place in self._candidates(event, found):
            if not self._anywhere[place] and not is_place(self.rules[place].where, event):
                continue
            check = self._checks[place]
            if place in gone:
                continue
            if check is None or check.holds(found, facts):
                matched.append((self.rules[place], None))
            elif check.matches(found):
                matched.append((self.rules[place], check.refusal(found, facts)))
        return matched

    def _candidates(self, event: Event, found: Collection[int]) -> Collection[int]:
        kind = event.kind if event.kind in self._kinds else _EVERY
        platform = event.platform if event.platform in self._platforms else _EVERY
        candidates: list[int] = []
        if kind is _EVERY and event.kind in SILENT_KINDS:
            return candidates
        for bucket in self._buckets.get((kind, platform), ()):
            candidates += bucket.always
            for key in found:
                if key in bucket.by_key:
                    candidates += bucket.by_key[key]
        return sorted(set(candidates)) if len(candidates) > 1 else candidates


def order(rule: Rule) -> tuple[int, str]:
    """Return the key by which rules go one after the other."""
    return rule.priority, rule.rule_id


def _asks_first_contact(rule: Rule) -> bool:
    if rule.when is None:
        return False
    return any(isinstance(leaf, AuthorLeaf) and leaf.first_contact is not None for leaf in leaves_of(rule.when))


def _inherited(rules: Sequence[Rule], previous: Tier | None) -> tuple[VocabularyBuilder, dict[int, Check | None], int]:
    """Return the builder to go on with, the checks that are ready by the identity of their rule, and how many it has prepared."""
    if previous is None or previous._prepared > MAX_PREPARED_SHARE * len(rules):  # noqa: SLF001
        return VocabularyBuilder(), {}, len(rules)
    current = {id(rule) for rule in rules}
    known = {id(rule): check for rule, check in zip(previous.rules, previous._checks, strict=True) if id(rule) in current}  # noqa: SLF001
    return previous._builder, known, previous._prepared + len(rules) - len(known)  # noqa: SLF001


def _opened(filed: Mapping[tuple[str, str], _Bucket]) -> dict[tuple[str, str], tuple[_Bucket, ...]]:
    """Return for each place that rules name all buckets that an event there opens; a silent kind opens only its own."""
    kinds = {kind for kind, _ in filed} | {_EVERY}
    platforms = {platform for _, platform in filed} | {_EVERY}
    opened = {}
    for kind, platform in product(kinds, platforms):
        near = {kind} if kind in SILENT_KINDS else {kind, _EVERY}
        opened[kind, platform] = tuple(filed[address] for address in product(near, {platform, _EVERY}) if address in filed)
    return opened


def _is_filed_exactly(where: Where) -> bool:
    """Return whether the bucket a rule is filed in says all about where it looks."""
    restricted = where.channels or where.objects_only or where.objects_except or where.top_level_only or where.ads != "include"
    return not restricted and _EVERY not in {*_spread(where.kinds), *_spread(where.platforms)}


def _spread(names: frozenset[str]) -> Collection[str]:
    return _addresses(names) if names else ()


def _addresses(names: frozenset[str]) -> Collection[str]:
    return names if 0 < len(names) <= MAX_FILED else (_EVERY,)


def _kind_addresses(kinds: frozenset[str]) -> Collection[str]:
    """A rule for a silent kind is filed under each of its kinds: events of such a kind look nowhere else."""
    return _addresses(kinds) if kinds.isdisjoint(SILENT_KINDS) else kinds


def is_place(where: Where, event: Event) -> bool:
    """Return whether the event stands where the rule looks."""
    return (
        _is_channel(where, event) and _is_object(where, event) and (where.ads == "include" or event.ad == (where.ads == "only"))
    )


def _is_channel(where: Where, event: Event) -> bool:
    return (
        (event.kind in where.kinds if where.kinds else event.kind not in SILENT_KINDS)
        and (not where.platforms or event.platform in where.platforms)
        and (not where.channels or event.channel in where.channels)
    )


def _is_object(where: Where, event: Event) -> bool:
    if where.top_level_only and (event.kind == "reply" or event.parent not in {"", event.root}):
        return False
    if where.objects_only and event.post not in where.objects_only and event.object not in where.objects_only:
        return False
    return not where.objects_except or (event.post not in where.objects_except and event.object not in where.objects_except)
