"""What the guard counts: for each scope said and negative things, in five minutes for watching and in hours for the baseline.

Times are those of the events, unix seconds. Who counts the same set of events in any order has the same counts.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import log10
from typing import NamedTuple

BUCKET = 300
"""Seconds of a bucket: short enough that a crisis is seen within one, long enough that a quiet brand's hold more than noise."""

HOUR = 3_600

BURST = 900

WINDOWS = (BURST, HOUR, 3 * HOUR)
"""Seconds over which is counted: a burst, an hour, and what smoulders."""

WATCHED = 6 * HOUR
"""How far back single buckets are kept; what is later still only feeds the baseline."""

REMEMBERED = 8 * 7 * 24
"""Hours that the baseline looks back on: eight of each hour of the week, so that a season's change is followed in two months."""

MOST_THREADS = 200
"""Threads told apart in a bucket: the largest is among them unless hundreds begin within the same five minutes."""

SEPARATOR = "\x1f"

_BUCKETS_AN_HOUR = HOUR // BUCKET
_LONG = BURST // BUCKET


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """What is watched: a brand, or within it one platform, campaign or topic (`kind:id`)."""

    brand: str
    platform: str = ""
    campaign: str = ""
    topic: str = ""

    @property
    def key(self) -> str:
        """Return its name in stores."""
        return SEPARATOR.join((self.brand, self.platform, self.campaign, self.topic))

    @property
    def whole(self) -> bool:
        """Tell whether it is all of the brand."""
        return not (self.platform or self.campaign or self.topic)

    @property
    def words(self) -> str:
        """Return what people call it, within the brand."""
        named = {"platform": self.platform, "campaign": self.campaign, "topic": self.topic}
        return ", ".join(f"{what} {name}" for what, name in named.items() if name) or "the whole brand"


def scope_of(key: str) -> Scope:
    """Return the scope of a name in stores."""
    return Scope(*key.split(SEPARATOR))


class Heard(NamedTuple):
    """One decision as the guard sees it. `followers` None: not known; `root` names the post or conversation.

    `partition` and `offset` tell where it lies on the topic.
    """

    partition: int
    offset: int
    event_id: str
    brand: str
    platform: str
    time: float
    negative: bool
    root: str
    followers: int | None = None
    campaigns: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()

    @property
    def scopes(self) -> list[Scope]:
        """Return every scope that it counts for."""
        found = [Scope(self.brand), Scope(self.brand, platform=self.platform)]
        found += [Scope(self.brand, campaign=name) for name in self.campaigns]
        return found + [Scope(self.brand, topic=name) for name in self.topics if not name.startswith("competitor:")]


@dataclass(slots=True)
class Bucket:
    """Five minutes, or an hour. `reach`: Σ log10(1 + followers) of the negative ones whose author's followers are known."""

    said: int = 0
    negative: int = 0
    reach: float = 0.0
    known: int = 0
    threads: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Hour:
    """An hour of the past. The most negative events that one thread had in five minutes of it, and that all had in fifteen."""

    said: int = 0
    negative: int = 0
    thread: int = 0
    reach: float = 0.0
    known: int = 0
    burst: int = 0


@dataclass(slots=True)
class Counts:
    """All that is counted of one scope. `hours` by hour since 1970, `buckets` by five minutes since 1970."""

    hours: dict[int, Hour] = field(default_factory=dict)
    buckets: dict[int, Bucket] = field(default_factory=dict)
    first: float = 0.0

    def add(self, heard: Heard, watermark: float) -> None:
        """Count one event in its own hour, and in its own five minutes while these are watched."""
        time = heard.time
        self.first = min(self.first, time) if self.hours else time
        hour = self.hours.get(int(time // HOUR))
        if hour is None:
            hour = self.hours[int(time // HOUR)] = Hour()
        hour.said += 1
        hour.negative += heard.negative
        if heard.negative and heard.followers is not None:
            hour.reach += log10(1 + heard.followers)
            hour.known += 1
        if time > watermark - WATCHED:
            self._watch(heard, hour)

    def _watch(self, heard: Heard, hour: Hour) -> None:
        number = int(heard.time // BUCKET)
        bucket = self.buckets.get(number)
        if bucket is None:
            bucket = self.buckets[number] = Bucket()
        bucket.said += 1
        if not heard.negative:
            return
        bucket.negative += 1
        hour.burst = max(hour.burst, self._burst(number))
        if heard.followers is not None:
            bucket.reach += log10(1 + heard.followers)
            bucket.known += 1
        if heard.root and (heard.root in bucket.threads or len(bucket.threads) < MOST_THREADS):
            bucket.threads[heard.root] += 1
            hour.thread = max(hour.thread, bucket.threads[heard.root])

    def _burst(self, number: int) -> int:
        """Return the most negative events of fifteen minutes around a bucket, within its hour: in any order the same."""
        begin = number - number % _BUCKETS_AN_HOUR
        first, end = max(begin, number - _LONG + 1), min(begin + _BUCKETS_AN_HOUR, number + _LONG)
        counts = [self.buckets[at].negative if at in self.buckets else 0 for at in range(first, end)]
        return max(sum(counts[at : at + _LONG]) for at in range(len(counts) - _LONG + 1))

    def forget(self, watermark: float) -> None:
        """Drop what is too old to matter."""
        oldest = int((watermark - WATCHED) // BUCKET)
        for number in [number for number in self.buckets if number < oldest]:
            del self.buckets[number]
        first = int(watermark // HOUR) - REMEMBERED
        for number in [number for number in self.hours if number < first]:
            del self.hours[number]

    def window(self, end: float, seconds: float) -> Bucket:
        """Return the sum of the buckets of the last so many seconds, the one that `end` lies in included; without threads."""
        last = int(end // BUCKET)
        total = Bucket()
        for number in range(last - int(seconds // BUCKET) + 1, last + 1):
            if bucket := self.buckets.get(number):
                total.said += bucket.said
                total.negative += bucket.negative
                total.reach += bucket.reach
                total.known += bucket.known
        return total

    def largest_thread(self, end: float) -> int:
        """Return the most negative events that one thread had in five minutes of the last fifteen."""
        last = int(end // BUCKET)
        recent = [self.buckets[number].threads for number in range(last - 2, last + 1) if number in self.buckets]
        return max((max(threads.values(), default=0) for threads in recent), default=0)
