"""What other rules in force do to a rule: those that go first may leave it nothing to do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rules.domain.acting import DEFAULT
from rules.domain.checking.findings import Finding, error, warning
from rules.domain.checking.implication import follows, takes_in
from rules.domain.checking.terms import forms
from rules.domain.checking.ways import Found, Way, formula, needed, ways
from rules.domain.leaves import TextMode
from rules.domain.matching.tier import order
from rules.domain.model import Answer, Handoff, Rule, RuleAction, Tag
from rules.domain.state import AUTHOR_SCOPES
from rules.domain.templates import PUBLIC_CHARACTERS, excess, worst_case

_DISCLOSURE, _DISCLOSURE_BYTES = 201, 801
"""The longest disclosure with what stands before it, in characters and UTF-8 bytes: brands change theirs at any time."""


@dataclass(frozen=True, slots=True)
class _Rival:
    """A rule in force, with what is prepared of it.

    `likeness`: the same for all rules with its `where` and `when`; `is_free`: no limit per author and no experiment keeps it
    from acting; `words`: spellings of which one is in every text on which it acts, None where there are no such.
    """

    rule: Rule
    likeness: int
    is_free: bool
    words: tuple[str, ...] | None


class Rivals:
    """The rules in force of one brand, ready to be compared with others. Immutable.

    What `previous` prepared for the same `Rule` objects is taken over.
    """

    def __init__(self, rules: Iterable[Rule], previous: "Rivals | None" = None) -> None:
        known = previous._rivals if previous is not None else {}  # noqa: SLF001
        self._rivals: dict[str, _Rival] = {}
        for rule in rules:
            ready = known.get(rule.rule_id)
            self._rivals[rule.rule_id] = ready if ready is not None and ready.rule is rule else _prepared(rule)

    def findings(self, rule: Rule) -> Iterator[Finding]:
        """Yield what the rules make of this one; its own id among them does not count."""
        likeness = _likeness(rule)
        for rival in self._rivals.values():
            if rival.likeness == likeness and rival.rule.rule_id != rule.rule_id and _does_the_same(rival.rule, rule):
                yield warning("duplicate", "", f"the rule {rival.rule.rule_id!r} has the same where, when and then")
        yield from _taken(rule, list(self._ahead(rule)))

    def _ahead(self, rule: Rule) -> Iterator[Rule]:
        """Yield the rules that go first and always act when this one may."""
        alternatives = ways(formula(rule.when))
        if alternatives is None:
            return
        words = _words_of(alternatives[0]) if alternatives else None
        for rival in self._rivals.values():
            near = rival.is_free and _goes_first(rival.rule, rule) and _may_be_in(rival.words, words)
            if near and _always_acts(rival.rule, rule, alternatives):
                yield rival.rule


def _prepared(rule: Rule) -> _Rival:
    is_free = rule.test is None and all(limit.per not in AUTHOR_SCOPES for limit in rule.limits)
    return _Rival(rule, _likeness(rule), is_free, _needed_words(rule) if is_free else None)


def _likeness(rule: Rule) -> int:
    return hash((rule.where, rule.when))


def _does_the_same(one: Rule, other: Rule) -> bool:
    return (one.where, one.when, one.then) == (other.where, other.when, other.then)


def _needed_words(rule: Rule) -> tuple[str, ...] | None:
    terms = needed(formula(rule.when))
    if terms is None or any(term.mode is TextMode.REGEX for term in terms):
        return None
    return tuple(form for term in terms for form in forms(term))


def _words_of(way: Way) -> str:
    """Return all spellings of the words that the way asks for, joined."""
    terms = [term for literal in way if isinstance(literal.leaf, Found) and not literal.negated for term in literal.leaf.terms]
    return "\n".join(form for term in terms if term.mode is not TextMode.REGEX for form in forms(term))


def _may_be_in(words: tuple[str, ...] | None, text: str | None) -> bool:
    """Tell quickly what cannot follow: one term follows from another only where its spelling is inside the other's."""
    return words is None or text is None or any(word in text for word in words)


def _goes_first(other: Rule, rule: Rule) -> bool:
    return other.priority <= rule.priority and order(other) < order(rule) and other.rule_id != rule.rule_id


def _always_acts(other: Rule, rule: Rule, alternatives: Sequence[Way]) -> bool:
    """Return whether the other (which has no limit per author) can only lack a free slot whenever this one may act.

    `alternatives`: the ways in which this one's condition can hold.
    """
    if not takes_in(other.where, rule.where) or other.freshness_seconds < rule.freshness_seconds:
        return False
    if other.schedule is not None and other.schedule != rule.schedule:
        return False
    wanted = formula(other.when)
    return all(follows(way, wanted) for way in alternatives)


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
