"""The crisis guard on the real stream of five airlines, with crises put in; beside a fixed threshold and mean + 3σ.

Both also with their bound raised until they make as few false holds as the guard, so that delays are seen at the same price.
"""

import math
import random
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, pstdev
from typing import Protocol

from bench.crises import DAY, HOUR, SPIKE_SECONDS, STREAM, Brand, Mention, brands, crisis, stream
from bench.measure import median
from rules.domain.guard.counts import Heard
from rules.domain.guard.severity import HOLD_AT, MIN_EVENTS, Terms
from rules.domain.guard.watch import CALM, Watch

HISTORY_DAYS = 28
FACTORS = (2, 5, 20)
SEEDS = 16
"""Crises of each size a brand."""
QUIET_WEEKS = 4
"""Weeks without a crisis a brand."""
LOOK_SECONDS = 60
AS_SET = 3.0
"""As people set bounds by hand: so many times the brand's mean negative hour, or so many standard deviations above it."""
RAISED_BY = 0.25
"""Steps in which a bound is raised."""
IMAGE = Path(__file__).parents[1] / "docs" / "images" / "guard.svg"


class Detector(Protocol):
    """Tells at which moments it would hold."""

    def hear(self, mention: Mention) -> None:
        """Take the next mention."""
        ...

    def alarmed(self, now: float) -> bool:
        """Look, and tell whether it is a crisis now."""
        ...


class TheGuard:
    """The product's guard."""

    def __init__(self) -> None:
        self._watch = Watch()
        self._count = 0

    def hear(self, mention: Mention) -> None:
        """Take the next mention."""
        self._count += 1
        self._watch.take(Heard(0, self._count, str(self._count), "b", "x", mention[0], mention[1], ""))

    def alarmed(self, now: float) -> bool:
        """Look."""
        self._watch.look("b", now, Terms())
        (whole,) = [one for one in self._watch.of("b") if one.scope.whole]
        return whole.look is not None and whole.look.severity >= HOLD_AT


Bound = Callable[[Sequence[int], float], float]
"""Negative mentions of the hours of the past, and how many times → a bound of the last hour's."""


def over_mean(hours: Sequence[int], times: float) -> float:
    """Return so many times the mean hour."""
    return times * fmean(hours)


def over_sigma(hours: Sequence[int], times: float) -> float:
    """Return so many standard deviations above the mean hour."""
    return fmean(hours) + times * pstdev(hours)


RIVALS: Mapping[str, Bound] = {"guard_fixed": over_mean, "guard_sigma": over_sigma}
EVEN = "_even"
"""What is added to a rival's name when its bound is raised."""


