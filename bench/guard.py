"""The crisis guard on the real stream of five airlines, with crises put in; beside a fixed threshold and mean + 3σ.

The stream covers a week. So that there is a past to learn from, weeks are made from its days: for each day of the calendar one of
the brand's whole days is drawn, each of its mentions is taken 0, 1, 2 … times (Poisson, mean 1) and moved by up to 15 minutes.
What is real stays: the course of a day, bad days among good ones, bursts within an hour, the share of negative mentions.
A crisis of k× adds (k - 1) times the brand's mean negative rate of those hours of the day, for three hours, as a Poisson process.
"""

import json
import math
import random
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, pstdev
from typing import Protocol

from bench.measure import median
from rules.domain.guard.counts import Heard
from rules.domain.guard.severity import HOLD_AT, MIN_EVENTS, Terms
from rules.domain.guard.watch import CALM, Watch

STREAM = Path(__file__).parents[2] / "shared" / "data" / "replay" / "airline_mentions.jsonl"

HISTORY_DAYS = 28
SPIKE_SECONDS = 3 * 3_600
FACTORS = (2, 5, 20)
SEEDS = 8
"""Crises of each size a brand."""
QUIET_WEEKS = 3
"""Weeks without a crisis a brand."""
LOOK_SECONDS = 60
FIXED_TIMES = 3.0
"""The fixed threshold: so many times the brand's mean negative hour, as people set it by hand."""
DAY, HOUR = 86_400, 3_600
LEAST_DAYS = 5
_CUT_OFF = "02-24"
"""The last day of the stream, which ends at noon."""

IMAGE = Path(__file__).parents[1] / "docs" / "images" / "guard.svg"
SHOWN = {"guard": "the guard", "guard_fixed": "3 × the mean hour", "guard_sigma": "mean + 3σ"}

