"""COBRA: consumers' online brand-related activities, by level, and the funnel of people.

Muntinga, Moorman & Smit 2011, International Journal of Advertising 30(1); scale by Schivinski, Christodoulides & Dabrowski
2016, Journal
of Advertising Research 56(1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.domain.counts import Totals, summed
from metrics.domain.hour import Hour, each
from metrics.domain.levels import BLIND, LEVELS, REPORTED
from metrics.domain.reports.figures import Described, Part, part

PARTS = ("levels", "people", "counts")
"""What the report reads of each hour."""


@dataclass(frozen=True, slots=True)
class Levels(Described):
    """How many at each level."""

    consuming: Part
    """Views, clicks on tracked links, follows, saves: what a platform reports of them."""
    contributing: Part
    """Reactions, comments, replies, shares, votes, ratings without words."""
    creating: Part
    """Posts, mentions, photos, reviews with words, entries to campaigns."""


@dataclass(frozen=True, slots=True)
class Funnel(Described):
    """How many people came at least so far."""

    people: int
    """People seen at any level."""
    contributing_or_more: Part
    """People who contributed or created, of all seen."""
    creating: Part
    """People who created, of all seen."""
    creating_of_contributing: Part
    """People who created, of those who contributed or created."""


@dataclass(frozen=True, slots=True)
class Blind(Described):
    """What a platform does not report of single people; it is nowhere imputed."""

    platform: str
    """The platform."""
    unreported: list[str] | None
    """Kinds of activity that it does not report; null: this release has no table for the platform."""
    share: float | None
    """Unreported kinds, of the kinds of activity that the platform has; null where `unreported` is."""


@dataclass(frozen=True, slots=True)
class Cobra(Described):
    """Activities and people by COBRA level. People are distinct: each counts once, at the highest level reached in the period."""

    events: Levels
    """Activities by level; each event has exactly one. Edits, deletions and the brand's own are none."""
    events_total: int
    """Activities with a level."""
    events_without_level: int
    """People's new events whose level is not determined; in no other figure here."""
    people: Levels
    """People by the highest level that each reached. One person on two platforms is two."""
    people_total: int
    """People seen."""
    funnel: Funnel
    """From consuming over contributing to creating."""
    events_by_platform: dict[str, Totals]
    """Platform → level → activities."""
    people_by_platform: dict[str, Totals]
    """Platform → level → people."""
    events_without_person: Totals
    """Level → activities whose author the platform hides: among the events, missing from the people."""
    blind: list[Blind]
    """For each platform seen, what it does not report."""


def cobra(hours: Sequence[Hour]) -> Cobra:
    """Return the report of a period."""
    events: dict[str, Totals] = {}
    nameless: list[tuple[str, int]] = []
    for (platform, level), [count] in each(hours, "levels"):
        counts = events.setdefault(str(platform), {})
        counts[str(level)] = counts.get(str(level), 0) + count
    for key, values in each(hours, "counts"):
        if key[0] == "nobody":
            nameless.append((str(key[2]), values[0]))
    people = {platform: {level: len(persons) for level, persons in found.items()} for platform, found in _people(hours).items()}
    by_level = _over_platforms(events)
    persons = _over_platforms(people)
    return Cobra(
        events=_levels(by_level),
        events_total=sum(by_level[level] for level in LEVELS),
        events_without_level=sum(count for counts in events.values() for level, count in counts.items() if level not in LEVELS),
        people=_levels(persons),
        people_total=sum(persons.values()),
        funnel=_funnel(persons),
        events_by_platform={name: _known(events[name]) for name in sorted(events)},
        people_by_platform={name: _known(people[name]) for name in sorted(people)},
        events_without_person=summed(nameless),
        blind=[_blind(platform) for platform in sorted(events)],
    )


def _people(hours: Sequence[Hour]) -> dict[str, dict[str, set[int]]]:
    """Return platform → level → the people who reached it and no higher one."""
    found: dict[str, dict[str, set[int]]] = {}
    for hour in hours:
        for name, persons in hour.people.items():
            platform, _, level = name.partition(" ")
            found.setdefault(platform, {name: set() for name in LEVELS})[level].update(persons)
    for levels in found.values():
        levels["contributing"] -= levels["creating"]
        levels["consuming"] -= levels["creating"]
        levels["consuming"] -= levels["contributing"]
    return found


def _over_platforms(counts: dict[str, Totals]) -> Totals:
    return {level: sum(found.get(level, 0) for found in counts.values()) for level in LEVELS}


def _known(counts: Totals) -> Totals:
    return {level: counts[level] for level in LEVELS if counts.get(level)}


def _levels(counts: Totals) -> Levels:
    whole = sum(counts.values())
    return Levels(*(part(counts[level], whole) for level in LEVELS))


def _funnel(persons: Totals) -> Funnel:
    whole, creating = sum(persons.values()), persons["creating"]
    further = persons["contributing"] + creating
    return Funnel(whole, part(further, whole), part(creating, whole), part(creating, further))


def _blind(platform: str) -> Blind:
    unreported = BLIND.get(platform)
    if unreported is None:
        return Blind(platform, None, None)
    return Blind(platform, sorted(unreported), len(unreported) / (len(unreported) + len(REPORTED[platform])))
