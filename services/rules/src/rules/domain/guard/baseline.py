"""What is usual for a scope: a rate for each hour of the week, learnt robustly, and how much the counts scatter around it.

- An hour's count is cut off at `CUT` (Winsor's way: Tukey 1962, Ann. Math. Stat. 33), so that a past crisis is no new normal.
- The rate of an hour of the week is shrunk to that of its hour of the day, and this to the overall rate, each by weights of
  so many weeks or days (Efron & Morris 1975, J. Am. Stat. Assoc. 70): with one week known it is nearly the daily course,
  with eight nearly its own mean.
- The level of the last hours scales it, within `LEVEL`: a busy day is busy for hours, and a brand that grows is followed at
  once. Older hours weigh less and less (Harvey & Fernandes 1989, J. Bus. Econ. Stat. 7).
- So each hour of the past has a forecast, its own part in its rate taken out. The dispersion is by moments on what these
  missed, never below Poisson's (Bliss & Fisher 1953, Biometrics 9), less what they missed for not knowing the rate (MacKinnon
  & White 1985, J. Econometrics 29): that doubt is added where it is. What the forecasts make of the past says how often it
  was unusual (`recurrence.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from statistics import fmean, quantiles

from rules.domain.guard.counts import HOUR, REMEMBERED, WINDOWS, Counts, Hour
from rules.domain.guard.recurrence import Recurrence, recurrence
from rules.domain.guard.surprise import LEAST_SHARE_EVIDENCE, lifted, surprise
from rules.domain.guard.tails import count_evidence, share_evidence

WEEK = 168
"""Hours. Those of UTC: where clocks change, the baseline is an hour off until it has learnt."""

DAY = 24

DAYS_OF_DOUBT, WEEKS_OF_DOUBT = 1.0, 2.0
"""Weights of the overall rate in an hour of the day, and of the hour of the day in an hour of the week."""

RESTING = 1
"""Hours before the present that are not learnt from: what is judged must not be its own measure."""

LEVEL = (0.5, 2.0)
"""Bounds of the last hours' level: within them it is a busy or a slow day, beyond them something to be looked at."""

LEVEL_HOURS = 12.0
"""Half-life of an hour in the level: a busy day is followed before it ends, a crisis that grows for hours is not yet usual."""

LEVEL_DOUBT = 10.0
"""Events that the level starts from, so that a quiet night does not halve what is expected of the morning."""

SPAN = WINDOWS[-1] // HOUR
"""Hours in whose sums the dispersion is measured, as in the longest window: shorter waves are left to the peaks of the past."""

MOST_DISPERSION = 1.0
"""With more nothing would ever be unusual."""

SHARE_DOUBT = (0.005, 0.2)
"""Bounds of the correlation of negativity within an hour."""

LEAST_RATE = 0.02
"""Events an hour that are always to be reckoned with: one in two days."""


class Known(StrEnum):
    """How much of the past a baseline stands on."""

    COLD = auto()
    """Less than a day: nothing can be called usual."""
    DAILY = auto()
    """Less than two weeks: the course of the day is known, that of the week is not."""
    SEASONAL = auto()


