"""Why a rule did or did not act: every part of its conditions with its result and the values compared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rules.domain.checking.findings import listed
from rules.domain.checking.placing import placed
from rules.domain.checking.terms import Term, terms_of
from rules.domain.checking.ways import children, leaf_name
from rules.domain.cobra import cobra_level
from rules.domain.evaluate import evaluate
from rules.domain.event import NOTHING_UNDERSTOOD, Event, Understanding
from rules.domain.leaves import All, Any, Condition, FactLeaf, Not, TextLeaf, leaves_of
from rules.domain.matching.facts import Facts, compared, holds
from rules.domain.matching.index import build_snapshot
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import BrandSettings, Rule, Tag, Where
from rules.domain.schedule import describe, is_open
from rules.domain.state import EMPTY

_PROBE = Tag(tags=("probe",))
"""An action that nothing keeps a rule from."""

_EVERYWHERE = Where()


@dataclass(frozen=True, slots=True)
class Node:
    """A part of `when`: `kind` is all, any, not or the leaf's name; `detail` names the values compared, for people."""

    kind: str
    pointer: str
    holds: bool
    detail: str = ""
    parts: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A part of a rule that is no condition: its name in the document, whether it lets the rule act, and the values."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything that a rule asks of an event. `when` None: it asks nothing of it."""

    where: tuple[Check, ...]
    when: Node | None
    timing: tuple[Check, ...]
    terms: tuple[str, ...]

    @property
    def why_not(self) -> str:
        """Return what keeps the rule from matching, in words; "" when it matches."""
        return _failing(self.where) or (why_not(self.when) if self.when is not None else "")


def explain(rule: Rule, facts: Facts, factory: MatcherFactory) -> Explained:
    """Return how each part of the rule compares with the event. Limits are not among them: they ask what happened before."""
    event = facts.event
    found = found_terms(_terms(rule.when), event.text, factory)
    return Explained(
        where=tuple(_where(rule.where, event)),
        when=_node(rule.when, "/when", facts, found) if rule.when is not None else None,
        timing=tuple(_timing(rule, event)),
        terms=_found_texts(rule.when, found),
    )


def misplaced(where: Where, event: Event) -> str:
    """Return why the event does not stand where the rule looks, in words; "" when it does."""
    return _failing(_where(where, event))


def _failing(checks: Iterable[Check]) -> str:
    return "; ".join(check.detail for check in checks if not check.holds)


def facts_of(event: Event, understanding: Understanding, settings: BrandSettings) -> Facts:
    """Return what is known of an event outside the engine, which alone knows its authors' first events: taken as first."""
    return Facts(event, understanding, settings, cobra=cobra_level(event), first_contact=True)


def found_terms(terms: Iterable[Term], text: str, factory: MatcherFactory) -> frozenset[Term]:
    """Return those of the terms that the engine finds in the text: each stands in a rule of its own, and it is asked."""
    distinct = tuple(dict.fromkeys(terms))
    if not distinct:
        return frozenset()
    probes = [
        Rule(str(place), 1, "", when=TextLeaf((term.text,), (), term.mode, term.squeeze), then=(_PROBE,))
        for place, term in enumerate(distinct)
    ]
    snapshot = build_snapshot(0, [BrandSettings("")], probes, (), factory)
    decision, _ = evaluate(snapshot, EMPTY, placed(_EVERYWHERE, text, 0.0, brand=""), NOTHING_UNDERSTOOD)
    return frozenset(distinct[int(outcome.rule_id)] for outcome in decision.rules)


def matched_terms(when: Condition | None, text: str, factory: MatcherFactory) -> tuple[str, ...]:
    """Return the wanted terms of a condition that are in the text, as they were written."""
    return _found_texts(when, found_terms(_terms(when), text, factory))


def _found_texts(when: Condition | None, found: frozenset[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.text for leaf in _text_leaves(when) for term in terms_of(leaf, leaf.any) if term in found))


def _text_leaves(condition: Condition | None) -> Iterator[TextLeaf]:
    return (leaf for leaf in leaves_of(condition) if isinstance(leaf, TextLeaf)) if condition is not None else iter(())


def _terms(condition: Condition | None) -> Iterator[Term]:
    return (term for leaf in _text_leaves(condition) for term in terms_of(leaf, (*leaf.any, *leaf.none)))


