"""The service's metrics: counted once for each fact, when it is recorded for the first time."""

from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import Gauge

from antiphon.telemetry import Telemetry
from metrics.adapters import codec
from metrics.domain.facts import PLATFORM_EFFECTS, POSTED, DecisionFact, DeliveryFact, EntryFact, EventFact, Fact

FACT_NAMES: Final[dict[type[Fact], str]] = {
    EventFact: "event",
    DecisionFact: "decision",
    DeliveryFact: "delivery",
    EntryFact: "entry",
}

UNDETERMINED: Final = "none"
"""The word for a level or a polarity that is not determined: an empty label would look like a missing one."""

_MS: Final = 1_000.0


class PrometheusCounters:
    """Counts what is recorded. Counters begin at zero with each process; totals of a period are the reports' business."""

    def __init__(self, telemetry: Telemetry) -> None:
        platforms, kinds = codec.PLATFORMS.all, codec.EVENT_KINDS.all
        self._events = telemetry.counter("events", "Events recorded, once each.", platform=platforms, kind=kinds)
        self._decisions = telemetry.counter("decisions", "Decisions recorded, one an event.", outcome=codec.OUTCOMES.all)
        self._rule_reasons = telemetry.counter(
            "rule_reasons", "What became of each rule that matched by place and text.", reason=codec.RULE_REASONS.all
        )
        self._deliveries = telemetry.counter(
            "deliveries",
            "Changes of actions' states recorded, once each.",
            platform=platforms,
            kind=codec.ACTION_KINDS.all,
            state=codec.STATES.all,
        )
        self._pipeline = telemetry.histogram(
            "pipeline_seconds", "Time of the event on the platform to the effect posted there."
        ).labels()
        self._decide = telemetry.histogram("decide_seconds", "Reception of an event to its decision.").labels()
        self._activities = _Activities(telemetry)
        self._posted = telemetry.counter(
            "posted_effects", "Effects posted on platforms; the automation share is that of mode auto.", mode=codec.MODES.all
        )
        self._entries = telemetry.counter(
            "entries", "Changes of campaign entries recorded, by the state reached.", state=codec.ENTRY_STATES.all
        )
        self._duplicates = telemetry.counter(
            "duplicates", "Facts that had been recorded before and arrived again.", fact=FACT_NAMES.values()
        )
        self._dead_letters = telemetry.counter(
            "dead_letters", "Records put aside because they cannot be counted.", reason=[*codec.INVALID_REASONS, "bug"]
        )

    def recorded(self, facts: Sequence[Fact]) -> None:
        """Count facts that are new."""
        for fact in facts:
            match fact:
                case EventFact():
                    self._events.labels(fact.platform, fact.kind).inc()
                case DecisionFact():
                    self._decision(fact)
                case DeliveryFact():
                    self._delivery(fact)
                case EntryFact():
                    self._entries.labels(fact.state).inc()

    def repeated(self, facts: Sequence[Fact]) -> None:
        """Count facts that had been recorded before."""
        for fact in facts:
            self._duplicates.labels(FACT_NAMES[type(fact)]).inc()

    def dead_letter(self, reason: str) -> None:
        """Count a record that was put aside."""
        self._dead_letters.labels(reason).inc()

    def _decision(self, fact: DecisionFact) -> None:
        self._decisions.labels(fact.outcome).inc()
        for rule in fact.rules:
            self._rule_reasons.labels(rule.reason).inc()
        if fact.decide_ms is not None:
            self._decide.observe(fact.decide_ms / _MS)
        if fact.verb == "create" and not fact.echo:
            self._activities.count(fact)

    def _delivery(self, fact: DeliveryFact) -> None:
        self._deliveries.labels(fact.platform, fact.kind, fact.state).inc()
        if fact.pipeline_ms is not None:
            self._pipeline.observe(fact.pipeline_ms / _MS)
        if fact.state == POSTED and fact.kind in PLATFORM_EFFECTS:
            self._posted.labels(fact.mode).inc()


class _Activities:
    """Counts what people do, and how many may see it."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._activities = telemetry.counter(
            "activities",
            "People's new activities recorded, by COBRA level and polarity.",
            platform=codec.PLATFORMS.all,
            level=_words(codec.LEVELS),
            polarity=_words(codec.POLARITIES),
        )
        self._exposure = telemetry.counter(
            "exposure_people",
            "Sum of the known reach of people's new activities: how many may have seen them.",
            platform=codec.PLATFORMS.all,
        )

    def count(self, fact: DecisionFact) -> None:
        said = fact.said
        self._activities.labels(fact.platform, said.level or UNDETERMINED, said.polarity or UNDETERMINED).inc()
        self._exposure.labels(fact.platform).inc(said.reach or 0)


def _words(words: codec.Words) -> list[str]:
    return [word or UNDETERMINED for word in words.all]


def holds_gauge(telemetry: Telemetry, active: Callable[[], int]) -> None:
    """Declare the gauge of holds in force."""
    gauge = telemetry.gauge("holds_active", "Holds in force now, over all brands, as this process knows from the configuration.")
    gauge.labels().set_function(lambda: float(active()))


def lag_gauge(telemetry: Telemetry) -> Gauge:
    """Declare the gauge of records not yet recorded; not a number until partitions are assigned."""
    gauge = telemetry.gauge(
        "records_lag", "Records on this process's partitions that are not recorded yet; NaN while it has no partitions."
    ).labels()
    gauge.set(float("nan"))
    return gauge
