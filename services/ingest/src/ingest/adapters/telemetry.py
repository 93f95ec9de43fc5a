"""The service's metrics: declared once; children of hot paths are bound at the start."""

from collections.abc import Iterable
from itertools import product

from antiphon.telemetry import Telemetry
from ingest.clicks import LOST
from ingest.domain import Kind, Platform, Reason
from ingest.web import Traffic

OUTCOMES = (
    "accepted",
    "not_found",
    "unauthorized",
    "malformed",
    "busy",
    "unavailable",
    "too_large",
    "bad_encoding",
    "method_not_allowed",
    "disconnected",
    "confirmed",
    "refused",
)
"""What became of a request: of a delivery, except the last two, which are of handshakes."""

IGNORED = ("read_receipt", "delivery_receipt", "opt_in", "referral", "account_linking", "handover", "policy", "insights")
"""Updates without meaning for anybody downstream."""

UNKNOWN = "unknown"
"""The platform's label for an address that is not ours; ids and strangers' words are never labels."""


class IngestTelemetry:
    """Counts; fulfils the services' `Meter` and `ClickMeter`."""

    def __init__(self, telemetry: Telemetry, platforms: Iterable[str]) -> None:
        names = [str(name) for name in platforms]
        requests = telemetry.counter(
            "requests", "Webhook requests by what became of them.", platform=[*names, UNKNOWN], outcome=OUTCOMES
        )
        events = telemetry.counter("events", "Events made durable.", platform=[*names, Platform.WEB], kind=list(Kind))
        dead_letters = telemetry.counter(
            "dead_letters", "Updates put aside because nobody understands them.", reason=list(Reason)
        )
        ignored = telemetry.counter("ignored", "Updates understood and without meaning here.", platform=names, reason=IGNORED)
        unknown = telemetry.counter("unknown_fields", "Fields that nobody has described yet; they are kept raw.", platform=names)
        self._requests = {pair: requests.labels(*pair).inc for pair in product([*names, UNKNOWN], OUTCOMES)}
        self._events = {(name, kind): events.labels(name, kind).inc for name, kind in product([*names, Platform.WEB], Kind)}
        self._dead_letters = {reason: dead_letters.labels(reason).inc for reason in Reason}
        self._ignored = {pair: ignored.labels(*pair).inc for pair in product(names, IGNORED)}
        self._unknown = {name: unknown.labels(name).inc for name in names}
        self._acknowledged = telemetry.histogram("ack_seconds", "From a verified body to its events' acknowledgement.").labels()
        self.unsealed = (
            telemetry.counter(
                "unsealed", "Batches that left unsealed because the keys of people were away; they expire with the topic."
            )
            .labels()
            .inc
        )
        clicks = telemetry.counter("clicks", "Requests for tracked links by who came.", traffic=list(Traffic))
        lost = telemetry.counter(
            "clicks_lost", "People's clicks that were redirected and are not known to be durable.", reason=LOST
        )
        self._clicks = {traffic: clicks.labels(traffic).inc for traffic in Traffic}
        self._lost = {reason: lost.labels(reason).inc for reason in LOST}
        self.in_flight = telemetry.gauge("in_flight_events", "Events accepted and not yet acknowledged.").labels()

    def request(self, platform: str, outcome: str) -> None:
        """Count a request; where there is no subscription the platform is unknown."""
        self._requests[platform, outcome]()

    def event(self, platform: str, kind: Kind) -> None:
        """Count an event."""
        self._events[platform, kind]()

    def dead_letter(self, reason: Reason) -> None:
        """Count an update put aside."""
        self._dead_letters[reason]()

    def ignored(self, platform: str, reason: str) -> None:
        """Count an update without meaning."""
        self._ignored[platform, reason]()

    def unknown_fields(self, platform: str, count: int) -> None:
        """Count fields that the adapter has never heard of."""
        self._unknown[platform](count)

    def acknowledged(self, seconds: float) -> None:
        """Note how long a body's events took to become durable."""
        self._acknowledged.observe(seconds)

    def click(self, traffic: Traffic) -> None:
        """Count a request for a tracked link."""
        self._clicks[traffic]()

    def lost(self, reason: str) -> None:
        """Count a click that is not known to be durable."""
        self._lost[reason]()
