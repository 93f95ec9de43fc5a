"""How seldom a scope is as unusual as now, by its own past: peaks over a threshold (Davison & Smith 1990, J. R. Stat. Soc. B 52).

The model of the counts says how often chance does as much; the scope's past says how far that is to be believed. Real people come
in waves that no model has, to each brand in its own way: where peaks were more or higher than they should be, more is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log, log10

HOURS_A_WEEK = 168

LOOKS = 7 * 24 * 4
"""Independent looks in a week: the shortest windows side by side. Longer ones, and those between, are hardly anything new."""

PEAK = 2.0
"""Evidence above which an hour is a peak, by the model one look in a hundred: some in each week, and yet in the tail."""

HIGHEST = 4.0
"""A peak counts for at most so much more: by the model one peak in ten thousand. A past crisis must not hide the next."""

WEEKS_OF_DOUBT = 1.0
"""Weight of the model in how many peaks there are: a week in which all looks do as it says."""

PEAKS_OF_DOUBT = 10.0
"""Weight of the model in how high they are: as many peaks, of the height it says."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Peaks a week, and how much evidence makes them ten times as rare: 1 where the model holds."""

    peaks: float
    scale: float

    def rarity(self, evidence: float) -> float:
        """Return log10 of the weeks between two peaks of so much evidence: 0 once a week, 1 once in ten."""
        return (evidence - PEAK) / self.scale - log10(self.peaks)


def recurrence(evidence: Sequence[float]) -> Recurrence:
    """Return how peaks come back, by the evidence of each hour of the past; hours side by side are one peak."""
    peaks = [max(run) for is_peak, run in groupby(evidence, key=lambda one: one > PEAK) if is_peak]
    weeks = len(evidence) / HOURS_A_WEEK
    heights = sum(min(peak - PEAK, HIGHEST) for peak in peaks) * log(10)
    return Recurrence(
        peaks=(len(peaks) + WEEKS_OF_DOUBT * LOOKS * 10**-PEAK) / (weeks + WEEKS_OF_DOUBT),
        scale=(heights + PEAKS_OF_DOUBT) / (len(peaks) + PEAKS_OF_DOUBT),
    )