@dataclass(frozen=True, slots=True)
class Rates:
    """Events an hour by hour of the week; `weight`: how many events each of them stands on."""

    by_hour: tuple[float, ...]
    weight: tuple[float, ...]
    dispersion: float

    def expected(self, start: float, end: float) -> float:
        """Return how many events are usual between two moments."""
        total, moment = 0.0, start
        while moment < end:
            hour = int(moment // HOUR)
            until = min(end, (hour + 1) * HOUR)
            total += self.by_hour[hour % WEEK] * (until - moment) / HOUR
            moment = until
        return total

    def doubt(self, moment: float) -> float:
        """Return the dispersion at a moment, with that of not knowing the rate better (the gamma posterior's predictive)."""
        return self.dispersion + 1 / (1 + self.weight[int(moment // HOUR) % WEEK])


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual. `share`: α and β of the negative share; `thread`: mean and dispersion of the largest thread in an hour.

    `reach`: mean log10(1 + followers) of negative authors, None where none is known. `recurrence`: how often it was unusual.
    """

    known: Known
    hours: int
    negative: Rates
    other: Rates
    share: tuple[float, float]
    thread: tuple[float, float]
    reach: float | None
    recurrence: Recurrence


@dataclass(frozen=True, slots=True)
class _Course:
    """The rates of one kind of event, and for each hour of the past what they would have said of it."""

    rates: Rates
    forecasts: Sequence[float]


_NOTHING = Hour()


def learn(counts: Counts, now: float, min_events: int) -> Usual:
    """Return what is usual as known at a moment, from the hours before it; with fewer negative events none was unusual."""
    until = int(now // HOUR) - RESTING
    first = max(int(counts.first // HOUR) + 1, until - REMEMBERED) if counts.hours else until
    past = [counts.hours.get(hour, _NOTHING) for hour in range(first, until)]
    known = Known.COLD if len(past) < DAY else Known.DAILY if len(past) < 2 * WEEK else Known.SEASONAL
    known_reach = sum(hour.known for hour in past)
    negative = _course([hour.negative for hour in past], first)
    other = _course([hour.said - hour.negative for hour in past], first)
    share, thread = _share(past), _thread(past)

    def unusual(place: int) -> float:
        """Return how unusual an hour was: what a look at its end would have found, or at the height of its burst."""
        hour = past[place]
        if hour.negative < min_events or share_evidence(hour.negative, hour.said, *share) < LEAST_SHARE_EVIDENCE:
            return 0.0
        dispersion = negative.rates.doubt((first + place) * HOUR)
        found = max(_surprise(past, negative, other, place, seconds / HOUR, dispersion) for seconds in WINDOWS)
        return lifted(found, count_evidence(hour.thread, *thread))

    return Usual(
        known,
        len(past),
        negative=negative.rates,
        other=other.rates,
        share=share,
        thread=thread,
        reach=sum(hour.reach for hour in past) / known_reach if known_reach else None,
        recurrence=recurrence([unusual(place) for place in range(len(past))]),
    )


def _surprise(past: Sequence[Hour], negative: _Course, other: _Course, place: int, hours: float, dispersion: float) -> float:
    """Return how unusual the hours up to a place of the past were; less than one hour stands for the burst in it."""
    begin = max(0, place + 1 - max(1, int(hours)))
    part = min(hours, 1.0)
    span = past[begin : place + 1]
    negatives = sum(hour.negative for hour in span)
    return surprise(
        negatives if hours >= 1 else past[place].burst,
        part * (sum(hour.said for hour in span) - negatives),
        usual=part * sum(negative.forecasts[begin : place + 1]),
        usual_other=part * sum(other.forecasts[begin : place + 1]),
        dispersion=dispersion,
    )[2]


def _course(values: Sequence[int], first: int) -> _Course:
    if not values:
        return _Course(Rates((LEAST_RATE,) * WEEK, (0.0,) * WEEK, 0.0), ())
    cut = _cut_off(values, first)
    overall = fmean(cut)
    daily = _shrunk(cut, lambda place: (first + place) % DAY, DAY, lambda _: overall, DAYS_OF_DOUBT)
    weekly = _shrunk(cut, lambda place: (first + place) % WEEK, WEEK, lambda slot: daily[0][slot % DAY], WEEKS_OF_DOUBT)
    rates, seen = weekly
    slots = [(first + place) % WEEK for place in range(len(cut))]
    levels = _levels(cut, [rates[slot] for slot in slots])
    weight = tuple(rate * (number + WEEKS_OF_DOUBT) for rate, number in zip(rates, seen, strict=True))
    own = [1 / (seen[slot] + WEEKS_OF_DOUBT) for slot in slots]
    forecasts = [
        max(LEAST_RATE, (rates[slot] - part * value) / (1 - part)) * level
        for value, slot, part, level in zip(cut, slots, own, levels, strict=False)
    ]
    dispersion = _dispersion(cut, forecasts, own)
    return _Course(Rates(tuple(max(LEAST_RATE, rate * levels[-1]) for rate in rates), weight, dispersion), forecasts)


def _dispersion(values: Sequence[float], forecasts: Sequence[float], own: Sequence[float]) -> float:
    """Return the dispersion of sums of hours; `own`: each value's part in the rate of its forecast."""
    usual = _sums(forecasts)
    misses = zip(_sums(values), usual, _sums(own), strict=True)
    excess = sum((1 - part / SPAN) * (value - forecast) ** 2 - forecast for value, forecast, part in misses)
    return min(max(excess / sum(forecast * forecast for forecast in usual), 0.0), MOST_DISPERSION)


def _sums(values: Sequence[float]) -> list[float]:
    ends = range(min(SPAN, len(values)), len(values) + 1)
    return [sum(values[max(0, end - SPAN) : end]) for end in ends]


def _cut_off(values: Sequence[int], first: int) -> list[float]:
    """Return the values, none above twice the upper quartile of its hour of the day (and a few for small numbers)."""
    ends = []
    for hour in range(DAY):
        pool = [value for place, value in enumerate(values) if (first + place) % DAY == hour]
        upper = quantiles(pool, n=4, method="inclusive")[2] if len(pool) > 1 else float(max(pool, default=0))
        ends.append(2 * upper + 3)
    return [min(float(value), ends[(first + place) % DAY]) for place, value in enumerate(values)]


def _shrunk(
    values: Sequence[float], slot: Callable[[int], int], slots: int, prior: Callable[[int], float], doubt: float
) -> tuple[list[float], list[int]]:
    """Return each slot's mean, shrunk to its prior, and how many values it has."""
    sums, seen = [0.0] * slots, [0] * slots
    for place, value in enumerate(values):
        sums[slot(place)] += value
        seen[slot(place)] += 1
    return [(sums[at] + doubt * prior(at)) / (seen[at] + doubt) for at in range(slots)], seen


def _levels(values: Sequence[float], rates: Sequence[float]) -> list[float]:
    """Return the level of each hour as it was known in it, up to the present, which comes after the resting ones."""
    fading, seen, usual = 0.5 ** (1 / LEVEL_HOURS), 0.0, 0.0
    levels = [1.0] * (RESTING + 1)
    for value, rate in zip(values, rates, strict=True):
        seen, usual = fading * seen + value, fading * usual + rate
        level = (seen + LEVEL_DOUBT) / (usual + LEVEL_DOUBT)
        levels.append(min(max(level, LEVEL[0]), LEVEL[1]))
    return levels


def _share(past: Sequence[Hour]) -> tuple[float, float]:
    """Return α and β: the mean with two events of doubt, the scatter by moments (Kleinman 1973, J. Am. Stat. Assoc. 68)."""
    said, negative = sum(hour.said for hour in past), sum(hour.negative for hour in past)
    mean = (negative + 1) / (said + 2)
    pairs = sum(hour.said * (hour.said - 1) for hour in past)
    squares = sum((hour.negative - hour.said * mean) ** 2 for hour in past) / (mean * (1 - mean))
    alike = (squares - said) / pairs if pairs else SHARE_DOUBT[1]
    size = 1 / min(max(alike, SHARE_DOUBT[0]), SHARE_DOUBT[1]) - 1
    return mean * size, (1 - mean) * size


def _thread(past: Sequence[Hour]) -> tuple[float, float]:
    largest = [float(hour.thread) for hour in past if hour.negative]
    if not largest:
        return 1.0, MOST_DISPERSION
    mean = max(fmean(largest), 1.0)
    scatter = fmean([(value - mean) ** 2 for value in largest])
    return mean, min(max((scatter - mean) / mean**2, 1 / len(largest)), MOST_DISPERSION)