def _node(condition: Condition, pointer: str, facts: Facts, found: frozenset[Term]) -> Node:
    parts = tuple(_node(part, place, facts, found) for part, place in children(condition, pointer))
    match condition:
        case All():
            return Node("all", pointer, all(part.holds for part in parts), parts=parts)
        case Any():
            return Node("any", pointer, any(part.holds for part in parts), parts=parts)
        case Not():
            return Node("not", pointer, not parts[0].holds, parts=parts)
        case TextLeaf():
            return _text_node(condition, f"{pointer}/text", found)
        case _:
            return _fact_node(condition, f"{pointer}/{leaf_name(condition)}", facts)


def _fact_node(leaf: FactLeaf, pointer: str, facts: Facts) -> Node:
    held = holds(leaf, facts)
    return Node(leaf_name(leaf), pointer, held, compared(leaf, facts) or compared(leaf, facts, negated=True))


def _text_node(leaf: TextLeaf, pointer: str, found: frozenset[Term]) -> Node:
    present = [term.text for term in terms_of(leaf, leaf.any) if term in found]
    unwanted = [term.text for term in terms_of(leaf, leaf.none) if term in found]
    details = [f"found {listed(present)}"] if present else []
    if leaf.any and not present:
        details.append(f"found none of {listed(leaf.any)}")
    if unwanted:
        details.append(f"found excluded {listed(unwanted)}")
    elif not leaf.any:
        details.append(f"found none of the excluded {listed(leaf.none)}")
    return Node("text", pointer, (bool(present) or not leaf.any) and not unwanted, "; ".join(details))


def why_not(node: Node) -> str:
    """Return the first thing that keeps a condition from holding, in words; "" when it holds."""
    if node.holds:
        return ""
    if node.kind == "all":
        return next(why_not(part) for part in node.parts if not part.holds)
    if node.kind == "any":
        return " and ".join(why_not(part) for part in node.parts)
    if node.kind == "not":
        return f"must not be: {why(node.parts[0])}"
    return node.detail


def why(node: Node) -> str:
    """Return what makes a condition hold, in words; "" when it does not."""
    if not node.holds:
        return ""
    if node.kind == "any":
        return next(why(part) for part in node.parts if part.holds)
    if node.kind == "all":
        return " and ".join(why(part) for part in node.parts)
    if node.kind == "not":
        return f"not: {why_not(node.parts[0])}"
    return node.detail


def _where(where: Where, event: Event) -> Iterator[Check]:
    for name, value, wanted in (
        ("platforms", event.platform, where.platforms),
        ("channels", event.channel, where.channels),
        ("kinds", event.kind, where.kinds),
    ):
        if wanted:
            yield Check(name, value in wanted, f"{name[:-1]} {value!r}, wants {_either(wanted)}")
    yield from _object_checks(where, event)
    if where.top_level_only:
        below = event.kind == "reply" or event.parent not in {"", event.root}
        yield Check("top_level_only", not below, "stands below a comment" if below else "stands on the post itself")
    if where.ads != "include":
        place = "under an ad" if event.ad else "not under an ad"
        yield Check("ads", event.ad == (where.ads == "only"), f"{place}, ads: {where.ads}")


def _object_checks(where: Where, event: Event) -> Iterator[Check]:
    names = {event.post, event.object}
    place = f"post {event.post!r}, object {event.object!r}"
    if where.objects_only:
        yield Check("objects/only", not names.isdisjoint(where.objects_only), f"{place}, wants {_either(where.objects_only)}")
    if where.objects_except:
        yield Check("objects/except", names.isdisjoint(where.objects_except), f"{place}, not {_either(where.objects_except)}")


def _either(names: Iterable[str]) -> str:
    ordered: Sequence[str] = sorted(names)
    return " or ".join(ordered[:5]) + (f" or {len(ordered) - 5} more" if len(ordered) > 5 else "")


def _timing(rule: Rule, event: Event) -> Iterator[Check]:
    if rule.schedule is not None:
        opened = is_open(rule.schedule, event.event_time)
        yield Check("schedule", opened, f"{'open' if opened else 'closed'} at {describe(rule.schedule, event.event_time)}")
    age = event.received_time - event.event_time
    yield Check("freshness", age <= rule.freshness_seconds, f"{age:.0f} s old, at most {rule.freshness_seconds:.0f} s")
