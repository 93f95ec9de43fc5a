"""What one set of rules does about an event and the other does not: counted, and some of it kept to be read."""

from bisect import insort
from collections import defaultdict

from rules.domain.decision import ActionKind, Decision, Mode, Reason
from rules.domain.replaying.posting import TAKES_EFFECT, Fate, Settled
from rules.domain.replaying.replay import Past
from rules.domain.replaying.report import MAX_REASONS, MAX_TEXT, Changes, Count, Doing, Sample

OLD, NEW = "old", "new"
ADDED, REMOVED, CHANGED = "added", "removed", "changed"

_NEGATIVE = "negative"


class OpenEvent:
    """An event of which some actions have yet to be sent, under one set or both."""

    __slots__ = ("_left", "effects", "new", "past")

    def __init__(self, past: Past, old: Decision, new: Decision) -> None:
        self.past, self.new = past, new
        self._left = len(old.actions) + len(new.actions)
        self.effects: dict[ActionKind, dict[str, list[Settled]]] = {}

    def settle(self, settled: Settled, side: str) -> bool:
        """Note what became of an action of OLD or NEW; tell whether that was the last one."""
        if settled.fate in TAKES_EFFECT:
            self.effects.setdefault(settled.action.kind, {}).setdefault(side, []).append(settled)
        self._left -= 1
        return self._left == 0


class Differences:
    """Counts changes, and keeps those with the smallest event ids to be read: ids are hashes, so that is a fair choice."""

    def __init__(self, sample_size: int) -> None:
        self._size = sample_size
        self._counts: defaultdict[tuple[ActionKind, str], list[int]] = defaultdict(lambda: [0, 0])
        self._samples: defaultdict[tuple[ActionKind, str], list[Sample]] = defaultdict(list)

    def add(self, event: OpenEvent) -> None:
        """Compare what both sets did in the end."""
        for kind, by_side in event.effects.items():
            old, new = _doing(by_side.get(OLD)), _doing(by_side.get(NEW))
            if old == new:
                continue
            change = ADDED if old is None else REMOVED if new is None else CHANGED
            counts = self._counts[kind, change]
            counts[0] += 1
            counts[1] += event.past.understanding.polarity == _NEGATIVE
            self._keep(self._samples[kind, change], event, (str(kind), change, old, new))

    def _keep(self, kept: list[Sample], event: OpenEvent, change: tuple[str, str, Doing | None, Doing | None]) -> None:
        if len(kept) >= self._size and (not kept or event.past.event.event_id > kept[-1].event_id):
            return
        insort(kept, _sample(event, *change), key=lambda sample: sample.event_id)
        del kept[self._size :]

    def changes(self) -> dict[str, Changes]:
        """Return the counts by kind of action."""
        kinds = sorted({kind for kind, _ in self._counts})
        return {
            str(kind): Changes(*(Count(*self._counts.get((kind, change), (0, 0))) for change in (ADDED, REMOVED, CHANGED)))
            for kind in kinds
        }

    def samples(self) -> tuple[Sample, ...]:
        """Return what is there to read, in a fixed order."""
        return tuple(sample for _, kept in sorted(self._samples.items()) for sample in kept)


def _doing(settled: list[Settled] | None) -> Doing | None:
    """Return what a set does of one kind; several of them (tags, notifications) in one."""
    if not settled:
        return None
    asked = any(one.fate is Fate.ASKED for one in settled)
    words = ", ".join(one.action.text or ", ".join(one.action.tags) or one.action.queue or one.action.url for one in settled)
    rules = ", ".join(dict.fromkeys(one.action.rule_id for one in settled))
    return Doing(rules, str(Mode.APPROVAL if asked else Mode.AUTO), words[:MAX_TEXT])


def _sample(event: OpenEvent, kind: str, change: str, old: Doing | None, new: Doing | None) -> Sample:
    past = event.past
    refused = [rule for rule in event.new.rules if rule.reason is not Reason.UNSPECIFIED]
    return Sample(
        event_id=past.event.event_id,
        change=change,
        kind=kind,
        platform=past.event.platform,
        author=past.event.author_handle or past.event.author_name,
        text=past.event.text[:MAX_TEXT],
        language=past.understanding.language,
        polarity=past.understanding.polarity,
        event_time=past.event.event_time,
        old=old,
        new=new,
        why={rule.rule_id: str(rule.reason) for rule in refused[:MAX_REASONS]},
    )
