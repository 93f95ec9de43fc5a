"""Static checks of a rule: conditions that can never hold, words that never come, rules that others make needless.

An error is a proof: a rule with one never acts, or acts on everything. What is only likely to be a slip is a warning.
Where something cannot be proved in a bounded time nothing is said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.domain.checking.findings import Finding, error, listed, warning
from rules.domain.checking.implication import clash
from rules.domain.checking.rivals import Rivals
from rules.domain.checking.ways import Found, Literal, Way, children, formula, leaf_name, ways
from rules.domain.checking.wording import action_findings, term_findings
from rules.domain.cobra import LEVELS
from rules.domain.leaves import All, Any, CobraLeaf, Condition, FactLeaf, ThreadLeaf
from rules.domain.matching.facts import COBRA_LEVELS, IN_THREAD, ON_POST
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import BrandSettings, Rule, Schedule, Where

_LONGEST_LOOK_DAYS = 4000
"""Days that are looked at for an open one. The exceptions of a rule cannot close more: some weekday always comes again."""

_ONE_DAY = timedelta(days=1)

Clash = tuple[Literal, Literal]
"""Two literals that exclude each other."""


def findings(rule: Rule, others: Rivals, settings: BrandSettings, *, now: float, factory: MatcherFactory) -> tuple[Finding, ...]:
    """Return what is wrong with a rule beside the other active rules of its brand; `now` in unix seconds."""
    return (
        *_condition_findings(rule),
        *_place_findings(rule.where),
        *term_findings(rule, factory),
        *(_schedule_findings(rule.schedule, now - rule.freshness_seconds) if rule.schedule is not None else ()),
        *action_findings(rule, settings),
        *others.findings(rule),
    )


def _condition_findings(rule: Rule) -> Iterator[Finding]:
    given = _given_by(rule.where)
    clashes = _clashes(rule.when, given)
    if clashes is None:
        return
    proved = [pair for pair in clashes if pair is not None]
    if len(proved) == len(clashes):
        yield error("contradictory", _blamed(proved), f"can never hold: {_exclude(proved[0])}")
    elif rule.when is not None:
        yield from _branch_findings(rule.when, given)


def _blamed(proved: Sequence[Clash]) -> str:
    return proved[0][1].pointer if len(proved) == 1 else "/when"


def _branch_findings(when: Condition, given: Way) -> Iterator[Finding]:
    for branch, pointer in _branches(when, "/when"):
        clashes = _clashes(branch, given, pointer)
        proved = [pair for pair in clashes or () if pair is not None]
        if proved and len(proved) == len(clashes or ()):
            yield warning("branch_never_holds", pointer, f"this alternative can never hold: {_exclude(proved[0])}")


def _clashes(when: Condition | None, given: Way, pointer: str = "/when") -> list[Clash | None] | None:
    alternatives = ways(formula(when, pointer))
    return None if alternatives is None else [clash((*given, *way)) for way in alternatives]


def _branches(condition: Condition, pointer: str) -> Iterator[tuple[Condition, str]]:
    """Yield the parts of every `any` that stands below `all` and `any` alone."""
    if isinstance(condition, All | Any):
        for part, place in children(condition, pointer):
            if isinstance(condition, Any):
                yield part, place
            yield from _branches(part, place)


def _given_by(where: Where) -> Way:
    """Return what the place alone says about an event's level and depth."""
    given: list[Literal] = []
    if where.kinds == {"reply"}:
        given.append(Literal(ThreadLeaf(depth_at_least=IN_THREAD), False, "/where/kinds"))
    if where.top_level_only:
        given.append(Literal(ThreadLeaf(depth_at_most=ON_POST), False, "/where/top_level_only"))
    if where.kinds and where.kinds <= LEVELS.keys():
        levels = sorted((level for kind in where.kinds for level in LEVELS[kind]), key=COBRA_LEVELS.index)
        given.append(Literal(CobraLeaf(levels[0], levels[-1]), False, "/where/kinds"))
    return tuple(given)


def _exclude(pair: Clash) -> str:
    return f"{_said(pair[0])} and {_said(pair[1])} exclude each other"


def _said(literal: Literal) -> str:
    return f"{'not ' if literal.negated else ''}{_leaf_in_words(literal.leaf)}"


def _leaf_in_words(leaf: Found | FactLeaf) -> str:
    if isinstance(leaf, Found):
        return f"text with {listed(term.text for term in leaf.terms)}"
    given = {field.name: getattr(leaf, field.name) for field in fields(leaf)}
    parts = [f"{name} {_value(value)}" for name, value in given.items() if value not in {None, "", frozenset(), "unspecified"}]
    return f"{leaf_name(leaf)} ({', '.join(parts)})"


def _value(value: object) -> str:
    return listed(sorted(value)) if isinstance(value, frozenset | tuple) else str(value)


def _place_findings(where: Where) -> Iterator[Finding]:
    if where.objects_only and where.objects_only <= where.objects_except:
        yield error("contradictory", "/where/objects/except", "excludes every object that `only` names")


def _schedule_findings(schedule: Schedule, earliest: float) -> Iterator[Finding]:
    """`earliest`: time of the oldest event (unix seconds) that the rule may still act on."""
    if not _opens(schedule):
        yield error("never_open", "/schedule", "no day in `from` … `until` is one of `weekdays` and not in `except`")
    elif schedule.until is not None and _date(schedule, earliest) - schedule.until > _ONE_DAY:  # a night shift ends a day later
        yield error("schedule_over", "/schedule/until", f"{schedule.until} is past, so the rule can never act again")


def _opens(schedule: Schedule) -> bool:
    if schedule.until is None:
        return True
    span = min((schedule.until - (schedule.from_ or date.min)).days, _LONGEST_LOOK_DAYS)
    days = (schedule.until - number * _ONE_DAY for number in range(span + 1))
    return any((not schedule.weekdays or day.weekday() in schedule.weekdays) and day not in schedule.except_ for day in days)


def _date(schedule: Schedule, moment: float) -> date:
    return datetime.fromtimestamp(moment, ZoneInfo(schedule.timezone)).date()
