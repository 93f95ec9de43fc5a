"""What would become of decided actions: the checks before a send, in event time instead of on the clock.

An action is checked when it is due, with what is known of its target, its thread and its limits by then. What waits for a
person is not followed further, and holds its place on its target.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum, auto
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

from antiphon.windows import fits
from rules.domain.decision import Action, ActionKind, Decision, LimitScope, Mode, RuleLimit
from rules.domain.event import Event

SPEAKING = frozenset({ActionKind.REPLY, ActionKind.PRIVATE_REPLY})
"""Kinds that address a person."""

MODERATING = frozenset({ActionKind.HIDE, ActionKind.UNHIDE, ActionKind.DELETE, ActionKind.LIKE})

ACTING = SPEAKING | MODERATING
"""Kinds with an effect on the platform: one of each kind on a target, and each is a call of the channel's allowance."""

RECORDED = frozenset({ActionKind.TAG, ActionKind.HANDOFF, ActionKind.ENTER})
"""Kinds that are done once they are decided."""

HOUR = 3600.0

Revision = tuple[float, float, str]
"""Event time, received time and id of an edit: what newer edits have more of."""


class Fate(StrEnum):
    """What became of an action."""

    DONE = auto()
    ASKED = auto()
    SHADOWED = auto()
    STALE = auto()
    LIMIT = auto()
    TARGET_TAKEN = auto()
    TARGET_DELETED = auto()
    TARGET_EDITED = auto()
    HUMAN_ACTIVE = auto()


TAKES_EFFECT = frozenset({Fate.DONE, Fate.ASKED})
"""Fates of what people get to see, or are asked about."""


class Settled(NamedTuple):
    """An action whose fate is known, and when that was (unix seconds)."""

    event: Event
    action: Action
    fate: Fate
    at: float


class _Slot(NamedTuple):
    platform: str
    target: str
    kind: ActionKind


class Posting:
    """The actions of one configuration on their way; `human_pause` in seconds, 0: none."""

    def __init__(self, human_pause: float) -> None:
        self._surroundings = _Surroundings(human_pause)
        self._limits = _Limits()
        self._slots: dict[_Slot, str] = {}
        self._waiting: dict[str, tuple[Event, Action]] = {}
        self.due: list[tuple[float, int, str]] = []
        """A heap of when actions are due (unix seconds), with a running number and the action's id."""
        self._queued = 0

    def see(self, event: Event, *, ours: bool) -> None:
        """Learn what an event tells about objects and threads; `ours`: an echo of what automation wrote."""
        self._surroundings.see(event, ours=ours)

    def take(self, decision: Decision) -> Iterator[Settled]:
        """Queue a decision's actions; yields those whose fate is known at once."""
        event = decision.event
        for action in decision.actions:
            if action.kind in RECORDED:
                if action.kind is ActionKind.HANDOFF and action.mode is not Mode.SHADOW:
                    self._surroundings.handed_off(event)
                yield Settled(event, action, Fate.SHADOWED if action.mode is Mode.SHADOW else Fate.DONE, event.received_time)
            else:
                yield from self._queue(event, action)

    def _queue(self, event: Event, action: Action) -> Iterator[Settled]:
        if action.mode is Mode.SHADOW:
            yield Settled(event, action, Fate.SHADOWED, event.received_time)
            return
        if action.kind in ACTING:
            slot = _Slot(event.platform, event.object, action.kind)
            if slot in self._slots:
                holder = self._waiting.get(self._slots[slot])
                if holder is None or not _outdates(event, holder[0]):
                    yield Settled(event, action, Fate.TARGET_TAKEN, event.received_time)
                    return
                del self._waiting[self._slots[slot]]
                yield Settled(*holder, Fate.TARGET_EDITED, event.received_time)
            self._slots[slot] = action.action_id
        if action.mode is Mode.APPROVAL:
            yield Settled(event, action, Fate.ASKED, event.received_time)
            return
        self._queued += 1
        self._waiting[action.action_id] = (event, action)
        heappush(self.due, (action.not_before, self._queued, action.action_id))

    def advance(self, now: float) -> Iterator[Settled]:
        """Send what is due by `now` (unix seconds), in the order in which it is due."""
        while self.due and self.due[0][0] <= now:
            due, _, action_id = heappop(self.due)
            waiting = self._waiting.pop(action_id, None)
            if waiting is not None:
                yield self._send(*waiting, due)

    def finish(self) -> Iterator[Settled]:
        """Send everything that still waits, each when it is due."""
        return self.advance(inf)

    def _send(self, event: Event, action: Action, now: float) -> Settled:
        fate = Fate.STALE if now >= action.expires else None
        if fate is None and action.kind in ACTING:
            fate = self._surroundings.objection(event, action, now)
        if fate is None and action.limits and not self._limits.consume(event, action):
            fate = Fate.LIMIT
        if fate is not None:
            self._slots.pop(_Slot(event.platform, event.object, action.kind), None)
        return Settled(event, action, fate or Fate.DONE, now)


def _outdates(event: Event, older: Event) -> bool:
    """Tell whether the event is an edit of the text that `older` was about."""
    if event.verb != "edit":
        return False
    return older.verb != "edit" or _revision(older) < _revision(event)


