"""The engine's use case: for every event look up its author's state, decide, keep the state, hand the decision over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon import failpoints
from antiphon.clock import Clock
from rules.domain.decision import Decision
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.matching.index import Snapshot
from rules.domain.model import BrandSettings
from rules.domain.state import AuthorState
from rules.ports import Configuration


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event and its record key `brand/author`, which is also the key of its author's state."""

    key: bytes
    event: Event


class Understands(Protocol):
    """The models of language and sentiment."""

    async def understand(self, events: Iterable[Event], settings: Mapping[str, BrandSettings]) -> Sequence[Understanding]:
        """Return what each event's text says, in order, by the models of its brand."""
        ...


class AuthorStates(Protocol):
    """What each author has consumed; kept by record key, on the worker that owns the key's partition."""

    def get(self, key: bytes) -> AuthorState:
        """Return the author's state, empty if there is none."""
        ...

    def put(self, key: bytes, state: AuthorState) -> None:
        """Keep the author's state."""
        ...


class DecisionLog(Protocol):
    """Where decisions go."""

    async def append(self, decisions: Sequence[tuple[bytes, Decision]], decided_time: float) -> None:
        """Return once every decision, given with its record key, is durable."""
        ...


class Counts(Protocol):
    """What the engine tells about itself."""

    def decided(self, decision: Decision, decided_time: float) -> None:
        """Count a decision that is durable."""
        ...


class DecisionService:
    """Decides batches of events. A decision is a pure function of configuration, state and event."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        models: Understands,
        states: AuthorStates,
        log: DecisionLog,
        counts: Counts,
        clock: Clock,
    ) -> None:
        self._configuration = configuration
        self._models = models
        self._states = states
        self._log = log
        self._counts = counts
        self._clock = clock

    async def decide(self, batch: Sequence[Incoming]) -> None:
        """Return once every decision is durable. Repeating a batch repeats its decisions and consumes nothing twice."""
        failpoints.hit("rules.after_poll")
        decided_time = self._clock.now().timestamp()
        snapshot = self._configuration.snapshot
        here = {incoming.event.brand for incoming in batch} & snapshot.brands.keys()
        settings = {name: snapshot.brands[name].settings for name in here}
        understood = await self._models.understand((incoming.event for incoming in batch), settings)
        decisions = [
            (incoming.key, self._decide(snapshot, incoming, understanding))
            for incoming, understanding in zip(batch, understood, strict=True)
        ]
        failpoints.hit("rules.after_eval")
        await self._log.append(decisions, decided_time)
        failpoints.hit("rules.after_produce")
        for _, decision in decisions:
            self._counts.decided(decision, decided_time)

    def _decide(self, snapshot: Snapshot, incoming: Incoming, understanding: Understanding) -> Decision:
        before = self._states.get(incoming.key)
        decision, after = evaluate(snapshot, before, incoming.event, understanding)
        if after is not before:
            self._states.put(incoming.key, after)
        return decision
