"""One set of rules over recorded events: decisions, what becomes of their actions, and the counts of both."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from rules.domain.decision import ActionKind, Decision, Outcome, Reason
from rules.domain.matching.index import Snapshot
from rules.domain.replaying.posting import SPEAKING, TAKES_EFFECT, Allowance, Fate, Posting, Settled
from rules.domain.replaying.replay import Past, Replay, of_rules
from rules.domain.replaying.report import RuleCounts, SetCounts


@dataclass(slots=True)
class RuleTally:
    """Counts of one rule on their way."""

    matched: int = 0
    acted: int = 0
    limited: int = 0
    answered: int = 0

    def counts(self) -> RuleCounts:
        """Return the counts so far."""
        return RuleCounts(self.matched, self.acted, self.limited, self.answered)


class Simulation:
    """Takes recorded events in the order in which they were decided; `human_pause` in seconds."""

    def __init__(self, snapshot: Snapshot, human_pause: float) -> None:
        self._replay, self._posting = Replay(snapshot), Posting(human_pause)
        self._settled: list[Settled] = []
        self._outcomes: defaultdict[Outcome, int] = defaultdict(int)
        self._reasons: defaultdict[Reason, int] = defaultdict(int)
        self._fates: defaultdict[ActionKind, defaultdict[Fate, int]] = defaultdict(lambda: defaultdict(int))
        self.rules: defaultdict[str, RuleTally] = defaultdict(RuleTally)
        self.allowance = Allowance()

    def take(self, past: Past, now: float, *, ours: bool) -> Decision:
        """Decide the event at `now` (unix seconds, never earlier than before); what was due by then has been sent before.

        `ours`: the event is the echo of something that automation wrote.
        """
        posting = self._posting
        if posting.due and posting.due[0][0] <= now:
            self._settled += posting.advance(now)
        event = past.event
        if event.echo or event.verb != "create":
            posting.see(event, ours=ours)
        decision = of_rules(self._replay.decide(past))
        if decision.actions:
            self._settled += posting.take(decision)
            self._settled += posting.advance(now)
        return decision

    def settled(self) -> list[Settled]:
        """Return the actions whose fate has become known since the last call."""
        if not self._settled:
            return []
        settled, self._settled = self._settled, []
        return settled

    def finish(self) -> Iterator[Settled]:
        """Send everything that still waits, each when it is due."""
        yield from self.settled()
        yield from self._posting.finish()

    def count_decision(self, decision: Decision) -> None:
        """Count a decision."""
        self._outcomes[decision.outcome] += 1
        for rule in decision.rules:
            tally = self.rules[rule.rule_id]
            tally.matched += 1
            if rule.reason is Reason.UNSPECIFIED:
                tally.acted += 1
                continue
            self._reasons[rule.reason] += 1
            tally.limited += rule.reason is Reason.LIMIT

    def count_settled(self, settled: Settled) -> None:
        """Count what became of an action."""
        self._fates[settled.action.kind][settled.fate] += 1
        self.allowance.count(settled)
        tally = self.rules[settled.action.rule_id]
        tally.limited += settled.fate is Fate.LIMIT
        tally.answered += settled.action.kind in SPEAKING and settled.fate in TAKES_EFFECT

    def counts(self) -> SetCounts:
        """Return the counts."""
        return SetCounts(
            {str(outcome): count for outcome, count in sorted(self._outcomes.items())},
            {str(reason): count for reason, count in sorted(self._reasons.items())},
            {str(kind): {str(fate): n for fate, n in sorted(by.items())} for kind, by in sorted(self._fates.items())},
        )
