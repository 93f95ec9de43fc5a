"""What a back-test tells: plain values, bounded in size."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_RULES = 500
"""Rules told of one by one, those that differ most first; more nobody reads, and a report must fit into one document."""

MAX_TEXT = 600
"""Characters of a text in a sample: enough to judge, and three hundred samples stay below a megabyte."""

MAX_REASONS = 10
"""Rules of a sample whose reasons are told."""


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """How often a rule matched by place and text, acted, was kept back by a limit, and answered in the end."""

    matched: int = 0
    acted: int = 0
    limited: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule under the old and the new set."""

    rule_id: str
    old: RuleCounts
    new: RuleCounts


@dataclass(frozen=True, slots=True)
class SetCounts:
    """One set of rules: events by outcome, rules by the reason they did not act for, actions by kind and fate."""

    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    actions: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Count:
    """How many, and how many of them meet a negative text."""

    all: int = 0
    negative: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """Actions of one kind that only the new set takes, only the old one, and both but differently."""

    added: Count
    removed: Count
    changed: Count


@dataclass(frozen=True, slots=True)
class Doing:
    """What one set does about an event: rule, mode ("auto" or "approval"), and the words, if it has any."""

    rule_id: str
    mode: str
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One event to read. `change` is "added", "removed" or "changed"; `why`: the rules that did not act, under the new set."""

    event_id: str
    change: str
    kind: str
    platform: str
    author: str
    text: str
    language: str
    polarity: str
    event_time: float
    old: Doing | None
    new: Doing | None
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of a channel: the most in one hour of the clock, when that hour began (unix seconds), and calls above `allowed`.

    `allowed` None: no allowance is known.
    """

    channel: str
    what: str
    allowed: int | None
    old_peak: int
    old_peak_time: float
    old_above: int
    new_peak: int
    new_peak_time: float
    new_above: int


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Recorded decisions that the old set makes again exactly; others were made under an earlier configuration, or by hand."""

    compared: int
    reproduced: int
    different: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The comparison of two sets of rules over the events of a period."""

    events: int
    warm_up_events: int
    repeated: int
    old: SetCounts
    new: SetCounts
    changes: Mapping[str, Changes]
    rules: tuple[RuleLine, ...]
    rules_left_out: int
    quotas: tuple[Usage, ...]
    fidelity: Fidelity
    samples: tuple[Sample, ...]
