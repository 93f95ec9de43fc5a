"""The engine's metrics."""

from antiphon.telemetry import Telemetry
from rules.adapters.understanding import SOURCES, Source
from rules.domain.decision import Decision, Outcome, Reason


class PrometheusCounts:
    """Counts decisions when they are durable."""

    def __init__(self, telemetry: Telemetry) -> None:
        decisions = telemetry.counter("decisions", "Decisions by outcome", outcome=list(Outcome))
        reasons = telemetry.counter("rule_reasons", "Rules that matched and did not act, by reason", reason=list(Reason))
        dead = telemetry.counter(
            "dead_letters", "Events put aside, by reason", reason=("undecodable", "incomplete", "no_key", "bug")
        )
        understood = telemetry.counter("texts_understood", "Events whose text was read, by the model that did", source=SOURCES)
        self._refused = telemetry.counter("config_refused", "Configuration records that this release cannot read").labels()
        self._understood = {source: understood.labels(source) for source in SOURCES}
        self._latency = telemetry.histogram("decide_seconds", "From receiving an event to its durable decision").labels()
        self._outcomes = {outcome: decisions.labels(outcome) for outcome in Outcome}
        self._reasons = {reason: reasons.labels(reason) for reason in Reason}
        self._dead = dead

    def decided(self, decision: Decision, decided_time: float) -> None:
        """Count a decision; `decided_time` in unix seconds."""
        self._outcomes[decision.outcome].inc()
        self._latency.observe(max(0.0, decided_time - decision.event.received_time))
        for rule in decision.rules:
            if rule.reason is not Reason.UNSPECIFIED:
                self._reasons[rule.reason].inc()

    def understood(self, source: Source, count: int) -> None:
        """Count texts that a model has read."""
        self._understood[source].inc(count)

    def configuration_refused(self) -> None:
        """Count a configuration record that could not be read."""
        self._refused.inc()

    def dead_letter(self, reason: str) -> None:
        """Count an event that was put aside."""
        self._dead.labels(reason).inc()