class Threshold:
    """More negative mentions in the last hour than a bound, and not fewer than the guard asks for."""

    def __init__(self, past: Sequence[Mention], bound: Bound, times: float) -> None:
        hours = [0] * (HISTORY_DAYS * 24)
        for at, negative in past:
            hours[int(at // HOUR)] += negative
        self.bound = max(float(MIN_EVENTS), bound(hours, times))
        self._times = [at for at, negative in past if negative]

    def hear(self, mention: Mention) -> None:
        """Take the next mention."""
        if mention[1]:
            self._times.append(mention[0])

    def alarmed(self, now: float) -> bool:
        """Look."""
        return len(self._times) - bisect_left(self._times, now - HOUR) >= self.bound


def holds(detector: Detector, mentions: Sequence[Mention], start: float, end: float) -> Iterator[float]:
    """Yield the moments at which holds begin, as the guard tells one crisis from the next."""
    place, last = 0, -math.inf
    for step in range(int(start // LOOK_SECONDS) + 1, int(end // LOOK_SECONDS) + 1):
        now = float(step * LOOK_SECONDS)
        while place < len(mentions) and mentions[place][0] <= now:
            detector.hear(mentions[place])
            place += 1
        if detector.alarmed(now):
            if now - last > CALM:
                yield now
            last = now


def the_guard(past: Sequence[Mention]) -> TheGuard:
    """Return the guard with a past."""
    guard = TheGuard()
    for mention in past:
        guard.hear(mention)
    return guard


Delays = dict[str, dict[int, list[float | None]]]


def delays(all_brands: Sequence[Brand], seeds: int, raised: Mapping[str, float]) -> Delays:
    """Return for each detector and size the seconds until it held, None where it did not while the crisis lasted."""
    found: Delays = defaultdict(lambda: defaultdict(list))
    for brand in all_brands:
        for seed in range(seeds):
            for factor in FACTORS:
                chance = random.Random(f"{brand.name}/{seed}/{factor}")
                made = stream(brand, HISTORY_DAYS + 1, chance)
                start = HISTORY_DAYS * DAY + chance.uniform(0, DAY - SPIKE_SECONDS)
                mentions = sorted([*made, *crisis(brand, start, factor, chance)])
                split, begun = (bisect_left(mentions, (at, False)) for at in (float(HISTORY_DAYS * DAY), start))
                detectors: dict[str, Detector] = {"guard": the_guard(mentions[:split])}
                for name, bound in RIVALS.items():
                    detectors[name] = Threshold(mentions[:split], bound, AS_SET)
                    detectors[name + EVEN] = Threshold(mentions[:split], bound, raised[name])
                for name, detector in detectors.items():
                    for mention in mentions[split:begun]:
                        detector.hear(mention)
                    first = next(holds(detector, mentions[begun:], start, start + SPIKE_SECONDS), None)
                    found[name][factor].append(None if first is None else first - start)
    return found


class Quiet:
    """Weeks without a crisis, each with the past before it."""

    def __init__(self, all_brands: Sequence[Brand], weeks: int) -> None:
        self._weeks: list[tuple[Sequence[Mention], Sequence[Mention]]] = []
        for brand in all_brands:
            for seed in range(weeks):
                mentions = stream(brand, HISTORY_DAYS + 7, random.Random(f"{brand.name}/quiet/{seed}"))
                split = bisect_left(mentions, (float(HISTORY_DAYS * DAY), False))
                self._weeks.append((mentions[:split], mentions[split:]))

    def false_holds(self, detector: Callable[[Sequence[Mention]], Detector]) -> float:
        """Return holds a brand and week of the detectors that know the past."""
        begin, end = HISTORY_DAYS * DAY, (HISTORY_DAYS + 7) * DAY
        counted = [sum(1 for _ in holds(detector(past), here, begin, end)) for past, here in self._weeks]
        return fmean(counted)

    def raised(self, bound: Bound, most: float) -> float:
        """Return how far a rival's bound is to be raised until it makes no more false holds than so many."""
        times = AS_SET
        while self.false_holds(partial(Threshold, bound=bound, times=times)) > most:
            times += RAISED_BY
        return times


def measure(sample: float) -> dict[str, float]:
    """Return delays in minutes, shares missed, false holds a week, and the cost of counting a decision."""
    if not STREAM.exists():
        print(f"  skipped: {STREAM} is not there")
        return {}
    all_brands = brands()
    quiet = Quiet(all_brands, max(1, int(QUIET_WEEKS * sample)))
    figures = {"guard_false_holds_per_week": quiet.false_holds(the_guard)}
    raised: dict[str, float] = {}
    for name, bound in RIVALS.items():
        raised[name] = quiet.raised(bound, figures["guard_false_holds_per_week"])
        for way, times in ((name, AS_SET), (name + EVEN, raised[name])):
            figures[f"{way}_times"] = times
            figures[f"{way}_false_holds_per_week"] = quiet.false_holds(partial(Threshold, bound=bound, times=times))
    found = delays(all_brands, max(2, int(SEEDS * sample)), raised)
    for name, by_factor in found.items():
        for factor, all_delays in by_factor.items():
            seen = [delay for delay in all_delays if delay is not None]
            figures[f"{name}_delay_{factor}x_minutes"] = median(seen) / 60 if seen else SPIKE_SECONDS / 60
            figures[f"{name}_missed_{factor}x"] = 1 - len(seen) / len(all_delays)
    if sample >= 1:
        draw(found, figures)
    return figures | {"guard_us": _cost(all_brands[0])}


def shown(figures: Mapping[str, float]) -> dict[str, tuple[str, str, str]]:
    """Return the words, colour and line of each detector in the picture."""
    mean, sigma = figures["guard_fixed_even_times"], figures["guard_sigma_even_times"]
    return {
        "guard": ("the guard", "C0", "-"),
        "guard_fixed": (f"{AS_SET:g} × the mean hour", "C1", ":"),
        "guard_sigma": (f"mean + {AS_SET:g}σ", "C2", ":"),
        "guard_fixed_even": (f"{mean:g} × the mean hour", "C1", "-"),
        "guard_sigma_even": (f"mean + {sigma:g}σ", "C2", "-"),
    }


def draw(found: Delays, figures: dict[str, float]) -> None:
    """Draw what the figures say: how soon a crisis of 5× is held, and at what price in false holds."""
    import matplotlib as mpl  # not needed to measure

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "antiphon"
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=(2, 1), layout="constrained")
    for place, (name, (words, colour, line)) in enumerate(shown(figures).items()):
        minutes = sorted(delay / 60 for delay in found[name][5] if delay is not None)
        shares = [(number + 1) / len(found[name][5]) for number in range(len(minutes))]
        steps = [0, *minutes, SPIKE_SECONDS / 60], [0, *shares, shares[-1] if shares else 0]
        left.step(*steps, where="post", label=words, color=colour, ls=line)
        right.barh(place, figures[f"{name}_false_holds_per_week"], color=colour, alpha=0.5 if line == ":" else 1.0)
    left.set(xlabel="minutes since the crisis began", ylabel="share held", ylim=(0, 1), title="crises of 5 ×, three hours")
    left.legend(frameon=False, loc="lower right")
    right.set_title("false holds, a brand and week")
    right.set_yticks(range(5), [words for words, *_ in shown(figures).values()])
    right.invert_yaxis()
    IMAGE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(IMAGE, metadata={"Date": None})
    plt.close(figure)


def _cost(brand: Brand) -> float:
    watch, mentions = Watch(), stream(brand, 56, random.Random(1))
    heard = [Heard(0, at, f"{at:064x}", "b", "x", when, negative, "r") for at, (when, negative) in enumerate(mentions)]
    begun = time.process_time()
    for one in heard:
        watch.take(one)
    return (time.process_time() - begun) / len(heard) * 1e6
