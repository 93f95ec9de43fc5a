"""The queue between what happens and who is told: batches, retries, and chaos. Pure: time and chance come in."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from random import Random

from simulator.chaos import Chaos, DeliveryOptions
from simulator.webhooks import Update, next_attempt

HOLD_SECONDS = 1.0
"""Real seconds an `add` waits for its `remove`: longer than a test needs to delete, shorter than it waits for drained."""

SHUFFLE_WINDOW = 4
"""Batches over which `reorder` mixes; the whole queue would cost its length for every batch."""

Destination = tuple[str, str, str]


@dataclass(slots=True)
class Batch:
    """Updates that go out in one POST, and how often that failed. `first` in platform seconds."""

    updates: list[Update]
    first: float
    attempts: int = 0


@dataclass(slots=True)
class Counters:
    """What became of deliveries so far. `accepted…` count distinct updates, the others every copy."""

    created: int = 0
    unsubscribed: int = 0
    webhook_requests: int = 0
    delivered: int = 0
    retried: int = 0
    dropped: int = 0
    duplicated: int = 0
    accepted: int = 0
    accepted_comments: int = 0
    accepted_updates: int = 0
    accepted_echoes: int = 0
    wrong_secret_sent: int = 0
    wrong_secret_accepted: int = 0


@dataclass(slots=True)
class DeliveryQueue:
    """Updates by destination; batches that failed; adds held back. `real` turns platform seconds into real ones."""

    rng: Random
    options: DeliveryOptions
    chaos: Chaos
    scale: float = 1.0
    counters: Counters = field(default_factory=Counters)
    _waiting: dict[Destination, deque[tuple[float, Update]]] = field(default_factory=dict)
    _retries: list[tuple[float, int, Batch]] = field(default_factory=list)
    _held: dict[str, tuple[float, Update]] = field(default_factory=dict)
    _history: list[Update] = field(default_factory=list)
    _in_flight: int = 0
    _generation: int = 0
    _wake: Callable[[], None] = lambda: None

    def on_work(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there may be something to send."""
        self._wake = wake

    def clear(self) -> None:
        """Forget everything, also what is on its way; chaos and options stay."""
        self._generation += 1
        self._in_flight = 0
        self.counters = Counters()
        for store in (self._waiting, self._retries, self._held, self._history):
            store.clear()

    def publish(self, update: Update, now: float) -> None:
        """Tell the account's subscriber; nobody subscribed, nobody is told."""
        self.counters.created += 1
        if not update.account.subscribed or not update.account.webhook_url:
            self.counters.unsubscribed += 1
            return
        self._history.append(update)
        if update.comment and update.verb == "add" and self._chance(self.chaos.remove_before_add):
            self._held[update.subject] = (now + HOLD_SECONDS * self.scale, update)
        else:
            self._enqueue(update, now)
            if update.verb == "remove" and update.subject in self._held:
                self._enqueue(self._held.pop(update.subject)[1], now)
        self._wake()

    def _enqueue(self, update: Update, now: float) -> None:
        account = update.account
        destination = (account.webhook_url or "", account.app_secret, account.platform.value)
        queue = self._waiting.setdefault(destination, deque())
        queue.append((now, update))
        if not update.resent and self._chance(self.chaos.duplicate_rate / 2):
            update.resent = True
            self.counters.duplicated += 1
            queue.append((now, update))

    def _chance(self, rate: float) -> bool:
        return rate > 0 and self.rng.random() < rate

    def redeliver(self, now: float) -> int:
        """Send everything since the last reset once more; returns how many updates that are."""
        for update in self._history:
            self._enqueue(update, now)
        self.counters.duplicated += len(self._history)
        self._wake()
        return len(self._history)

    def take(self, now: float) -> Batch | None:
        """The next POST that is due: a retry, a full batch, or one that lingered long enough."""
        self._release(now)
        if self._retries and self._retries[0][0] <= now:
            return self._sent(heapq.heappop(self._retries)[2])
        for queue in self._waiting.values():
            if len(queue) >= self.options.batch_size or (queue and self._ripe_at(queue) <= now):
                return self._sent(Batch(self._cut(queue), first=now))
        return None

    def _sent(self, batch: Batch) -> Batch:
        self._in_flight += len(batch.updates)
        self.counters.webhook_requests += 1
        return batch

    def _release(self, now: float) -> None:
        for subject in [name for name, (until, _) in self._held.items() if until <= now]:
            self._enqueue(self._held.pop(subject)[1], now)

    def _ripe_at(self, queue: deque[tuple[float, Update]]) -> float:
        return queue[0][0] + self.options.linger_ms / 1000 * self.scale

    def _cut(self, queue: deque[tuple[float, Update]]) -> list[Update]:
        size = min(self.options.batch_size, len(queue))
        if self.chaos.reorder:
            window = [queue.popleft() for _ in range(min(SHUFFLE_WINDOW * size, len(queue)))]
            self.rng.shuffle(window)
            queue.extendleft(reversed(window))
        return [queue.popleft()[1] for _ in range(size)]

    def next_due(self) -> float | None:
        """Platform time at which `take` may have something; None: only after a publish."""
        times = [self._ripe_at(queue) for queue in self._waiting.values() if queue]
        times += [self._retries[0][0]] if self._retries else []
        times += [until for until, _ in self._held.values()]
        return min(times, default=None)

    @property
    def generation(self) -> int:
        """Changes when the queue is cleared; an outcome of an older generation must not be reported."""
        return self._generation

    def accept(self, batch: Batch, now: float) -> None:
        """The receiver answered 2xx."""
        self._in_flight -= len(batch.updates)
        self.counters.delivered += len(batch.updates)
        for update in batch.updates:
            if not update.accepted:
                self._accept_first(update)
            if not update.resent and (self.chaos.redeliver_all or self._chance(self.chaos.duplicate_rate / 2)):
                update.resent = True
                self.counters.duplicated += 1
                self._enqueue(update, now)
        self._wake()

    def _accept_first(self, update: Update) -> None:
        update.accepted = True
        counters = self.counters
        counters.accepted_updates += 1
        if update.echo:
            counters.accepted_echoes += 1
            return
        counters.accepted += 1
        counters.accepted_comments += update.comment and update.verb == "add"

    def fail(self, batch: Batch, now: float) -> None:
        """The receiver refused, was away or too slow: try again later, or give up after the span."""
        self._in_flight -= len(batch.updates)
        batch.attempts += 1
        due = next_attempt(batch.first, batch.attempts, now)
        if due is None:
            self.counters.dropped += len(batch.updates)
            return
        self.counters.retried += 1
        heapq.heappush(self._retries, (due, self.counters.retried, batch))
        self._wake()

    def pending(self) -> dict[str, int]:
        """Updates that wait, by what they wait for."""
        return {
            "queued": sum(map(len, self._waiting.values())),
            "in_flight": self._in_flight,
            "retrying": sum(len(batch.updates) for _, _, batch in self._retries),
            "held": len(self._held),
        }

    def snapshot(self) -> dict[str, int]:
        """The counters as a map."""
        return asdict(self.counters)
