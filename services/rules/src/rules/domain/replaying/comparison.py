"""Two sets of rules over the same recorded events, each with its own state: what the new one does that the old one does not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rules.domain.decision import Decision
from rules.domain.event import Event
from rules.domain.matching.index import Snapshot
from rules.domain.replaying.differences import NEW, OLD, Differences, OpenEvent
from rules.domain.replaying.posting import HOUR, SPEAKING, Allowance, Settled
from rules.domain.replaying.replay import Past, SeenEvents, verdict_of
from rules.domain.replaying.report import MAX_RULES, Fidelity, Report, RuleLine, Usage
from rules.domain.replaying.simulation import RuleTally, Simulation

_MAX_DIFFERENT = 20
"""Events named that were decided otherwise then: enough to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a comparison assumes.

    `human_pause` in seconds; `sample_size` events a kind of change; `allowances`: calls an hour and channel by what is
    counted ("calls", "private_replies").
    """

    human_pause: float = 0.0
    sample_size: int = 20
    allowances: Mapping[str, int] = field(default_factory=dict)


class Comparison:
    """Takes recorded events in the order in which they were decided; `report` once there are no more."""

    def __init__(self, old: Snapshot, new: Snapshot, terms: Terms) -> None:
        self._old, self._new = Simulation(old, terms.human_pause), Simulation(new, terms.human_pause)
        self._terms = terms
        self._seen, self._own = SeenEvents(), OwnPosts()
        self._now = 0.0
        self._open: dict[str, OpenEvent] = {}
        self._differences = Differences(terms.sample_size)
        self._events = self._warm_up = self._repeated = self._compared = self._reproduced = 0
        self._different: list[str] = []

    def take(self, past: Past, *, counted: bool) -> None:
        """Decide an event under both sets; one that is not counted only fills the state."""
        event = past.event
        if not self._seen.is_new(event.event_id):
            self._repeated += 1
            return
        self._now = max(self._now, event.received_time)
        ours = self._own.learn(past)
        old, new = self._old.take(past, self._now, ours=ours), self._new.take(past, self._now, ours=ours)
        if counted:
            self._count(past, old, new)
        else:
            self._warm_up += 1
        self._settle(self._old.settled(), self._new.settled())

    def _count(self, past: Past, old: Decision, new: Decision) -> None:
        self._events += 1
        self._old.count_decision(old)
        self._new.count_decision(new)
        if old.actions or new.actions:
            self._open[past.event.event_id] = OpenEvent(past, old, new)
        if past.verdict is None:
            return
        self._compared += 1
        if past.verdict == verdict_of(old):
            self._reproduced += 1
        elif len(self._different) < _MAX_DIFFERENT:
            self._different.append(past.event.event_id)

    def _settle(self, old: Iterable[Settled], new: Iterable[Settled]) -> None:
        for settled in old:
            self._note(settled, self._old, OLD)
        for settled in new:
            self._note(settled, self._new, NEW)

    def _note(self, settled: Settled, simulation: Simulation, side: str) -> None:
        event = self._open.get(settled.event.event_id)
        if event is None:
            return  # of the warm-up
        simulation.count_settled(settled)
        if event.settle(settled, side):
            del self._open[settled.event.event_id]
            self._differences.add(event)

    def report(self) -> Report:
        """Return the comparison; what still waits is sent first, each action when it is due."""
        self._settle(self._old.finish(), self._new.finish())
        lines = _rule_lines(self._old.rules, self._new.rules)
        return Report(
            events=self._events,
            warm_up_events=self._warm_up,
            repeated=self._repeated,
            old=self._old.counts(),
            new=self._new.counts(),
            changes=self._differences.changes(),
            rules=tuple(lines[:MAX_RULES]),
            rules_left_out=max(0, len(lines) - MAX_RULES),
            quotas=tuple(_usages(self._old.allowance, self._new.allowance, self._terms.allowances)),
            fidelity=Fidelity(self._compared, self._reproduced, tuple(self._different)),
            samples=self._differences.samples(),
        )


class OwnPosts:
    """What automation wrote, as far as the archive tells: its echo must not look like a person of the brand at work."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: set[int] = set()
        """Hashes of (platform, place, words): the answers of months fit into memory."""

    def learn(self, past: Past) -> bool:
        """Remember the answers that were decided then; tell whether the event is the echo of such an answer."""
        event = past.event
        if past.verdict is not None and past.verdict.actions:
            self._remember(event, [text for _, kind, text in past.verdict.actions if kind in SPEAKING])
        return event.echo and self._is_known(event)

    def _remember(self, event: Event, texts: Iterable[str]) -> None:
        for text in texts:
            for place in {event.object, event.author_id, event.root} - {""}:
                self._answers.add(_answer(event.platform, place, text))

    def _is_known(self, echo: Event) -> bool:
        places = {echo.parent} if echo.parent else {echo.root, echo.author_id}
        return any(_answer(echo.platform, place, echo.text) in self._answers for place in places)


def _answer(platform: str, place: str, text: str) -> int:
    return hash((platform, place, " ".join(text.split())))


def _rule_lines(old: Mapping[str, RuleTally], new: Mapping[str, RuleTally]) -> list[RuleLine]:
    nothing = RuleTally()
    lines = [
        RuleLine(rule_id, old.get(rule_id, nothing).counts(), new.get(rule_id, nothing).counts())
        for rule_id in sorted(old.keys() | new.keys())
    ]
    return sorted(lines, key=lambda line: (-abs(line.new.answered - line.old.answered), -abs(line.new.acted - line.old.acted)))


def _usages(old: Allowance, new: Allowance, allowed: Mapping[str, int]) -> Iterator[Usage]:
    before, after = dict(old.peaks()), dict(new.peaks())
    for channel, what in sorted(before.keys() | after.keys()):
        most = allowed.get(what)
        old_peak, old_hour = before.get((channel, what), (0, 0))
        new_peak, new_hour = after.get((channel, what), (0, 0))
        yield Usage(
            channel=channel,
            what=what,
            allowed=most,
            old_peak=old_peak,
            old_peak_time=old_hour * HOUR,
            old_above=old.above(channel, what, most) if most is not None else 0,
            new_peak=new_peak,
            new_peak_time=new_hour * HOUR,
            new_above=new.above(channel, what, most) if most is not None else 0,
        )