def _revision(event: Event) -> Revision:
    return (event.event_time, event.received_time, event.event_id)


def thread_of(event: Event) -> str:
    """Return the comment whose conversation an event belongs to; for a private message the conversation itself."""
    if event.kind == "message":
        return event.root or event.author_id or event.object
    return event.parent or event.object


class _Surroundings:
    """What is known of objects and threads: deletions, edits, people of the brand at work. Names are (platform, object)."""

    def __init__(self, human_pause: float) -> None:
        self._pause = human_pause
        self._deleted: set[tuple[str, str]] = set()
        self._edited: dict[tuple[str, str], Revision] = {}
        self._humans: dict[tuple[str, str], float] = {}
        self._handed_off: dict[tuple[str, str], tuple[tuple[float, str], ...]] = {}

    def see(self, event: Event, *, ours: bool) -> None:
        name = (event.platform, event.object)
        if event.verb == "delete":
            self._deleted.add(name)
        elif event.echo:
            place = event.parent or (event.root if event.kind == "message" else "")
            if event.verb == "create" and place and not ours:
                at = (event.platform, place)
                self._humans[at] = max(event.event_time, self._humans.get(at, -inf))
        elif event.verb == "edit":
            self._edited[name] = max(_revision(event), self._edited.get(name, (-inf, -inf, "")))

    def handed_off(self, event: Event) -> None:
        """Note a hand-off; of each thread the last two are kept, since an event's own does not silence its answer."""
        thread = (event.platform, thread_of(event))
        self._handed_off[thread] = ((event.event_time, event.event_id), *self._handed_off.get(thread, ()))[:2]

    def objection(self, event: Event, action: Action, now: float) -> Fate | None:
        platform = event.platform
        if any((platform, name) in self._deleted for name in (event.object, event.parent, event.root) if name):
            return Fate.TARGET_DELETED
        edited = self._edited.get((platform, event.object))
        if edited is not None and edited[2] != event.event_id and (event.verb != "edit" or _revision(event) < edited):
            return Fate.TARGET_EDITED
        if action.kind in SPEAKING and self._is_people_s(event, now):
            return Fate.HUMAN_ACTIVE
        return None

    def _is_people_s(self, event: Event, now: float) -> bool:
        """Tell whether a person of the brand has answered, is at work in the thread, or was handed it."""
        if self._humans.get((event.platform, event.object), -inf) >= event.event_time:
            return True
        if not self._pause:
            return False
        thread = (event.platform, thread_of(event))
        others = [at for at, by in self._handed_off.get(thread, ()) if by != event.event_id]
        return any(at >= event.event_time or now - at < self._pause for at in (self._humans.get(thread, -inf), *others))


class _Limits:
    """Limits that cross authors: which events consumed them, and when."""

    def __init__(self) -> None:
        self._events: defaultdict[str, set[str]] = defaultdict(set)
        self._moments: defaultdict[str, list[float]] = defaultdict(list)

    def consume(self, event: Event, action: Action) -> bool:
        """Consume all the action's limits, or none and return False."""
        wanted = [(limit, _key(event, action, limit)) for limit in action.limits]
        for limit, key in wanted:
            if event.event_id in self._events[key]:
                continue
            within = inf if limit.within_seconds is None else limit.within_seconds
            if not fits(self._moments[key], event.event_time, limit.at_most, within):
                return False
        for _, key in wanted:
            if event.event_id not in self._events[key]:
                self._events[key].add(event.event_id)
                insort(self._moments[key], event.event_time)
        return True


def _key(event: Event, action: Action, limit: RuleLimit) -> str:
    over: Mapping[LimitScope, str] = {
        LimitScope.BRAND: "",
        LimitScope.RULE: action.rule_id,
        LimitScope.OBJECT: f"{action.rule_id}/{event.platform}/{event.post}",
        LimitScope.THREAD: f"{action.rule_id}/{event.platform}/{thread_of(event)}",
    }
    return f"{limit.per}/{over[limit.per]}"


class Allowance:
    """Calls of each channel in each hour of the clock."""

    def __init__(self) -> None:
        self._calls: defaultdict[tuple[str, str], defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))

    def count(self, settled: Settled) -> None:
        """Count an action that was sent."""
        if settled.fate is Fate.DONE and settled.action.kind in ACTING:
            event, hour = settled.event, int(settled.at // HOUR)
            channel = event.channel or f"{event.platform}:{event.account}"
            self._calls[channel, "calls"][hour] += 1
            if settled.action.kind is ActionKind.PRIVATE_REPLY:
                self._calls[channel, "private_replies"][hour] += 1

    def peaks(self) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
        """Yield (channel, what is counted), and the most in one hour with that hour (hours since the epoch)."""
        for counted, hours in self._calls.items():
            most = max(hours.values())
            yield counted, (most, min(hour for hour, count in hours.items() if count == most))

    def above(self, channel: str, what: str, allowed: int) -> int:
        """Return how many calls there are above `allowed` an hour, all hours together."""
        return sum(max(0, count - allowed) for count in self._calls.get((channel, what), {}).values())