Mention = tuple[float, bool]
"""Seconds and whether it is negative."""


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand's whole days, each as mentions by second of the day, and its mean negative rate an hour by hour of the day."""

    name: str
    days: Sequence[Sequence[Mention]]

    def rate(self, hour: int) -> float:
        """Return negative mentions an hour."""
        found = sum(negative and int(at // HOUR) == hour for day in self.days for at, negative in day)
        return found / len(self.days)


def brands() -> list[Brand]:
    """Return the brands of the stream with five whole days or more; a day with fewer than 40 mentions is not whole."""
    days: dict[str, dict[str, list[Mention]]] = defaultdict(lambda: defaultdict(list))
    for line in STREAM.read_text().splitlines():
        mention = json.loads(line)
        moment = datetime.strptime(mention["created"], "%d-%m-%Y %H.%M").replace(tzinfo=UTC)
        second = moment.hour * HOUR + moment.minute * 60.0
        days[mention["brand"]][f"{moment:%m-%d}"].append((second, mention["sentiment"] == "negative"))
    whole = [
        Brand(name, [sorted(found) for day, found in sorted(by_day.items()) if len(found) >= 40 and day != _CUT_OFF])
        for name, by_day in sorted(days.items())
    ]
    return [brand for brand in whole if len(brand.days) >= LEAST_DAYS]


def stream(brand: Brand, days: int, chance: random.Random) -> list[Mention]:
    """Return so many made days, in order."""
    made = []
    for number in range(days):
        for at, negative in chance.choice(brand.days):
            for _ in range(_poisson(1.0, chance)):
                moved = min(max(at + chance.uniform(-900, 900), 0.0), DAY - 1.0)
                made.append((number * DAY + moved, negative))
    return sorted(made)


def crisis(brand: Brand, start: float, factor: int, chance: random.Random) -> list[Mention]:
    """Return the mentions that a crisis adds."""
    made, moment = [], start
    while moment < start + SPIKE_SECONDS:
        end = min((moment // HOUR + 1) * HOUR, start + SPIKE_SECONDS)
        expected = (factor - 1) * brand.rate(int(moment // HOUR) % 24) * (end - moment) / HOUR
        made += [(chance.uniform(moment, end), True) for _ in range(_poisson(expected, chance))]
        moment = end
    return made


def _poisson(mean: float, chance: random.Random) -> int:
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


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


class Threshold:
    """More negative mentions in the last hour than a bound."""

    def __init__(self, past: Sequence[Mention], *, sigmas: float | None) -> None:
        hours = [0] * (HISTORY_DAYS * 24)
        for at, negative in past:
            hours[int(at // HOUR)] += negative
        mean = fmean(hours)
        self.bound = max(float(MIN_EVENTS), FIXED_TIMES * mean if sigmas is None else mean + sigmas * pstdev(hours))
        self._times: list[float] = []

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


def detectors(past: Sequence[Mention]) -> dict[str, Detector]:
    """Return the guard and its rivals, all with the same past."""
    made: dict[str, Detector] = {
        "guard": TheGuard(),
        "guard_fixed": Threshold(past, sigmas=None),
        "guard_sigma": Threshold(past, sigmas=3.0),
    }
    for detector in made.values():
        for mention in past:
            detector.hear(mention)
    return made


Delays = dict[str, dict[int, list[float | None]]]


def delays(all_brands: Sequence[Brand], seeds: int) -> Delays:
    """Return for each detector and size the seconds until it held, None where it did not while the crisis lasted."""
    found: Delays = defaultdict(lambda: defaultdict(list))
    for brand in all_brands:
        for seed in range(seeds):
            for factor in FACTORS:
                chance = random.Random(f"{brand.name}/{seed}/{factor}")
                made = stream(brand, HISTORY_DAYS + 1, chance)
                start = HISTORY_DAYS * DAY + chance.uniform(0, DAY - SPIKE_SECONDS)
                mentions = sorted([*made, *crisis(brand, start, factor, chance)])
                past = mentions[: bisect_left(mentions, (start, False))]
                here = mentions[len(past) :]
                learnt = [mention for mention in past if mention[0] < HISTORY_DAYS * DAY]
                for name, detector in detectors(learnt).items():
                    for mention in past[len(learnt) :]:
                        detector.hear(mention)
                    first = next(holds(detector, here, start, start + SPIKE_SECONDS), None)
                    found[name][factor].append(None if first is None else first - start)
    return found


def false_holds(all_brands: Sequence[Brand], weeks: int) -> dict[str, float]:
    """Return holds a brand and week without a crisis."""
    counted: dict[str, int] = defaultdict(int)
    for brand in all_brands:
        for seed in range(weeks):
            chance = random.Random(f"{brand.name}/quiet/{seed}")
            mentions = stream(brand, HISTORY_DAYS + 7, chance)
            split = bisect_left(mentions, (float(HISTORY_DAYS * DAY), False))
            for name, detector in detectors(mentions[:split]).items():
                begun = holds(detector, mentions[split:], HISTORY_DAYS * DAY, (HISTORY_DAYS + 7) * DAY)
                counted[name] += sum(1 for _ in begun)
    return {name: counted[name] / (len(all_brands) * weeks) for name in ("guard", "guard_fixed", "guard_sigma")}


def measure(sample: float) -> dict[str, float]:
    """Return delays in minutes, shares missed, false holds a week, and the cost of counting a decision."""
    if not STREAM.exists():
        print(f"  skipped: {STREAM} is not there")
        return {}
    all_brands = brands()
    found = delays(all_brands, max(2, int(SEEDS * sample)))
    figures: dict[str, float] = {}
    for name, by_factor in found.items():
        for factor, all_delays in by_factor.items():
            seen = [delay for delay in all_delays if delay is not None]
            figures[f"{name}_delay_{factor}x_minutes"] = median(seen) / 60 if seen else SPIKE_SECONDS / 60
            figures[f"{name}_missed_{factor}x"] = 1 - len(seen) / len(all_delays)
    for name, count in false_holds(all_brands, max(1, int(QUIET_WEEKS * sample))).items():
        figures[f"{name}_false_holds_per_week"] = count
    if sample >= 1:
        draw(found, figures)
    return figures | {"guard_us": _cost(all_brands[0])}


def draw(found: Delays, figures: dict[str, float]) -> None:
    """Draw what the figures say: how soon a crisis of 5× is held, and at what price in false holds."""
    import matplotlib as mpl  # not needed to measure

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "antiphon"
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=(2, 1), layout="constrained")
    for name, words in SHOWN.items():
        minutes = sorted(delay / 60 for delay in found[name][5] if delay is not None)
        shares = [(number + 1) / len(found[name][5]) for number in range(len(minutes))]
        left.step([0, *minutes, SPIKE_SECONDS / 60], [0, *shares, shares[-1] if shares else 0], where="post", label=words)
    left.set(xlabel="minutes since the crisis began", ylabel="share held", ylim=(0, 1), title="crises of 5 ×, three hours")
    left.legend(frameon=False, loc="lower right")
    right.bar(list(SHOWN.values()), [figures[f"{name}_false_holds_per_week"] for name in SHOWN], color=["C0", "C1", "C2"])
    right.set(title="false holds, a brand and week")
    right.tick_params(axis="x", labelrotation=15)
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
