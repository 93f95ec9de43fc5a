"""How bad it is now, from 1 to 10, and on what evidence.

The severity stands for how seldom that comes without a crisis while everything of the brand is looked at all week: see
`_severity`. Authors with more reach than usual add up to one, those with less take off up to one.

Negative volume is what must be unusual. Where everything else that is said rises too, so much more negative is usual: a
campaign that goes well draws its critics with it. And the share must be unusual as well, against the scope's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from typing import Protocol

from rules.domain.guard.baseline import Known, Usual
from rules.domain.guard.counts import BUCKET, HOUR, WINDOWS, Bucket
from rules.domain.guard.surprise import LEAST_SHARE_EVIDENCE, lifted, surprise
from rules.domain.guard.tails import count_evidence, share_evidence, wilson_low

HOLD_AT = 7
"""From here automation waits for people, unless a brand says otherwise."""

NOTIFY_AT = 5
"""From here people are told."""

MIN_EVENTS = 10
"""Fewer negative events in an hour are never a crisis: a person who answers them himself is quicker than a meeting."""

LEAST_SHARE_COLD, MIN_COLD = 0.6, 5
"""Without a day of history: the least sure negative share, and how many times the fewest events it takes to hold."""


class Windows(Protocol):
    """Counts of the last hours."""

    def window(self, end: float, seconds: float) -> Bucket:
        """Return the sum of the buckets of the last so many seconds, the one that `end` lies in included."""
        ...

    def largest_thread(self, end: float) -> int:
        """Return the most negative events that one thread had in five minutes of the last fifteen."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """How a brand is watched; `scopes`: how many are looked at beside each other."""

    hold_at: int = HOLD_AT
    notify_at: int = NOTIFY_AT
    min_events: int = MIN_EVENTS
    scopes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of a scope at a moment: in the window that says most, or in the last hour where none says anything.

    `evidence`, `share_evidence` and `thread_evidence` are −log10 of probabilities.
    """

    severity: int
    baseline: Known
    history_hours: int
    window: int
    said: int
    negative: int
    expected: float
    dispersion: float
    evidence: float
    share_evidence: float
    thread: int
    thread_evidence: float
    hour_negative: int

    def document(self) -> Mapping[str, object]:
        """Return it as JSON takes it, in the precision that is worth showing."""
        return {
            "baseline": str(self.baseline),
            "history_hours": self.history_hours,
            "window_minutes": self.window // 60,
            "said": self.said,
            "negative": self.negative,
            "expected": round(self.expected, 2),
            "dispersion": round(self.dispersion, 3),
            "evidence": round(self.evidence, 2),
            "share_evidence": round(self.share_evidence, 2),
            "thread": self.thread,
            "thread_evidence": round(self.thread_evidence, 2),
        }

    @property
    def words(self) -> str:
        """Return the reason as people read it."""
        minutes = self.window // 60
        if self.baseline is Known.COLD:
            share = round(100 * self.negative / max(self.said, 1))
            return (
                f"{self.negative} negative of {self.said} in {minutes} minutes ({share} %); "
                f"less than a day of history, so only number and share were judged"
            )
        return f"{self.negative} negative in {minutes} minutes where {self.expected:.1f} are usual"


def look(counts: Windows, usual: Usual, now: float, terms: Terms) -> Look:
    """Return what is seen of a scope at a moment."""
    hour = counts.window(now, HOUR)
    if usual.known is Known.COLD:
        return _cold(hour, usual, terms)
    thread, thread_evidence = _thread(counts, usual, now)
    seen = [_window(counts.window(now, seconds), usual, now, seconds) for seconds in WINDOWS]
    window, bucket, expected, dispersion, evidence = max(seen, key=lambda one: one[4])
    by_share = share_evidence(bucket.negative, bucket.said, *usual.share)
    rarity = usual.recurrence.rarity(lifted(evidence, thread_evidence)) - log10(terms.scopes)
    severity = _severity(rarity, _reach(bucket, usual))
    if hour.negative < terms.min_events or by_share < LEAST_SHARE_EVIDENCE:
        severity = min(severity, terms.notify_at - 1)
    return Look(
        severity=severity,
        baseline=usual.known,
        history_hours=usual.hours,
        window=window,
        said=bucket.said,
        negative=bucket.negative,
        expected=expected,
        dispersion=dispersion,
        evidence=evidence,
        share_evidence=by_share,
        thread=thread,
        thread_evidence=thread_evidence,
        hour_negative=hour.negative,
    )


def _severity(rarity: float, reach: float) -> int:
    """Return 5 for what comes once a week by itself, 7 for once in ten weeks, 10 for once in six years; plus the reach."""
    return max(1, min(10, int(5 + 2 * rarity + reach)))


def _window(bucket: Bucket, usual: Usual, now: float, seconds: int) -> tuple[int, Bucket, float, float, float]:
    start = (now // BUCKET + 1) * BUCKET - seconds
    expected, dispersion, evidence = surprise(
        bucket.negative,
        bucket.said - bucket.negative,
        usual=usual.negative.expected(start, now),
        usual_other=usual.other.expected(start, now),
        dispersion=usual.negative.doubt(now),
    )
    return seconds, bucket, expected, dispersion, evidence


def _thread(counts: Windows, usual: Usual, now: float) -> tuple[int, float]:
    """Return the largest thread of five minutes within the last 15, and how unusual it is beside the largest of other hours."""
    largest = counts.largest_thread(now)
    return largest, count_evidence(largest, *usual.thread)


def _reach(bucket: Bucket, usual: Usual) -> float:
    """Return by how many powers of ten the authors reach more people than usual, -1 to 1; authors who hide it are usual ones."""
    if usual.reach is None or not bucket.negative:
        return 0.0
    return max(-1.0, min(1.0, (bucket.reach - usual.reach * bucket.known) / bucket.negative))


def _cold(hour: Bucket, usual: Usual, terms: Terms) -> Look:
    """Judge without history: many, and surely mostly negative."""
    sure = wilson_low(hour.negative, hour.said) >= LEAST_SHARE_COLD
    if sure and hour.negative >= MIN_COLD * terms.min_events:
        severity = HOLD_AT
    else:
        severity = NOTIFY_AT if sure and hour.negative >= 2 * terms.min_events else 1
    return Look(
        severity=severity,
        baseline=usual.known,
        history_hours=usual.hours,
        window=HOUR,
        said=hour.said,
        negative=hour.negative,
        expected=0.0,
        dispersion=0.0,
        evidence=0.0,
        share_evidence=0.0,
        thread=0,
        thread_evidence=0.0,
        hour_negative=hour.negative,
    )
