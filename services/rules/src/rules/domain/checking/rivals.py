"""What other rules in force do to a rule: those that go first may leave it nothing to do."""

from collections.abc import Iterable, Iterator, Sequence

from rules.domain.acting import DEFAULT
from rules.domain.checking.findings import Finding, error, warning
from rules.domain.checking.implication import follows, takes_in
from rules.domain.checking.ways import formula, ways
from rules.domain.leaves import Condition
from rules.domain.matching.tier import order
from rules.domain.model import Answer, Handoff, Rule, RuleAction, Tag, Where
from rules.domain.state import AUTHOR_SCOPES
from rules.domain.templates import PUBLIC_CHARACTERS, excess, worst_case

_DISCLOSURE, _DISCLOSURE_BYTES = 201, 801
"""The longest disclosure with what stands before it, in characters and UTF-8 bytes: brands change theirs at any time."""


class Rivals:
    """The rules in force of one brand, ready to be compared with others. Immutable."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._alike: dict[tuple[Where, Condition | None], list[Rule]] = {}
        self._free: list[Rule] = []
        for rule in rules:
            self._alike.setdefault((rule.where, rule.when), []).append(rule)
            if rule.test is None and all(limit.per not in AUTHOR_SCOPES for limit in rule.limits):
                self._free.append(rule)

    def findings(self, rule: Rule) -> Iterator[Finding]:
        """Yield what the rules make of this one; its own id among them does not count."""
        for other in self._alike.get((rule.where, rule.when), ()):
            if other.rule_id != rule.rule_id and other.then == rule.then:
                yield warning("duplicate", "", f"the rule {other.rule_id!r} has the same where, when and then")
        yield from _taken(rule, [other for other in self._free if _goes_first(other, rule) and _always_acts(other, rule)])


def _goes_first(other: Rule, rule: Rule) -> bool:
    return other.priority <= rule.priority and order(other) < order(rule) and other.rule_id != rule.rule_id


def _always_acts(other: Rule, rule: Rule) -> bool:
    """Return whether the other (which has no limit per author) can only lack a free slot whenever this one may act."""
    return (
        takes_in(other.where, rule.where)
        and (other.schedule is None or other.schedule == rule.schedule)
        and other.freshness_seconds >= rule.freshness_seconds
        and _matches_whenever(other, rule)
    )


def _matches_whenever(other: Rule, rule: Rule) -> bool:
    alternatives = ways(formula(rule.when))
    wanted = formula(other.when)
    return alternatives is not None and all(follows(way, wanted) for way in alternatives)


def _taken(rule: Rule, ahead: Sequence[Rule]) -> Iterator[Finding]:
    for other in ahead:
        if other.stop and _leaves_nothing(other, rule):
            yield error("shadowed", "", f"{other.rule_id!r} goes first, matches whenever this rule does, and stops the event")
            return
    for place, action in enumerate(rule.then):
        owner = next((other.rule_id for other in ahead if action.slot in _sure_slots(other)), None)
        if action.slot and owner is not None:
            detail = f"the {action.slot} is always taken by {owner!r}, which goes first and matches whenever this rule does"
            yield warning("slot_always_taken", f"/then/{place}", detail)


def _leaves_nothing(other: Rule, rule: Rule) -> bool:
    """Return whether the other acts, or has lost all its slots to still earlier rules and this rule wants no other slot."""
    if any(isinstance(action, Tag | Handoff) for action in other.then):
        return True
    slots = _sure_slots(other)
    return bool(slots) and all(action.slot in slots for action in rule.then)


def _sure_slots(other: Rule) -> frozenset[str]:
    """Return the slots that are taken once the rule has had its turn, by itself or by an earlier one."""
    return frozenset(action.slot for action in other.then if action.slot and not _may_fail(action))


def _may_fail(action: RuleAction) -> bool:
    """Return whether there may be no text for the language, or a text that is too long for the platform."""
    if not isinstance(action, Answer):
        return False
    platforms = tuple(PUBLIC_CHARACTERS)
    return DEFAULT not in action.texts or any(
        excess(characters + _DISCLOSURE, encoded + _DISCLOSURE_BYTES, platforms, private=private)
        for variants in action.texts.values()
        for characters, encoded in map(worst_case, variants)
        for private in (True, False)
    )
