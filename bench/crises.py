"""Weeks of real brands, and crises in them.

The stream covers a week. So that there is a past to learn from, weeks are made from its days: for each day of the calendar one of
the brand's whole days is drawn, each of its mentions is taken 0, 1, 2 … times (Poisson, mean 1) and moved by up to 15 minutes.
What is real stays: the course of a day, bad days among good ones, bursts within an hour, the share of negative mentions.
A crisis of k× adds (k - 1) times the brand's mean negative rate of those hours of the day, for three hours, as a Poisson process.
"""

import json
import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

STREAM = Path(__file__).parents[2] / "shared" / "data" / "replay" / "airline_mentions.jsonl"
SPIKE_SECONDS = 3 * 3_600
DAY, HOUR = 86_400, 3_600
LEAST_DAYS = 5
_CUT_OFF = "02-24"
"""The last day of the stream, which ends at noon."""

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
